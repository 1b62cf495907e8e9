package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

func TestFile_LoadsSavedState(t *testing.T) {
	dir := t.TempDir()
	folder := mustOpen(t, dir, osFiles)
	file, other := folder.File("wv0042"), folder.File("wv0043")
	if _, err := file.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("have %v, want a first start", err)
	}
	for _, state := range []string{"1", "", strings.Repeat("long", 1<<18), "\x00\xff"} {
		mustSave(t, file, state)
		mustLoad(t, file, state)
	}
	if _, err := other.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have %v, want a first start of the other", err)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, mustOpen(t, dir, osFiles).File("wv0042"), "\x00\xff")
	if have := len(names(t, dir)); have != 3 { // lock, state, previous
		t.Errorf("have %q, want 3 files", names(t, dir))
	}
}

func TestFile_KeepsPreviousGeneration(t *testing.T) {
	noLinks := osFiles
	noLinks.link = func(from, to string) error {
		return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM}
	}
	for name, sys := range map[string]fileSystem{"by a link": osFiles, "by a copy": noLinks} {
		t.Run(name, func(t *testing.T) {
			file := mustOpen(t, t.TempDir(), sys).File("wv0042")
			mustSave(t, file, "1")
			if _, err := os.Stat(file.Path() + ".previous"); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("have %v, want no previous generation yet", err)
			}
			for n := 2; n < 5; n++ {
				mustSave(t, file, fmt.Sprint(n))
				mustBe(t, file.Path()+".previous", fmt.Sprint(n-1))
				mustBe(t, file.Path(), fmt.Sprint(n))
			}
			// As the refusal says: rename it, and go on from there.
			if err := os.Rename(file.Path()+".previous", file.Path()); err != nil {
				t.Fatal(err)
			}
			mustLoad(t, file, "3")
			mustSave(t, file, "5")
			mustBe(t, file.Path()+".previous", "3")
		})
	}
}

func mustBe(t *testing.T, path, want string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if have, err := decode(file); err != nil || string(have) != want {
		t.Fatalf("%s: have %q, %v; want %q", path, have, err, want)
	}
}

func TestFile_LoadErrorHasRemedy(t *testing.T) {
	const secret = "+57 300 1234567"
	good, newer := envelope(secret), envelope(secret)
	newer[len(magic)+3]++
	newer = resealed(newer)
	var (
		back  = `to go back to the previous generation, rename %[1]q to %[2]q (the counters fall back to that point and the chats since it are fetched again)`
		none  = `no usable previous generation`
		over  = `to start over, move %[3]q away (only chats from now on are counted)`
		write = func(content []byte) func(string) error {
			return func(path string) error { return os.WriteFile(path, content, 0o600) }
		}
		sparse = func(path string) error {
			return errors.Join(os.WriteFile(path, good, 0o600), os.Truncate(path, 10<<30))
		}
		folder = func(path string) error { return os.Mkdir(path, 0o700) }
	)
	for name, c := range map[string]struct {
		current, previous func(path string) error
		want              error
		says              []string
	}{
		"cut":                         {write(good[:len(good)-3]), write(good), ErrCorrupt, []string{back, over}},
		"cut, no previous":            {write(good[:len(good)-3]), nil, ErrCorrupt, []string{none, over}},
		"cut, previous cut":           {write(good[:40]), write(good[:50]), ErrCorrupt, []string{none, over}},
		"empty":                       {write(nil), write(good), ErrCorrupt, []string{back, over}},
		"foreign":                     {write([]byte("phones: " + secret)), nil, ErrForeign, []string{none, over}},
		"foreign, with previous":      {write([]byte(secret)), write(good), ErrForeign, []string{back, over}},
		"newer":                       {write(newer), write(good), ErrNewer, []string{"format 2, at most 1 is supported", "run that newer version"}},
		"missing":                     {nil, write(good), ErrMissing, []string{back, over}},
		"missing, previous cut":       {nil, write(good[:9]), ErrMissing, []string{none, over}},
		"missing, previous no file":   {nil, folder, ErrMissing, []string{none, over}},
		"a folder in place of a file": {folder, write(good), regular.ErrNotRegular, []string{"directory", back, over}},
		"too large":                   {sparse, write(good), regular.ErrTooLarge, []string{"512 MiB", back, over}},
	} {
		t.Run(name, func(t *testing.T) {
			file := mustOpen(t, t.TempDir(), osFiles).File("wv0042")
			for path, create := range map[string]func(string) error{file.Path(): c.current, file.Path() + ".previous": c.previous} {
				if create == nil {
					continue
				}
				if err := create(path); err != nil {
					t.Fatal(err)
				}
			}
			_, err := file.Load()
			if !errors.Is(err, c.want) {
				t.Errorf("have %v, want %v", err, c.want)
			}
			if errors.Is(err, fs.ErrNotExist) {
				t.Error("have a first start")
			}
			for _, say := range append(c.says, "loading %[2]q: ") {
				mustSay(t, err, fmt.Sprintf(say+"%.0[1]s%.0[2]s%.0[3]s", file.Path()+".previous", file.Path(), file.Path()+"*"))
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("have the file's content in %q", err)
			}
		})
	}
}

func TestFile_RefusesMissingFolder(t *testing.T) {
	dir := t.TempDir()
	file := mustOpen(t, dir, osFiles).File("wv0042")
	mustSave(t, file, "1")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	_, err := file.Load()
	mustSay(t, err, "flushing its folder")
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have a first start: %v", err)
	}
	mustSay(t, file.Save([]byte("2")), fmt.Sprintf("saving %q", file.Path()))
}
