package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Look tells whether Open would have the folder, and leaves everything as it is.
// made tells whether the folder is there already. Errors wrap ErrInUse when another
// process has it.
func Look(dir string) (made bool, err error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, lookAbove(dir)
	case err != nil:
		return false, fmt.Errorf("looking at storage folder %q: %w", dir, err)
	case !info.IsDir():
		return false, fmt.Errorf("storage folder %q is a file", dir)
	}
	if err := checkLock(filepath.Join(dir, lockName)); err != nil {
		return true, fmt.Errorf("locking storage folder %q: %w", dir, err)
	}
	if err := lookAtLock(filepath.Join(dir, lockName)); err != nil {
		return true, fmt.Errorf("storage folder %q is %w", dir, err)
	}
	return true, tryToWrite(dir)
}

// Peek returns what Load would return of an operation, and the path of its file. It
// takes no lock and changes nothing, so that a running exporter is not disturbed: a
// state file is replaced in one step and is whole whenever it is read.
func Peek(dir, operation string) (state []byte, path string, err error) {
	file := (&Folder{dir: dir, sys: osFiles}).File(operation)
	state, err = file.load()
	return state, file.path, err
}

// lookAbove tells whether a folder can be made: whether the nearest one above
// that is there can be written to.
func lookAbove(dir string) error {
	for child := filepath.Clean(dir); ; {
		parent := filepath.Dir(child)
		if _, err := os.Stat(parent); err == nil || parent == child {
			return tryToWrite(parent)
		}
		child = parent
	}
}

// lookAtLock holds a shared lock for an instant; a process that starts in it is
// told that the folder is in use.
func lookAtLock(path string) error {
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := lock.TryRLock()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("of another user: %w", err)
	case !free:
		return ErrInUse
	}
	return lock.Close()
}

// tryToWrite makes a file and removes it. Should it be killed in between, the
// next Open takes the file for a leftover.
func tryToWrite(dir string) error {
	file, err := os.CreateTemp(dir, "look"+suffix+unsaved+"*")
	if failure, ok := errors.AsType[*fs.PathError](err); ok {
		err = failure.Err // The name of the file would only puzzle.
	}
	if err != nil {
		return fmt.Errorf("writing to %q: %w", dir, err)
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
