package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// runner runs an operation.
type runner interface {
	Run(ctx context.Context)
	Snapshot() *status.Snapshot
	Groups() []*exposition.Group
}

// member is an operation of a configuration.
type member struct {
	name string
	// settings holds all settings of the operation. If they are deeply equal to those of the
	// running operation, apply does not touch it.
	settings any
	// make loads the operation without starting it. If that fails, it returns an error and a
	// stand-in that keeps trying to load the operation.
	make func() (runner, error)
	// required makes apply fail, before anything has changed, if make does.
	required bool
}

// changes holds the sorted names of the operations that apply has changed. loaded holds those
// with the same settings that could not be loaded before.
type changes struct {
	added, changed, removed, loaded []string
}

// set runs operations concurrently. Its runners can be read at any time.
type set struct {
	ctx    context.Context // of all runners
	cancel context.CancelFunc

	mu      sync.Mutex // held while members change
	running map[string]*running

	published atomic.Pointer[[]runner] // sorted by name
}

// running is a member that runs.
type running struct {
	runner
	member member
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

func newRunning(m member) (*running, error) {
	made, err := m.make()
	return &running{runner: made, member: m, done: make(chan struct{})}, err
}

// isLoaded reports whether the runner is not a stand-in. One whose saved state was replaced by
// an older one is none: if it were made again, it would show the lower counts.
func (r *running) isLoaded() bool {
	notLoaded := r.Snapshot().Status.NotLoaded
	return notLoaded == "" || notLoaded == status.StateBehind
}

func (r *running) start(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	r.cancel = cancel
	go func() {
		defer close(r.done)
		r.Run(ctx)
	}()
}

// stop waits until the runner has ended: only then can another one use the store.
func (r *running) stop() {
	r.cancel()
	<-r.done
}

func newSet() *set {
	s := &set{running: map[string]*running{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.publish()
	return s
}

// apply runs members, which have different names, instead of the current ones. New members
// are made before anything changes. If a new member cannot be made, its stand-in runs, unless
// the member is required. A member with other settings is stopped and made again; if that
// fails, it runs with its previous settings, and apply returns an error. Stand-ins are made
// again. Once ctx is done, no further member is made.
func (s *set) apply(ctx context.Context, members []member) (changes, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var c changes
	if s.ctx.Err() != nil {
		return c, errors.New("the exporter is shutting down")
	}
	next := make(map[string]*running, len(members))
	for _, m := range members {
		if s.running[m.name] != nil {
			continue
		}
		if ctx.Err() != nil {
			return c, ctx.Err()
		}
		r, err := newRunning(m)
		if err != nil && m.required {
			return c, err
		}
		next[m.name] = r
	}
	var errs []error
	for _, m := range members {
		old := s.running[m.name]
		isSame := old != nil && reflect.DeepEqual(old.member.settings, m.settings)
		switch {
		case old == nil:
			next[m.name].start(s.ctx) //nolint:contextcheck // Operations live until the set is closed.
			c.added = append(c.added, m.name)
		case isSame && old.isLoaded():
			next[m.name] = old
		case ctx.Err() != nil:
			errs = append(errs, ctx.Err())
			next[m.name] = old
		default:
			r, err := s.replace(old, m)
			next[m.name] = r
			switch {
			case err != nil:
				errs = append(errs, err)
			case !isSame:
				c.changed = append(c.changed, m.name)
			case r.isLoaded():
				c.loaded = append(c.loaded, m.name)
			}
		}
	}
	for name, old := range s.running {
		if next[name] == nil {
			old.stop()
			c.removed = append(c.removed, name)
		}
	}
	s.running = next
	s.publish()
	for _, names := range [][]string{c.added, c.changed, c.removed, c.loaded} {
		slices.Sort(names)
	}
	return c, errors.Join(errs...)
}

// replace stops an operation and starts a member instead. Both have the same store, so the old
// one ends before the new one is made. If the new one cannot be made, the old member starts
// again and replace returns an error; if the old one cannot be made either, the stand-in of
// the new member starts.
func (s *set) replace(old *running, m member) (*running, error) {
	wasLoaded := old.isLoaded()
	old.stop()
	r, err := newRunning(m)
	if err != nil && wasLoaded {
		if restarted, restartErr := newRunning(old.member); restartErr == nil {
			restarted.start(s.ctx)
			return restarted, fmt.Errorf("operation %q keeps its previous settings: %w", m.name, err)
		}
	}
	r.start(s.ctx)
	return r, nil
}

func (s *set) publish() {
	names := make([]string, 0, len(s.running))
	for name := range s.running {
		names = append(names, name)
	}
	slices.SortFunc(names, cmp.Compare)
	runners := make([]runner, len(names))
	for i, name := range names {
		runners[i] = s.running[name].runner
	}
	s.published.Store(&runners)
}

// runners returns the current runners, sorted by name. The slice must not be changed.
func (s *set) runners() []runner { return *s.published.Load() }

// close ends all runners and waits for them, and for a call of apply under way. Later calls
// of apply fail.
func (s *set) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		<-r.done
	}
}
