// Package store keeps the states of operations on disk. A state is opaque bytes. Once Save
// has returned nil, the state survives a kill -9 or a power cut at any instant.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gofrs/flock"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// ErrInUse is the error of a storage folder that another process has locked.
var ErrInUse = errors.New("in use by another wolkvox_exporter")

// Folder is a storage folder. It is locked against other processes.
type Folder struct {
	dir  string
	lock *flock.Flock
	sys  fileSystem
}

// Open creates the folder if needed and locks it until Close or any end of the process. The
// error wraps [ErrInUse] if another process has locked it.
func Open(dir string) (*Folder, error) {
	return open(dir, osFiles)
}

func open(dir string, sys fileSystem) (*Folder, error) {
	if err := makeFolder(dir, sys); err != nil {
		return nil, fmt.Errorf("creating storage folder %q: %w", dir, err)
	}
	lock := flock.New(filepath.Join(dir, lockName))
	if err := checkLock(lock.Path()); err != nil {
		return nil, fmt.Errorf("locking storage folder %q: %w", dir, err)
	}
	switch locked, err := lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("storage folder %q is %w", dir, lockError(err))
	case !locked:
		return nil, fmt.Errorf("storage folder %q is %w", dir, ErrInUse)
	}
	folder := &Folder{dir: dir, lock: lock, sys: sys}
	if err := folder.removeLeftovers(); err != nil {
		_ = folder.Close() // The first error is the one to report.
		return nil, fmt.Errorf("cleaning storage folder %q: %w", dir, err)
	}
	return folder, nil
}

const lockName = "lock"

// checkLock returns an error if the lock exists and is not a regular file. Opening a pipe, for
// example, would block.
func checkLock(path string) error {
	if err := regular.Check(path, maxFileSize); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q: %w", path, err)
	}
	return nil
}

// Close releases the lock. After that, no File of the folder can be saved.
func (f *Folder) Close() error {
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("unlocking storage folder %q: %w", f.dir, err)
	}
	return nil
}

// File returns the file of an operation's state.
func (f *Folder) File(operation string) *File {
	return &File{folder: f, path: filepath.Join(f.dir, safeName(operation)+suffix)}
}

// makeFolder creates a folder and makes it durable, so that a power cut does not remove it
// with all saved states. It also syncs the parent of an existing folder, as the process that
// created it may have been killed before.
func makeFolder(dir string, sys fileSystem) error {
	var parents []string
	for child := filepath.Clean(dir); ; {
		parent := filepath.Dir(child)
		parents = append(parents, parent)
		if _, err := os.Stat(parent); err == nil || parent == child {
			break
		}
		child = parent
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, parent := range parents {
		// If we cannot read the parent, another user has created our folder.
		if err := sys.syncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("flushing %q: %w", parent, err)
		}
	}
	return nil
}

// leftover matches the names of files that a killed Save leaves, with the digits that
// os.CreateTemp appends.
var leftover = regexp.MustCompile(`^[a-z0-9_.%~-]*\.state(\.previous)?\.unsaved[0-9]*$`)

func (f *Folder) removeLeftovers() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && leftover.MatchString(entry.Name()) {
			// The error is ignored: a leftover only takes space.
			_ = f.sys.remove(filepath.Join(f.dir, entry.Name()))
		}
	}
	return nil
}
