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

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// runner is an operation at work.
type runner interface {
	Run(ctx context.Context)
	Snapshot() status.Snapshot
	prometheus.Collector
}

// member is an operation as a configuration describes it.
type member struct {
	name string
	// settings are all that the operation is made of. An operation whose settings are
	// deeply equal to those that it runs with goes on undisturbed.
	settings any
	// make loads the operation, but does not start it. If it fails, it returns an error
	// and a stand-in, which goes on trying to load the operation.
	make func() (runner, error)
	// required makes apply fail, before anything has changed, if make does.
	required bool
}

// changes are the names of the operations that apply has changed, sorted. Loaded are
// those that could not be loaded before, and whose settings are the same.
type changes struct {
	added, changed, removed, loaded []string
}

// set runs operations side by side. Its runners can be read at any time.
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

// isLoaded reports whether it is not a stand-in.
func (r *running) isLoaded() bool { return r.Snapshot().Status.NotLoaded == "" }

func (r *running) start(parent context.Context) {
	ctx, cancel := context.WithCancel(parent)
	r.cancel = cancel
	go func() {
		defer close(r.done)
		r.Run(ctx)
	}()
}

// stop waits for the end: only then another operation can use the store.
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

// apply makes members, whose names differ, the ones that run. New ones are made before
// anything changes. A new one that cannot be made is replaced by its stand-in, unless it
// is required. A member with other settings is stopped and made again; if that fails, it
// goes on with its previous settings, and the error says so. A stand-in is made again.
// Once ctx is done, no further member is made.
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

// replace stops an operation and starts a member in its place. Both have the same store,
// so the old one ends before the new one is made. If the new one cannot be made, the old
// member starts again, and the error says so; if that cannot be made either, the new
// member's stand-in starts.
func (s *set) replace(old *running, m member) (*running, error) {
	wasLoaded := old.isLoaded()
	old.stop()
	r, err := newRunning(m)
	if err != nil && wasLoaded {
		if restarted, restartErr := newRunning(old.member); restartErr == nil {
			restarted.start(s.ctx)
			return restarted, fmt.Errorf("operation %q goes on with the settings it had: %w", m.name, err)
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

// runners returns those that run now, sorted by name. The slice must not be changed.
func (s *set) runners() []runner { return *s.published.Load() }

// close ends all runners and waits for them, and for an apply that is under way. Later
// calls of apply fail.
func (s *set) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.running {
		<-r.done
	}
}
