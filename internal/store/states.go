package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// ErrNoState is the error of an operation that has no files in a folder.
var ErrNoState = errors.New("has no saved state")

// State describes the saved state of one operation.
type State struct {
	// Operation is the name of the operation, or that of its file if the name is too long.
	Operation string
	// Size is the size of the current generation in bytes. Saved is when it was written.
	// Both are zero if there is none.
	Size  int64
	Saved time.Time
	// Err is the error that Load would return.
	Err error
}

// List returns the states in a folder, sorted by operation. It needs no lock and changes
// nothing. decode returns an error for a state that cannot be used.
func List(dir string, decode func(state []byte) error) ([]State, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing storage folder: %w", err)
	}
	var names []string
	for _, entry := range entries {
		name, ok := strings.CutSuffix(strings.TrimSuffix(entry.Name(), previous), suffix)
		if ok && (hashedName.MatchString(name) || safeName(operationName(name)) == name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var states []State
	for _, name := range slices.Compact(names) {
		states = append(states, readState(dir, name, decode))
	}
	return states, nil
}

// readState returns the state with the given safeName.
func readState(dir, name string, decodeState func([]byte) error) State {
	s := State{Operation: operationName(name)}
	path := filepath.Join(dir, name+suffix)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.Err = ErrMissing
		return s
	}
	if err == nil {
		s.Size, s.Saved = info.Size(), info.ModTime()
		var content []byte
		if content, err = regular.ReadFile(path, maxFileSize); err == nil {
			content, err = decode(content)
		}
		if err == nil {
			err = decodeState(content)
		}
	}
	s.Err = err
	return s
}

// operationName returns the operation of a safeName, or the safeName itself if the name of the
// operation is too long.
func operationName(name string) string {
	if operation, err := url.PathUnescape(name); err == nil && !hashedName.MatchString(name) {
		return operation
	}
	return name
}

// hashedName matches the safeName of a name that is too long.
var hashedName = regexp.MustCompile(`^[a-z0-9_.%-]{32}~[0-9a-f]{64}$`)

// generations returns the existing files of an operation, in the order in which they can be
// removed: the current generation can be loaded without the previous one, but not the other
// way round.
func (f *Folder) generations(operation string) (paths []string, err error) {
	current := f.File(operation).Path()
	if hashedName.MatchString(operation) {
		current = filepath.Join(f.dir, operation+suffix) // as List returns it
	}
	for _, path := range []string{current + previous, current} {
		switch _, err := os.Lstat(path); {
		case err == nil:
			paths = append(paths, path)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return paths, nil
}

// Remove removes all files of an operation. The error wraps [ErrNoState] if there are none.
func (f *Folder) Remove(operation string) error {
	paths, err := f.generations(operation)
	if err == nil && len(paths) == 0 {
		return fmt.Errorf("operation %q %w in %q", operation, ErrNoState, f.dir)
	}
	for _, path := range paths {
		if err == nil {
			err = f.sys.remove(path)
		}
	}
	if err == nil {
		err = f.sys.syncDir(f.dir)
	}
	if err != nil {
		return fmt.Errorf("removing the state of operation %q: %w", operation, err)
	}
	return nil
}

// Rename renames all files of one operation to those of another, which must have none. The
// error wraps [ErrNoState] if the first has no files. If the process is killed during the
// rename, the state can be loaded under the old name.
func (f *Folder) Rename(from, to string) error {
	paths, err := f.generations(from)
	if err != nil {
		return fmt.Errorf("renaming the state of operation %q: %w", from, err)
	}
	if len(paths) == 0 {
		return fmt.Errorf("operation %q %w in %q", from, ErrNoState, f.dir)
	}
	taken, err := f.generations(to)
	if err != nil {
		return fmt.Errorf("renaming the state of operation %q: %w", from, err)
	}
	if len(taken) > 0 {
		return fmt.Errorf("operation %q has a saved state in %q: remove that first, or choose another name", to, f.dir)
	}
	target := f.File(to).Path()
	for i, path := range paths {
		renamed := target
		if strings.HasSuffix(path, previous) {
			renamed += previous
		}
		if err := f.sys.replace(path, renamed); err != nil {
			if i > 0 {
				_ = f.sys.replace(target+previous, paths[0]) // The first error is the one to report.
			}
			return fmt.Errorf("renaming the state of operation %q: %w", from, err)
		}
	}
	if err := f.sys.syncDir(f.dir); err != nil {
		return fmt.Errorf("renaming the state of operation %q: flushing its folder: %w", from, err)
	}
	return nil
}
