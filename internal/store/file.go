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
	unsaved  = ".unsaved"  // not yet in its place
)

// errTooLarge is why a state is not saved.
var errTooLarge = errors.New("the state is more than would be loaded again")

// File is the state of one operation in a Folder, for one goroutine at a time.
type File struct {
	folder *Folder
	path   string
}

// Path is where the current generation is.
func (f *File) Path() string { return f.path }

// LoadError is why a state could not be loaded.
type LoadError struct {
	Path   string // of the state file
	Err    error
	Remedy string // what to do about it; empty if only Err can say
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

// Load returns what was saved last. The error is fs.ErrNotExist when nothing ever
// was: a first start. Every other error is a reason not to start, in one line that
// says what to do: ErrForeign, ErrCorrupt, ErrNewer, ErrMissing, not a regular file, too large, or
// unreadable. Errors of the file are a [*LoadError].
//
// After a failed Save it returns what was there before or what that Save tried to
// put there, and from then on never the older of the two.
func (f *File) Load() ([]byte, error) {
	// A Save that was killed or failed late may have put the file in place without
	// making that last: what is shown to the world from here on must not go back.
	if err := f.folder.sys.syncDir(f.folder.dir); err != nil {
		// Not wrapped: a folder that has vanished is no first start.
		return nil, fmt.Errorf("loading %q: flushing its folder: %s", f.path, err.Error())
	}
	return f.load()
}

// load is Load of a folder whose names are durable.
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
		return nil, &LoadError{f.path, err, hint(err)}
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

func hint(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "let the user that runs wolkvox_exporter own this file and its folder"
	}
	return ""
}

// remedy is for a current generation that is not to be used.
func (f *File) remedy() string {
	anew := fmt.Sprintf("to start anew, move %q away (only chats from now on are counted)", f.path+"*")
	file, err := f.folder.sys.read(f.path + previous)
	if err == nil {
		_, err = decode(file)
	}
	if err != nil {
		return "there is no usable previous generation beside it; " + anew
	}
	return fmt.Sprintf("to go back to the previous generation, rename %q to %q "+
		"(the counters fall back to that point and the chats since it are fetched again); %s", f.path+previous, f.path, anew)
}

// Save makes state the current generation and keeps the one before beside it.
// When it returns nil, state survives a power cut. When it returns an error, the
// file holds the generation before or already this one, whole in either case;
// the caller goes on from what it had, and saves again. A previous generation that
// cannot be kept is an error too, before the current one is touched: what hinders
// it would hinder the rest, and a net that is missing shows only on the day of the fall.
//
// Save does not look at what it replaces: Load first.
func (f *File) Save(state []byte) error {
	if err := f.save(state); err != nil {
		// Best effort, here and below: the next Save and the next Open try again.
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
	if size := overhead + len(state); size > maxFile {
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", errTooLarge, size, maxFile)
	}
	// First what fails when the disk is full: both generations are untouched then.
	if err := sys.write(f.path+unsaved, encode(state)); err != nil {
		return err
	}
	// The current name must last before a second name for it can: after a power cut,
	// a previous generation without a current one would look like a deleted state.
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

// keepPrevious gives the current generation the previous one's name too, so that
// it is never without the name by which Load finds it.
func (f *File) keepPrevious() error {
	sys, kept := f.folder.sys, f.path+previous+unsaved
	err := sys.link(f.path, kept)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a file system without hard links, or the name is taken
		var current []byte
		if current, err = sys.read(f.path); err == nil {
			err = sys.write(kept, bytes.NewReader(current))
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first Save
	}
	if err == nil {
		err = sys.replace(kept, f.path+previous)
	}
	// After a Save that stopped between its two renames both are names of one file:
	// rename(2) leaves them as they are.
	_ = sys.remove(kept)
	return err
}
