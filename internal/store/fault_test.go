package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// fault replaces a call of the file system.
type fault struct {
	name  string
	err   error
	apply func(do func() error) error
}

// failBefore fails without doing anything.
func failBefore(err error) fault {
	return fault{fmt.Sprintf("fails with %q", err), err, func(func() error) error { return err }}
}

// failAfter fails after the call was done, as after a failed sync or a lost reply.
func failAfter(err error) fault {
	return fault{fmt.Sprintf("is done and fails with %q", err), err, func(do func() error) error {
		if doErr := do(); doErr != nil {
			return doErr
		}
		return err
	}}
}

// faultyDisk is the real disk with a fault at call number at.
type faultyDisk struct {
	fault
	calls, at int
}

func (f *faultyDisk) call(do func() error) error {
	if f.calls++; f.calls == f.at {
		return f.apply(do)
	}
	return do()
}

func (f *faultyDisk) files() fileSystem {
	return fileSystem{
		read: func(name string) (content []byte, err error) {
			err = f.call(func() error { content, err = os.ReadFile(name); return err })
			return content, err
		},
		write: func(name string, content io.Reader) error {
			err := f.call(func() error { return osFiles.write(name, content) })
			if err != nil { // a short write whose file is not removed
				whole, _ := io.ReadAll(content)
				_ = os.WriteFile(name+"123", whole[:len(whole)/2], 0o600)
			}
			return err
		},
		link:    func(from, to string) error { return f.call(func() error { return os.Link(from, to) }) },
		replace: func(from, to string) error { return f.call(func() error { return osFiles.replace(from, to) }) },
		remove:  func(name string) error { return f.call(func() error { return os.Remove(name) }) },
		syncDir: func(dir string) error { return f.call(func() error { return syncDir(dir) }) },
	}
}

func TestFile_HasOldOrNewStateAfterAnyFailedCall(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EACCES, syscall.EIO, io.ErrShortWrite} {
		for _, fault := range []fault{failBefore(err), failAfter(err)} {
			for saved := range 3 { // number of generations before the fault
				failed := 0
				for at, reached := 1, true; reached; at++ {
					var err error
					if reached, err = faultySave(t, fault, saved, at); err != nil {
						failed++
					}
				}
				// A failure of the write, of the two syncs or of a rename must be reported.
				if want := 4; failed < want {
					t.Errorf("a call that %s, after %d saves: have %d failed saves, want at least %d", fault.name, saved, failed, want)
				}
			}
		}
	}
}

// generation returns a state that is longer than the envelope.
func generation(n int) string { return strings.Repeat(fmt.Sprint(n), 100) }

// faultySave saves a number of times, then once with a fault at call number at, and once
// more. It reports whether there was such a call, and returns the error of that save.
func faultySave(t *testing.T, met fault, saved, at int) (reached bool, err error) {
	t.Helper()
	what := fmt.Sprintf("call %d after %d saves %s", at, saved, met.name)
	dir, disk := t.TempDir(), &faultyDisk{fault: met}
	folder := mustOpen(t, dir, disk.files())
	file := folder.File("wv0042")
	for n := range saved {
		mustSave(t, file, generation(n))
	}
	before, attempted := generation(saved-1), generation(saved)
	disk.calls, disk.at = 0, at
	err = file.Save([]byte(attempted))
	reached = disk.calls >= at
	disk.at = 0
	have, loadErr := file.Load()
	switch {
	case err == nil && loadErr == nil && string(have) == attempted:
	case err == nil:
		t.Errorf("%s: Save says nil, Load %q, %v", what, have, loadErr)
	case !strings.Contains(err.Error(), met.err.Error()):
		t.Errorf("%s: have %v", what, err)
	case saved == 0 && errors.Is(loadErr, fs.ErrNotExist):
	case loadErr == nil && (string(have) == before || string(have) == attempted):
	default:
		t.Errorf("%s: have %q, %v", what, have, loadErr)
	}
	if _, statErr := os.Stat(file.Path() + ".unsaved"); err != nil && statErr == nil {
		t.Errorf("%s: what was not saved takes room", what)
	}
	// The next save succeeds.
	mustSave(t, file, "next")
	mustLoad(t, file, "next")
	if _, err := os.Stat(file.Path() + ".previous.unsaved"); err == nil {
		t.Errorf("%s: a second previous generation takes room", what)
	}
	_ = folder.Close()
	mustLoad(t, mustOpen(t, dir, osFiles).File("wv0042"), "next")
	left := slices.DeleteFunc(names(t, dir), func(name string) bool {
		return slices.Contains([]string{"lock", "wv0042.state", "wv0042.state.previous"}, name)
	})
	if len(left) > 0 {
		t.Errorf("%s: left %q", what, left)
	}
	if previous, err := os.ReadFile(file.Path() + ".previous"); err == nil {
		if _, err := decode(previous); err != nil {
			t.Errorf("%s: previous generation: %v", what, err)
		}
	} else if saved > 0 {
		t.Errorf("%s: %v", what, err)
	}
	return reached, err
}

func TestFile_SaveFailsWithoutPreviousGeneration(t *testing.T) {
	file := mustOpen(t, t.TempDir(), osFiles).File("wv0042")
	mustSave(t, file, "1")
	if err := os.Mkdir(file.Path()+".previous", 0o700); err != nil {
		t.Fatal(err)
	}
	mustSay(t, file.Save([]byte("2")), fmt.Sprintf("saving %q: keeping the previous generation", file.Path()))
	mustLoad(t, file, "1")
}

func TestFile_KeepsBothGenerationsOnFullDisk(t *testing.T) {
	full := false
	sys := osFiles
	sys.write = func(name string, content io.Reader) error {
		if full {
			content = io.MultiReader(io.LimitReader(content, 30), brokenReader{})
		}
		return osFiles.write(name, content)
	}
	dir := t.TempDir()
	file := mustOpen(t, dir, sys).File("wv0042")
	mustSave(t, file, "1")
	mustSave(t, file, "2")
	full = true
	for range 3 {
		if err := file.Save(bytes.Repeat([]byte("3"), 1000)); err == nil {
			t.Fatal("have no error")
		}
	}
	mustBe(t, file.Path(), "2")
	mustBe(t, file.Path()+".previous", "1")
	if have := len(names(t, dir)); have != 3 {
		t.Errorf("have %q, want no leftovers", names(t, dir))
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, syscall.ENOSPC }
