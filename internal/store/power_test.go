package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// disk is a model of a file system with fewer guarantees than any real one. After a power cut
// each name of an unsynced folder is any of the files that it was since the last sync,
// independent of the other names. Of unsynced content all, half, nothing or zeros remain.
type disk struct {
	inodes  []inode
	names   map[string]int
	maybe   map[string][]int // what a name may be after a power cut; absent for no file
	noLinks bool

	step    int
	trouble map[int]trouble
	off     bool
}

type inode struct {
	content []byte
	synced  bool
}

type trouble int

const (
	_       trouble = iota
	refuse          // the step fails and changes nothing
	mislead         // the step fails after its change
	cut             // the power is off from this step on

	absent = -1
	dir    = "data"
)

// mount returns the disk after a power cut.
func mount(files map[string]string, noLinks bool) *disk {
	d := &disk{names: map[string]int{}, maybe: map[string][]int{}, noLinks: noLinks}
	for name, content := range files {
		d.set(name, d.create())
		d.inodes[d.names[name]] = inode{content: []byte(content), synced: true}
	}
	d.settle()
	return d
}

func (d *disk) create() int {
	d.inodes = append(d.inodes, inode{})
	return len(d.inodes) - 1
}

func (d *disk) set(name string, to int) {
	if len(d.maybe[name]) == 0 {
		d.maybe[name] = []int{absent}
	}
	d.maybe[name] = append(d.maybe[name], to)
	d.names[name] = to
	if to == absent {
		delete(d.names, name)
	}
}

// settle makes the names durable.
func (d *disk) settle() {
	d.maybe = map[string][]int{}
	for name, at := range d.names {
		d.maybe[name] = []int{at}
	}
}

// do runs one step of the file system, and its trouble if it has one.
func (d *disk) do(effect func() error) error {
	d.step++
	switch {
	case d.off, d.trouble[d.step] == cut:
		d.off = true
		return errors.New("power cut")
	case d.trouble[d.step] == refuse:
		return syscall.EIO
	case d.trouble[d.step] == mislead:
		_ = effect()
		return syscall.EIO
	}
	return effect()
}

func (d *disk) read(name string) ([]byte, error) {
	at, ok := d.names[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return d.inodes[at].content, nil
}

func (d *disk) remove(name string) error {
	return d.do(func() error {
		if _, ok := d.names[name]; !ok {
			return fs.ErrNotExist
		}
		d.set(name, absent)
		return nil
	})
}

func (d *disk) link(from, to string) error {
	return d.do(func() error {
		at, ok := d.names[from]
		_, taken := d.names[to]
		switch {
		case d.noLinks:
			return syscall.EPERM
		case !ok:
			return fs.ErrNotExist
		case taken:
			return fs.ErrExist
		}
		d.set(to, at)
		return nil
	})
}

func (d *disk) replace(from, to string) error {
	return d.do(func() error {
		at, ok := d.names[from]
		if !ok {
			return fs.ErrNotExist
		}
		if there, ok := d.names[to]; !ok || there != at { // else: rename(2) does nothing
			d.set(to, at)
			d.set(from, absent)
		}
		return nil
	})
}

// write runs the steps of writeFile.
func (d *disk) write(name string, content io.Reader) (err error) {
	whole, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	temp, at := name+"123", d.create()
	if err := d.do(func() error { d.set(temp, at); return nil }); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = d.remove(temp)
		}
	}()
	for _, part := range [][]byte{whole[:len(whole)/2], whole[len(whole)/2:]} { // a short write is half
		write := func() error { d.inodes[at].content = append(d.inodes[at].content, part...); return nil }
		if err := d.do(write); err != nil {
			return err
		}
	}
	if err := d.do(func() error { d.inodes[at].synced = true; return nil }); err != nil {
		return err
	}
	return d.replace(temp, name)
}

func (d *disk) syncDir(string) error {
	return d.do(func() error { d.settle(); return nil })
}

func (d *disk) files() fileSystem {
	return fileSystem{d.read, d.write, d.link, d.replace, d.remove, d.syncDir}
}

// afterPowerCut returns all possible contents after the power cut, without leftovers.
func (d *disk) afterPowerCut() []map[string]string {
	worlds := []map[string]string{{}}
	for _, name := range slices.Sorted(maps.Keys(d.maybe)) {
		if leftover.MatchString(filepath.Base(name)) {
			continue
		}
		var next []map[string]string
		for _, at := range slices.Compact(slices.Sorted(slices.Values(d.maybe[name]))) {
			if at == absent {
				next = append(next, worlds...)
				continue
			}
			content := d.inodes[at].content
			left := [][]byte{content}
			if !d.inodes[at].synced {
				left = append(left, nil, content[:len(content)/2], make([]byte, len(content)))
			}
			for _, content := range left {
				for _, world := range worlds {
					world = maps.Clone(world)
					world[name] = string(content)
					next = append(next, world)
				}
			}
		}
		worlds = next
	}
	return worlds
}

func modelFile(t *testing.T, d *disk, lock *Folder) *File {
	t.Helper()
	folder := &Folder{dir: dir, lock: lock.lock, sys: d.files()}
	return folder.File("wv0042")
}

// world holds the files that a process finds at its start, and which states are correct: those
// from number acked to attempted. 0 is no state.
type world struct {
	files            map[string]string
	acked, attempted int
}

func (w world) key() string { return fmt.Sprint(w.files, w.acked, w.attempted) }

// load checks that the state can be loaded and is between acked and attempted.
func (w *world) load(file *File) error {
	state, err := file.Load()
	have := 0
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if _, err := fmt.Sscanf(string(state), "state %d", &have); err != nil {
			return fmt.Errorf("have %q", state)
		}
	}
	if have < w.acked || have > w.attempted {
		return fmt.Errorf("have state %d, want %d to %d", have, w.acked, w.attempted)
	}
	w.acked = have // published: no older state is correct from now on
	return nil
}

func (w *world) save(file *File, n int) {
	w.attempted = n
	if file.Save(fmt.Appendf(nil, "state %d", n)) == nil {
		w.acked = n
	}
}

// TestFile_SurvivesAnyPowerCut runs processes that end in a power cut, each with all possible
// contents that the one before can leave: a load, a save in which one step may fail, perhaps a
// load, and saves until the cut.
func TestFile_SurvivesAnyPowerCut(t *testing.T) {
	lock, rounds := mustOpen(t, t.TempDir(), osFiles), 2
	if os.Getenv("TORTURE") != "" {
		rounds = 3 // some seconds more; has found nothing that two do not
	}
	for _, noLinks := range []bool{false, true} {
		t.Run(fmt.Sprintf("no links %v", noLinks), func(t *testing.T) {
			t.Parallel()
			worlds, lives := map[string]world{"": {}}, 0
			for range rounds {
				next := map[string]world{}
				for _, start := range worlds {
					lives += oneLife(t, lock, start, noLinks, next)
				}
				worlds = next
			}
			t.Logf("%d lives, %d different disks at the end", lives, len(worlds))
		})
	}
}

func oneLife(t *testing.T, lock *Folder, start world, noLinks bool, ends map[string]world) (lives int) {
	t.Helper()
	for _, between := range []bool{false, true} {
		for _, fault := range []trouble{0, refuse, mislead} {
			for failing, faults := 1, true; faults; failing++ {
				firstCut := 1
				if fault != 0 {
					firstCut = failing + 1
				}
				for cutAt, cuts := firstCut, true; cuts; cutAt++ {
					d, end := mount(start.files, noLinks), start
					file := modelFile(t, d, lock)
					what := func() string {
						return fmt.Sprintf("start %q, fault %d at step %d, load between %v, cut at step %d",
							slices.Sorted(maps.Keys(start.files)), fault, failing, between, cutAt)
					}
					if err := end.load(file); err != nil {
						t.Fatalf("%s: first load: %v", what(), err)
					}
					d.step, d.trouble = 0, map[int]trouble{failing: fault}
					d.trouble[cutAt] = cut
					first := end.attempted + 1
					end.save(file, first)
					faults = fault != 0 && d.step >= failing
					if between && !d.off {
						before := d.step
						err := end.load(file)
						if inIt := before < failing && failing <= d.step; err != nil && !d.off && !inIt {
							t.Fatalf("%s: load between: %v", what(), err)
						}
						faults = fault != 0 && d.step >= failing
					}
					if !d.off {
						end.save(file, first+1)
					}
					cuts = d.off
					lives++
					for _, left := range d.afterPowerCut() {
						after := end
						after.files = left
						key := after.key()
						if _, seen := ends[key]; seen {
							continue
						}
						check := after
						if err := check.load(modelFile(t, mount(left, noLinks), lock)); err != nil {
							t.Fatalf("%s: %v", what(), err)
						}
						if file, ok := left[filepath.Join(dir, "wv0042.state.previous")]; ok {
							if _, err := decode([]byte(file)); err != nil {
								t.Fatalf("%s: previous generation: %v", what(), err)
							}
						}
						ends[key] = after
					}
				}
			}
		}
	}
	return lives
}

// The model must show that a missing sync loses a state.
func TestDisk_LosesUnsyncedChanges(t *testing.T) {
	d := mount(nil, false)
	name := filepath.Join(dir, "wv0042.state")
	if err := d.write(name, bytes.NewReader([]byte("1"))); err != nil {
		t.Fatal(err)
	}
	left := map[string]bool{}
	for _, world := range d.afterPowerCut() {
		left[world[name]] = true
	}
	if !left[""] || !left["1"] {
		t.Errorf("have %v, want the file there and not there", left)
	}
	if err := d.syncDir(dir); err != nil {
		t.Fatal(err)
	}
	if have := d.afterPowerCut(); len(have) != 1 || have[0][name] != "1" {
		t.Errorf("have %q, want the file", have)
	}
}
