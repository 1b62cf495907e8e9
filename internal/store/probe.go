package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Probe reports whether the folder exists, and returns an error if Open would fail. It wraps
// [ErrInUse] if another process has locked the folder. Probe changes nothing.
func Probe(dir string) (exists bool, err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, probeParent(dir)
	case err != nil:
		return false, fmt.Errorf("checking storage folder %q: %w", dir, err)
	case !info.IsDir():
		return false, fmt.Errorf("storage folder %q is a file", dir)
	}
	if err := checkLock(filepath.Join(dir, lockName)); err != nil {
		return true, fmt.Errorf("locking storage folder %q: %w", dir, err)
	}
	if err := probeLock(filepath.Join(dir, lockName)); err != nil {
		return true, fmt.Errorf("storage folder %q is %w", dir, err)
	}
	return true, probeWrite(dir)
}

// Peek returns what Load would return for an operation, and the path of its file. It needs no
// lock and changes nothing, so it can run beside an exporter: a state file is replaced
// atomically.
func Peek(dir, operation string) (state []byte, path string, err error) {
	file := (&Folder{dir: dir, sys: osFiles}).File(operation)
	state, err = file.load()
	return state, file.path, err
}

// probeParent returns an error if a folder cannot be created because its nearest existing
// parent is not writable.
func probeParent(dir string) error {
	for child := filepath.Clean(dir); ; {
		parent := filepath.Dir(child)
		if _, err := os.Stat(parent); err == nil || parent == child {
			return probeWrite(parent)
		}
		child = parent
	}
}

// probeLock returns ErrInUse if another process holds the lock. It holds a shared lock for an
// instant. A process that starts in that instant gets ErrInUse.
func probeLock(path string) error {
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return lockError(err)
	case !free:
		return ErrInUse
	}
	return lock.Close()
}

// probeWrite creates a file and removes it. If the process is killed in between, the next
// Open removes the file as a leftover.
func probeWrite(dir string) error {
	file, err := os.CreateTemp(dir, "probe"+suffix+unsaved+"*")
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		err = failure.Err // The name of the temporary file is of no use to the user.
	}
	if err != nil {
		return fmt.Errorf("writing to %q: %w", dir, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
