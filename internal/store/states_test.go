package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var errUnusable = errors.New("unusable")

func decodable(state []byte) error {
	if string(state) == "unusable" {
		return errUnusable
	}
	return nil
}

func TestList_ShowsEachOperationOnceWithItsCondition(t *testing.T) {
	dir, long := t.TempDir(), strings.Repeat("long", 50)
	folder := mustOpen(t, dir, osFiles)
	for _, operation := range []string{"Ventas", "b", "a/b", "missing", "corrupt", "unusable", "~", long} {
		file := folder.File(operation)
		mustSave(t, file, "1")
		mustSave(t, file, operation)
		switch operation {
		case "missing":
			if err := os.Remove(file.Path()); err != nil {
				t.Fatal(err)
			}
		case "corrupt":
			if err := os.Truncate(file.Path(), 50); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Of others, and of a save that was cut off.
	for _, name := range []string{"Foreign.state", "notes.txt", "b.state.unsaved123", "b.state.previous.unsaved"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := names(t, dir)
	states, err := List(dir, decodable) // The folder is in use.
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]error{}
	for _, s := range states {
		have[s.Operation] = s.Err
		if isMissing := s.Operation == "missing"; s.Saved.IsZero() != isMissing || (s.Size == 0) != isMissing {
			t.Errorf("have %+v", s)
		}
	}
	want := map[string]error{
		"Ventas": nil, "b": nil, "a/b": nil, "~": nil, safeName(long): nil,
		"missing": ErrMissing, "corrupt": ErrCorrupt, "unusable": errUnusable,
	}
	if len(states) != len(want) || len(have) != len(want) {
		t.Errorf("have %+v, want %d operations", states, len(want))
	}
	for operation, err := range want {
		if !errors.Is(have[operation], err) {
			t.Errorf("%s: have error %v, want %v", operation, have[operation], err)
		}
	}
	if !slices.Equal(names(t, dir), before) {
		t.Errorf("have %q after %q", names(t, dir), before)
	}
	if _, err := List(filepath.Join(dir, "none"), decodable); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have error %v, want that there is none", err)
	}
}

func TestFolder_RemovesAllFilesOfOperation(t *testing.T) {
	dir, long := t.TempDir(), strings.Repeat("long", 50)
	folder := mustOpen(t, dir, osFiles)
	for _, operation := range []string{"a", "A", long, "stays"} {
		mustSave(t, folder.File(operation), "1")
		mustSave(t, folder.File(operation), "2")
	}
	if err := os.Remove(folder.File("A").Path()); err != nil {
		t.Fatal(err)
	}
	for _, operation := range []string{"a", "A", safeName(long)} {
		if err := folder.Remove(operation); err != nil {
			t.Error(err)
		}
		if err := folder.Remove(operation); !errors.Is(err, ErrNoState) || !strings.Contains(err.Error(), fmt.Sprintf("%q", operation)) {
			t.Errorf("%s again: have error %v, want %v", operation, err, ErrNoState)
		}
	}
	if have, want := names(t, dir), []string{"lock", "stays.state", "stays.state.previous"}; !slices.Equal(have, want) {
		t.Errorf("have %q left, want %q", have, want)
	}
	if _, err := folder.File("a").Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have %v, want a first start", err)
	}
}

func TestFolder_RenamesAllFilesOfOperation(t *testing.T) {
	dir := t.TempDir()
	folder := mustOpen(t, dir, osFiles)
	mustSave(t, folder.File("old"), "1")
	mustSave(t, folder.File("old"), "2")
	if err := folder.Rename("old", "New"); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, folder.File("New"), "2")
	mustBe(t, folder.File("New").Path()+previous, "1")
	if _, err := folder.File("old").Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("have %v, want a first start", err)
	}
	if have := names(t, dir); len(have) != 3 {
		t.Errorf("have %q, want the lock and two generations", have)
	}
}

func TestFolder_RenameRefusesExistingState(t *testing.T) {
	dir := t.TempDir()
	folder := mustOpen(t, dir, osFiles)
	for _, operation := range []string{"old", "taken", "leftover"} {
		mustSave(t, folder.File(operation), "1")
		mustSave(t, folder.File(operation), operation)
	}
	if err := os.Remove(folder.File("leftover").Path()); err != nil {
		t.Fatal(err)
	}
	before := names(t, dir)
	for _, to := range []string{"taken", "leftover", "old"} {
		mustSay(t, folder.Rename("old", to), fmt.Sprintf("operation %q has a saved state", to))
	}
	if err := folder.Rename("none", "new"); !errors.Is(err, ErrNoState) {
		t.Errorf("have error %v, want %v", err, ErrNoState)
	}
	if !slices.Equal(names(t, dir), before) {
		t.Errorf("have %q after %q", names(t, dir), before)
	}
	mustLoad(t, folder.File("old"), "old")
	mustLoad(t, folder.File("taken"), "taken")
}

// Whichever call fails, the state can be loaded under one of the names, and the folder
// is not in the way of another try.
func TestFolder_RenameKeepsStateOnFailure(t *testing.T) {
	for failing := range 3 {
		dir, calls := t.TempDir(), 0
		sys := osFiles
		fails := func() bool { calls++; return calls-1 == failing }
		folder := mustOpen(t, dir, osFiles)
		mustSave(t, folder.File("old"), "1")
		mustSave(t, folder.File("old"), "2")
		sys.replace = func(from, to string) error {
			if fails() {
				return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EIO}
			}
			return osFiles.replace(from, to)
		}
		sys.syncDir = func(dir string) error {
			if fails() {
				return syscall.EIO
			}
			return osFiles.syncDir(dir)
		}
		folder.sys = sys
		if err := folder.Rename("old", "new"); !errors.Is(err, syscall.EIO) {
			t.Fatalf("call %d: have error %v, want %v", failing, err, syscall.EIO)
		}
		folder.sys = osFiles
		if failing < 2 {
			mustLoad(t, folder.File("old"), "2")
			mustBe(t, folder.File("old").Path()+previous, "1")
			if err := folder.Rename("old", "new"); err != nil {
				t.Errorf("call %d: have error %v at another try", failing, err)
			}
		}
		mustLoad(t, folder.File("new"), "2")
		mustBe(t, folder.File("new").Path()+previous, "1")
	}
}
