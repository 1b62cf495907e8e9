package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"testing"
)

// faulty is the real disk, where the call number at fails: before it did anything,
// or after it did all, which is what a failed sync or a lost answer looks like.
type faulty struct {
	calls, at int
	late      bool
	err       error
}

func (f *faulty) call(do func() error) error {
	f.calls++
	if f.calls != f.at {
		return do()
	}
	if f.late {
		if err := do(); err != nil {
			return err
		}
	}
	return f.err
}

func (f *faulty) files() files {
	return files{
		read: func(name string) (content []byte, err error) {
			err = f.call(func() error { content, err = os.ReadFile(name); return err })
			return content, err
		},
		write: func(name string, content io.Reader) error {
			err := f.call(func() error { return osFiles.write(name, content) })
			if err != nil { // what a short write leaves when its removal fails too
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

func TestAfterAnyFailedCallTheStateIsTheOldOrTheNew(t *testing.T) {
	for _, err := range []error{syscall.ENOSPC, syscall.EACCES, syscall.EIO, io.ErrShortWrite} {
		for _, late := range []bool{false, true} {
			for saved := range 3 { // how many generations there are before the fault
				failed := 0
				for at := 1; ; at++ {
					fault := &faulty{late: late, err: err}
					if !faultySave(t, fault, saved, at, &failed) {
						break
					}
				}
				// Write, two folder syncs and the renames cannot fail unseen.
				if want := 4; failed < want {
					t.Errorf("%v, late %v, after %d: have %d failed saves, want at least %d", err, late, saved, failed, want)
				}
			}
		}
	}
}

// faultySave says whether there was a call to fail.
func faultySave(t *testing.T, fault *faulty, saved, at int, failed *int) bool {
	t.Helper()
	what := fmt.Sprintf("call %d fails (%v, late %v) after %d saves", at, fault.err, fault.late, saved)
	dir := t.TempDir()
	folder := mustOpen(t, dir, fault.files())
	file := folder.File("wv0042")
	for n := range saved {
		mustSave(t, file, fmt.Sprint(n))
	}
	before, attempted := fmt.Sprint(saved-1), fmt.Sprint(saved)
	fault.calls, fault.at = 0, at
	err := file.Save([]byte(attempted))
	reached := fault.calls >= at
	fault.at = 0
	have, loadErr := file.Load()
	switch {
	case err == nil && loadErr == nil && string(have) == attempted:
	case err == nil:
		t.Errorf("%s: Save says nil, Load %q, %v", what, have, loadErr)
	case !errors.Is(err, fault.err):
		t.Errorf("%s: have %v", what, err)
	case saved == 0 && errors.Is(loadErr, fs.ErrNotExist):
		*failed++
	case loadErr == nil && (string(have) == before || string(have) == attempted):
		*failed++
	default:
		t.Errorf("%s: have %q, %v", what, have, loadErr)
	}
	if _, statErr := os.Stat(file.Path() + ".unsaved"); err != nil && statErr == nil {
		t.Errorf("%s: what was not saved takes room", what)
	}
	// And it goes on when the disk can.
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
	return reached
}

func TestASaveThatCannotKeepThePreviousGenerationFails(t *testing.T) {
	file := mustOpen(t, t.TempDir(), osFiles).File("wv0042")
	mustSave(t, file, "1")
	if err := os.Mkdir(file.Path()+".previous", 0o700); err != nil {
		t.Fatal(err)
	}
	mustSay(t, file.Save([]byte("2")), fmt.Sprintf("saving %q: keeping the previous generation", file.Path()))
	mustLoad(t, file, "1")
}

func TestAFullDiskCostsNeitherGeneration(t *testing.T) {
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
