package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func TestOpen_RefusesSecondOpenInProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first := mustOpen(t, dir, osFiles)
	_, err := Open(dir)
	if !errors.Is(err, ErrInUse) {
		t.Fatalf("have %v, want ErrInUse", err)
	}
	if have, want := err.Error(), fmt.Sprintf("storage folder %q is in use by another wolkvox_exporter", dir); have != want {
		t.Errorf("have %q, want %q", have, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, osFiles)
}

func TestOpen_RefusesSecondProcess(t *testing.T) {
	tmp := t.TempDir()
	holder, lines := startChild(t, "hold", tmp)
	if have := nextLine(t, lines); have != "held" {
		t.Fatal(have)
	}
	if _, err := Open(filepath.Join(tmp, "data")); !errors.Is(err, ErrInUse) {
		t.Errorf("have %v, want ErrInUse", err)
	}
	_, lines = startChild(t, "open", tmp)
	if have, want := nextLine(t, lines), `storage folder "data" is in use by another wolkvox_exporter`; have != want {
		t.Errorf("have %q, want %q", have, want)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait()
	mustOpen(t, filepath.Join(tmp, "data"), osFiles)
}

func TestFile_SavesNothingWithoutLock(t *testing.T) {
	dir := t.TempDir()
	folder := mustOpen(t, dir, osFiles)
	file := folder.File("wv0042")
	mustSave(t, file, "1")
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	if err := file.Save([]byte("2")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("have %v, want fs.ErrClosed", err)
	}
	mustLoad(t, mustOpen(t, dir, osFiles).File("wv0042"), "1")
}

func TestOpen_CreatesPrivateFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no such modes")
	}
	dir := filepath.Join(t.TempDir(), "var", "data")
	file := mustOpen(t, dir, osFiles).File("wv0042")
	mustSave(t, file, "1")
	if err := os.Chmod(file.Path(), 0o644); err != nil { // must be reset by the next save
		t.Fatal(err)
	}
	mustSave(t, file, "2")
	mustSave(t, file, "3")
	for path, want := range map[string]fs.FileMode{
		filepath.Dir(dir):          0o700 | fs.ModeDir,
		dir:                        0o700 | fs.ModeDir,
		filepath.Join(dir, "lock"): 0o600,
		file.Path():                0o600,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if have := info.Mode(); have != want {
			t.Errorf("%s: have %v, want %v", path, have, want)
		}
	}
}

func TestOpen_RefusesFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(dir, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir)
	mustSay(t, err, fmt.Sprintf("creating storage folder %q", dir), "not a directory")
}

func TestOpen_MakesNewFoldersDurable(t *testing.T) {
	tmp := t.TempDir()
	var synced []string
	sys := osFiles
	sys.syncDir = func(dir string) error {
		synced = append(synced, dir)
		return syncDir(dir)
	}
	folder := mustOpen(t, filepath.Join(tmp, "a", "b", "c"), sys)
	want := []string{filepath.Join(tmp, "a", "b"), filepath.Join(tmp, "a"), tmp}
	if !slices.Equal(synced, want) {
		t.Errorf("have %q, want %q", synced, want)
	}
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}

	failing := errors.New("disk fell off")
	sys.syncDir = func(string) error { return failing }
	if _, err := open(filepath.Join(tmp, "a", "b", "c"), sys); !errors.Is(err, failing) {
		t.Errorf("have %v, want %v", err, failing)
	}
	sys.syncDir = func(string) error { return fs.ErrPermission } // a parent folder of another user
	mustOpen(t, filepath.Join(tmp, "a", "b", "c"), sys)
}

func TestOpen_RemovesOnlyLeftovers(t *testing.T) {
	dir := t.TempDir()
	leftovers := []string{
		"wv0042.state.unsaved", "wv0042.state.unsaved123456789", "%41b_c.d-e.state.unsaved7",
		"wv0042.state.previous.unsaved", "wv0042.state.previous.unsaved42", ".state.unsaved1",
	}
	others := []string{
		"wv0042.state", "wv0042.state.previous", "wv0042.state.old", "wv0042.state123", "wv0042.unsaved",
		"wv0042.state.unsaved.bak", "Notes.state.unsaved", "lock", "wv0042.state.unsavedx", "my letter.state.unsaved",
	}
	for _, name := range slices.Concat(leftovers, others) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.state.unsaved"), 0o700); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, dir, osFiles)
	want := append(others, "dir.state.unsaved")
	slices.Sort(want)
	if have := names(t, dir); !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
