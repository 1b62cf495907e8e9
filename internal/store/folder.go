// Package store keeps the books of the operations on disk: one state per
// operation, opaque bytes here, so that what Save returned nil for is still
// there after a kill -9 or a power cut at any instant.
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

// ErrInUse says that another process has the storage folder.
var ErrInUse = errors.New("in use by another wolkvox_exporter")

// Folder is a storage folder, locked against every other process.
type Folder struct {
	dir  string
	lock *flock.Flock
	sys  files
}

// Open creates the folder if needed and locks it until Close or the end of the
// process, however it ends. Errors wrap ErrInUse when another process has it.
func Open(dir string) (*Folder, error) {
	return open(dir, osFiles)
}

func open(dir string, sys files) (*Folder, error) {
	if err := makeFolder(dir, sys); err != nil {
		return nil, fmt.Errorf("creating storage folder %q: %w", dir, err)
	}
	lock := flock.New(filepath.Join(dir, lockName))
	locked, err := false, checkLock(lock.Path())
	if err == nil {
		locked, err = lock.TryLock()
	}
	if err != nil {
		return nil, fmt.Errorf("locking storage folder %q: %w", dir, err)
	}
	if !locked {
		return nil, fmt.Errorf("storage folder %q is %w", dir, ErrInUse)
	}
	folder := &Folder{dir: dir, lock: lock, sys: sys}
	if err := folder.removeLeftovers(); err != nil {
		_ = folder.Close() // the first error is the one to mend
		return nil, fmt.Errorf("cleaning storage folder %q: %w", dir, err)
	}
	return folder, nil
}

const lockName = "lock"

// checkLock refuses what would block whoever opens it. A lock is made if there is
// none.
func checkLock(path string) error {
	if err := regular.Check(path, maxFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%q: %w", path, err)
	}
	return nil
}

// Close releases the lock. No File of the folder saves any more.
func (f *Folder) Close() error {
	if err := f.lock.Close(); err != nil {
		return fmt.Errorf("unlocking storage folder %q: %w", f.dir, err)
	}
	return nil
}

// File is the file of one operation's state.
func (f *Folder) File(operation string) *File {
	return &File{folder: f, path: filepath.Join(f.dir, safeName(operation)+suffix)}
}

// makeFolder makes the new folder itself durable: a power cut must not take it
// away with all that was saved in it. The parent of a folder that was already
// there is synced too, as whoever made it may have been killed before that.
func makeFolder(dir string, sys files) error {
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
		// A parent that we may not read is one where somebody else made our folder.
		if err := sys.syncDir(parent); err != nil && !errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("flushing %q: %w", parent, err)
		}
	}
	return nil
}

// leftover matches what a Save leaves when its process is killed: our own name
// for it, with the digits that os.CreateTemp appends while writing.
var leftover = regexp.MustCompile(`^[a-z0-9_.%~-]*\.state(\.previous)?\.unsaved[0-9]*$`)

func (f *Folder) removeLeftovers() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() && leftover.MatchString(entry.Name()) {
			// One that stays only takes room: no reason to refuse the start.
			_ = f.sys.remove(filepath.Join(f.dir, entry.Name()))
		}
	}
	return nil
}
