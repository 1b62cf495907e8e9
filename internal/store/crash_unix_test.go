//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func init() {
	children["save"] = func() { // saves for ever and prints what is saved
		file, state := openChild(), 0
		if loaded, err := file.Load(); err == nil {
			state, _ = strconv.Atoi(strings.TrimLeft(string(loaded), "0"))
		} else if !errors.Is(err, fs.ErrNotExist) {
			fmt.Println(err)
			return
		}
		fmt.Println(state)
		for {
			state++
			if err := file.Save(fmt.Appendf(nil, "%0100000d", state)); err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(state)
		}
	}
	children["fill"] = func() { // fills the disk, simulated by a limit of the process
		limit := syscall.Rlimit{Cur: 50_000, Max: 50_000}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Println(err)
			return
		}
		file := openChild()
		fmt.Println(file.Save([]byte("2")))
		fmt.Println(file.Save(make([]byte, 60_000)))
		fmt.Println(file.Save([]byte("3")))
	}
	children["other"] = func() { // another user, with read access only
		if os.Getuid() == 0 {
			if err := syscall.Setuid(65534); err != nil {
				fmt.Println(err)
				return
			}
		}
		file := openChild()
		loaded, err := file.Load()
		fmt.Println(string(loaded), err)
		fmt.Println(file.Save([]byte("2")))
		_, err = file.folder.File("secret").Load()
		fmt.Println(err)
		_, err = Open("new")
		fmt.Println(err)
	}
}

func openChild() *File {
	folder, err := Open("data")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return folder.File("wv0042")
}

func TestFile_SurvivesKill(t *testing.T) {
	tmp := t.TempDir()
	acked := 0
	for life := range 20 {
		child, lines := startChild(t, "save", tmp)
		killSoon := func() {
			time.AfterFunc(rand.N(80*time.Millisecond), func() { _ = child.Process.Kill() })
		}
		if life%2 == 0 {
			killSoon()
		}
		for first := true; lines.Scan(); first = false {
			if first && life%2 != 0 {
				killSoon() // Even on a slow machine some processes save.
			}
			have, err := strconv.Atoi(lines.Text())
			if err != nil {
				t.Fatal(lines.Text())
			}
			if first && have != acked && have != acked+1 || !first && have != acked+1 {
				t.Fatalf("have %d after %d", have, acked)
			}
			acked = have
		}
		_ = child.Wait()
	}
	file := mustOpen(t, filepath.Join(tmp, "data"), osFiles).File("wv0042")
	loaded, err := file.Load()
	if err != nil {
		t.Fatal(err)
	}
	if have, _ := strconv.Atoi(strings.TrimLeft(string(loaded), "0")); have != acked && have != acked+1 {
		t.Errorf("have %d after %d", have, acked)
	}
	if have := names(t, filepath.Join(tmp, "data")); len(have) > 3 {
		t.Errorf("have %q, want no leftovers", have)
	}
	t.Logf("%d saves, 20 kills", acked)
}

func TestFile_KeepsStateAtFileSizeLimit(t *testing.T) {
	tmp := t.TempDir()
	folder := mustOpen(t, filepath.Join(tmp, "data"), osFiles)
	mustSave(t, folder.File("wv0042"), "1")
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	child, lines := startChild(t, "fill", tmp)
	if have := nextLine(t, lines); have != "<nil>" {
		t.Fatal(have)
	}
	if have := nextLine(t, lines); !strings.Contains(have, `saving "data/wv0042.state": `) || !strings.Contains(have, "file too large") {
		t.Errorf("have %q", have)
	}
	if have := nextLine(t, lines); have != "<nil>" {
		t.Error(have)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	file := mustOpen(t, filepath.Join(tmp, "data"), osFiles).File("wv0042")
	mustLoad(t, file, "3")
	mustBe(t, file.Path()+".previous", "2")
	if have := names(t, filepath.Join(tmp, "data")); len(have) != 3 {
		t.Errorf("have %q, want no leftovers", have)
	}
}

func TestFile_LoadsFromReadOnlyFolder(t *testing.T) {
	tmp := t.TempDir()
	data := filepath.Join(tmp, "data")
	t.Cleanup(func() { _ = os.Chmod(tmp, 0o700); _ = os.Chmod(data, 0o700) })
	folder := mustOpen(t, data, osFiles)
	mustSave(t, folder.File("wv0042"), "1")
	mustSave(t, folder.File("secret"), "1")
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]fs.FileMode{
		filepath.Join(data, "secret.state"): 0,
		filepath.Join(data, "wv0042.state"): 0o444,
		filepath.Join(data, "lock"):         0o444,
		data:                                0o555,
		tmp:                                 0o555,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	_, lines := startChild(t, "other", tmp)
	for _, want := range []string{
		`1 <nil>`,
		`saving "data/wv0042.state": `,
		`loading "data/secret.state": permission denied: let the user that runs wolkvox_exporter own`,
		`creating storage folder "new": mkdir new: permission denied`,
	} {
		if have := nextLine(t, lines); !strings.HasPrefix(have, want) {
			t.Errorf("have %q, want %q", have, want)
		}
	}
}
