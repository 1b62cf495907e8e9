package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestProbe_ChangesNothing(t *testing.T) {
	tmp := t.TempDir()
	dir := filepath.Join(tmp, "state", "data")
	if exists, err := Probe(dir); exists || err != nil {
		t.Errorf("no folder: have %v and error %v, want one that can be created", exists, err)
	}
	if have := names(t, tmp); len(have) != 0 {
		t.Fatalf("no folder: have %v, want nothing", have)
	}
	folder := mustOpen(t, dir, osFiles)
	mustSave(t, folder.File("wv0042"), "1")
	if err := folder.Close(); err != nil {
		t.Fatal(err)
	}
	// A Save of another process may be at it.
	if err := os.WriteFile(filepath.Join(dir, "wv0042.state.unsaved123"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	want := names(t, dir)
	if exists, err := Probe(dir); !exists || err != nil {
		t.Errorf("have %v and error %v, want a folder that is ready", exists, err)
	}
	if have := names(t, dir); !slices.Equal(have, want) {
		t.Errorf("have %v, want %v as before", have, want)
	}
	mustOpen(t, dir, osFiles)
}

func TestProbe_CreatesNoLock(t *testing.T) {
	dir := t.TempDir()
	if exists, err := Probe(dir); !exists || err != nil {
		t.Errorf("have %v and error %v, want a folder that is ready", exists, err)
	}
	if have := names(t, dir); len(have) != 0 {
		t.Errorf("have %v, want nothing", have)
	}
}

func TestProbe_ReportsFolderInUse(t *testing.T) {
	tmp := t.TempDir()
	_, lines := startChild(t, "hold", tmp)
	if have := nextLine(t, lines); have != "held" {
		t.Fatal(have)
	}
	want := names(t, filepath.Join(tmp, "data"))
	_, err := Probe(filepath.Join(tmp, "data"))
	if !errors.Is(err, ErrInUse) {
		t.Errorf("have %v, want ErrInUse", err)
	}
	if have := names(t, filepath.Join(tmp, "data")); !slices.Equal(have, want) {
		t.Errorf("have %v, want %v as before", have, want)
	}
}

func TestProbe_RefusesFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Probe(file)
	mustSay(t, err, file, "is a file")
	_, err = Probe(filepath.Join(file, "below"))
	mustSay(t, err, file, "not a directory")
}

func TestPeek_LoadsFromLockedFolder(t *testing.T) {
	dir := t.TempDir()
	file := mustOpen(t, dir, osFiles).File("Ventas")
	state, path, err := Peek(dir, "Ventas")
	if !errors.Is(err, fs.ErrNotExist) || path != file.Path() {
		t.Errorf("have %q of %q and error %v, want a first start of %q", state, path, err, file.Path())
	}
	mustSave(t, file, "1")
	mustSave(t, file, "2")
	want := names(t, dir)
	if state, _, err := Peek(dir, "Ventas"); err != nil || string(state) != "2" {
		t.Errorf("have %q and error %v, want 2", state, err)
	}
	if err := os.WriteFile(file.Path(), []byte("none"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = Peek(dir, "Ventas")
	var failure *LoadError
	if _, loadErr := file.Load(); loadErr == nil || err == nil || err.Error() != loadErr.Error() || !errors.As(err, &failure) {
		t.Fatalf("have error %v, want a LoadError as of Load: %v", err, loadErr)
	}
	if !errors.Is(failure, ErrForeign) || failure.Path != file.Path() {
		t.Errorf("have %+v, want ErrForeign of %q", failure, file.Path())
	}
	mustSay(t, errors.New(failure.Remedy), "to go back to the previous generation", "to start over")
	if have := names(t, dir); !slices.Equal(have, want) {
		t.Errorf("have %v, want %v as before", have, want)
	}
}

func TestPeek_CreatesNoFolder(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Peek(filepath.Join(dir, "data"), "wv0042"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have error %v, want a first start", err)
	}
	if have := names(t, dir); len(have) != 0 {
		t.Errorf("have %v, want nothing", have)
	}
}
