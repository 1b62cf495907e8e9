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

// ErrNoState says that a folder has nothing of an operation.
var ErrNoState = errors.New("has no saved state")

// State is what a folder has of one operation.
type State struct {
	// Operation is its name, or that of its file if the name was too long for it.
	Operation string
	// Size is that of the current generation in bytes, and Saved when that was written.
	// Both are zero if there is none.
	Size  int64
	Saved time.Time
	// Err is why it would not be loaded.
	Err error
}

// List returns the states in a folder by operation, and changes nothing: a process that
// has the folder goes on. decode returns an error for a state that cannot be used.
func List(dir string, decode func(state []byte) error) ([]State, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("listing storage folder: %w", err)
	}
	var names []string
	for _, entry := range entries {
		name, ok := strings.CutSuffix(strings.TrimSuffix(entry.Name(), previous), suffix)
		if ok && (hashed.MatchString(name) || safeName(operationOf(name)) == name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var states []State
	for _, name := range slices.Compact(names) {
		states = append(states, stateOf(dir, name, decode))
	}
	return states, nil
}

// stateOf returns what a folder has under a safeName.
func stateOf(dir, name string, decodeState func([]byte) error) State {
	s := State{Operation: operationOf(name)}
	path := filepath.Join(dir, name+suffix)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		s.Err = ErrMissing
		return s
	}
	if err == nil {
		s.Size, s.Saved = info.Size(), info.ModTime()
		var content []byte
		if content, err = regular.ReadFile(path, maxFile); err == nil {
			content, err = decode(content)
		}
		if err == nil {
			err = decodeState(content)
		}
	}
	s.Err = err
	return s
}

// operationOf is the inverse of safeName, as far as there is one.
func operationOf(name string) string {
	if operation, err := url.PathUnescape(name); err == nil && !hashed.MatchString(name) {
		return operation
	}
	return name
}

// hashed matches the safeName of a name that is too long.
var hashed = regexp.MustCompile(`^[a-z0-9_.%-]{32}~[0-9a-f]{64}$`)

// generations are the files of an operation, in the order in which they can be taken
// away: the current one alone can be loaded, the previous one alone cannot.
func (f *Folder) generations(operation string) (paths []string, err error) {
	current := f.File(operation).Path()
	if hashed.MatchString(operation) {
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

// Remove removes all that the folder has of an operation. Errors wrap ErrNoState if that
// is nothing.
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

// Rename gives all that the folder has of one operation to another, which must have
// nothing. Errors wrap ErrNoState if the one has nothing either. If it is killed half
// way, the state can be loaded under the old name.
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
