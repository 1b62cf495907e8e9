//go:build unix

package store

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

func mustMakePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFile_RefusesPipes(t *testing.T) {
	file := mustOpen(t, t.TempDir(), osFiles).File("wv0042")
	mustMakePipe(t, file.Path()+previous)
	_, err := file.Load()
	if !errors.Is(err, ErrMissing) {
		t.Errorf("have %v, want %v", err, ErrMissing)
	}
	mustMakePipe(t, file.Path())
	_, err = file.Load()
	mustSay(t, err, file.Path(), "it is a pipe, not a regular file", "no usable previous generation")
}

func TestOpen_RefusesPipeAsLock(t *testing.T) {
	dir := t.TempDir()
	mustMakePipe(t, filepath.Join(dir, lockName))
	_, err := Open(dir)
	_, probeErr := Probe(dir)
	for _, err := range []error{err, probeErr} {
		if !errors.Is(err, regular.ErrNotRegular) {
			t.Errorf("have %v, want %v", err, regular.ErrNotRegular)
		}
		mustSay(t, err, dir, lockName+`": it is a pipe, not a regular file`)
	}
}

// A state that is too large to load must not replace one that can be loaded.
func TestFile_SavesNothingTooLargeToLoad(t *testing.T) {
	file := mustOpen(t, t.TempDir(), osFiles).File("wv0042")
	mustSave(t, file, "good")
	// Not from the heap: the race detector would fill it.
	large, err := syscall.Mmap(-1, 0, maxFileSize, syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = syscall.Munmap(large) }()
	mustSay(t, file.Save(large), file.Path(), "the state is too large")
	mustLoad(t, file, "good")
}
