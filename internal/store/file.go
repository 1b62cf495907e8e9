package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

const (
	suffix   = ".state"
	previous = ".previous" // the generation before the current one
	unsaved  = ".unsaved"  // not yet renamed
)

// errTooLarge is the error of a state that Load would not read.
var errTooLarge = errors.New("the state is too large")

// File is the state of one operation in a [Folder]. It is for one goroutine at a time.
type File struct {
	folder *Folder
	path   string
}

// Path returns the path of the current generation.
func (f *File) Path() string { return f.path }

// LoadError is the error of a state that cannot be loaded.
type LoadError struct {
	Path   string // of the state file
	Err    error
	Remedy string // what to do; may be empty
}

// Error implements error, in one line.
func (e *LoadError) Error() string {
	text := fmt.Sprintf("loading %q: %s", e.Path, e.Err)
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}

// Unwrap returns Err.
func (e *LoadError) Unwrap() error { return e.Err }

// Load returns the state that was saved last. The error is [fs.ErrNotExist] if none was ever
// saved: this is the first start. After any other error the operation must not start. Errors
// of the file are a [*LoadError] that says what to do: [ErrForeign], [ErrCorrupt],
// [ErrNewer], [ErrMissing], not a regular file, too large, or unreadable.
//
// After a failed Save, Load returns the state before that Save or the one that it tried to
// save. Once it has returned the newer one, it never returns the older one again.
func (f *File) Load() ([]byte, error) {
	// A Save that was killed or failed late may have renamed the file without flushing the
	// folder. Once the state is shown, it must survive a power cut.
	if err := f.folder.sys.syncDir(f.folder.dir); err != nil {
		// Not wrapped: a missing folder is not a first start.
		return nil, fmt.Errorf("loading %q: flushing its folder: %s", f.path, err.Error())
	}
	return f.load()
}

// load is Load without flushing the folder.
func (f *File) load() ([]byte, error) {
	file, err := f.folder.sys.read(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := f.folder.sys.read(f.path + previous); !errors.Is(err, fs.ErrNotExist) {
			return nil, &LoadError{f.path, ErrMissing, f.remedy()}
		}
	}
	if errors.Is(err, regular.ErrNotRegular) || errors.Is(err, regular.ErrTooLarge) {
		return nil, &LoadError{f.path, err, f.remedy()}
	}
	if err != nil {
		return nil, &LoadError{f.path, err, errorRemedy(err)}
	}
	state, err := decode(file)
	if errors.Is(err, ErrNewer) {
		return nil, &LoadError{f.path, err, "run that newer version"}
	}
	if err != nil {
		return nil, &LoadError{f.path, err, f.remedy()}
	}
	return state, nil
}

// errorRemedy returns what to do after an error of the file system.
func errorRemedy(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "let the user that runs wolkvox_exporter own this file and its folder"
	}
	return ""
}

// remedy returns what to do if the current generation cannot be used.
func (f *File) remedy() string {
	startOver := fmt.Sprintf("to start over, move %q away (only chats from now on are counted)", f.path+"*")
	file, err := f.folder.sys.read(f.path + previous)
	if err == nil {
		_, err = decode(file)
	}
	if err != nil {
		return "there is no usable previous generation beside it; " + startOver
	}
	return fmt.Sprintf("to go back to the previous generation, rename %q to %q "+
		"(the counters fall back to that point and the chats since it are fetched again); %s", f.path+previous, f.path, startOver)
}

// Save makes state the current generation and keeps the one before as the previous one. Once
// it has returned nil, the state survives a power cut. After an error, the file holds either
// the generation before or the new one, undamaged; the caller can save again. Save also fails
// if it cannot keep the previous generation, before it changes the current one.
//
// Save does not check what it replaces: call Load first.
func (f *File) Save(state []byte) error {
	if err := f.save(state); err != nil {
		// The error is ignored: the next Save and the next Open try again.
		_ = f.folder.sys.remove(f.path + unsaved)
		return fmt.Errorf("saving %q: %w", f.path, err)
	}
	return nil
}

func (f *File) save(state []byte) error {
	sys := f.folder.sys
	if !f.folder.lock.Locked() {
		return fs.ErrClosed
	}
	if size := overhead + len(state); size > maxFileSize {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", errTooLarge, size, maxFileSize)
	}
	// This fails if the disk is full, so it comes before any change of the generations.
	if err := sys.write(f.path+unsaved, encode(state)); err != nil {
		return err
	}
	// The current name must be durable before its second name is: after a power cut, a
	// previous generation without a current one would look like a deleted state.
	if err := sys.syncDir(f.folder.dir); err != nil {
		return fmt.Errorf("flushing its folder: %w", err)
	}
	if err := f.keepPrevious(); err != nil {
		return fmt.Errorf("keeping the previous generation: %w", err)
	}
	if err := sys.replace(f.path+unsaved, f.path); err != nil {
		return err
	}
	if err := sys.syncDir(f.folder.dir); err != nil {
		return fmt.Errorf("flushing its folder: %w", err)
	}
	return nil
}

// keepPrevious makes the current generation the previous one too. The file of the current
// generation keeps its name, so that Load always finds it.
func (f *File) keepPrevious() error {
	sys, temporary := f.folder.sys, f.path+previous+unsaved
	err := sys.link(f.path, temporary)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // no hard links on this file system, or the name exists
		var current []byte
		if current, err = sys.read(f.path); err == nil {
			err = sys.write(temporary, bytes.NewReader(current))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first Save
	}
	if err == nil {
		err = sys.replace(temporary, f.path+previous)
	}
	// After a Save that stopped between its two renames, both names are those of one file,
	// and rename(2) changes nothing.
	_ = sys.remove(temporary)
	return err
}
