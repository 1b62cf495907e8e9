// Package fleet runs the operations of a configuration side by side, and puts
// another configuration in its place while it runs.
package fleet

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

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
)

// Runner is an operation at work: a [poller.Poller].
type Runner interface {
	Run(ctx context.Context)
	Snapshot() poller.Snapshot
}

// Member is an operation as a configuration has it.
type Member struct {
	Name string
	// Settings are all that it is made of. One whose settings are deeply equal to
	// those that it runs with goes on undisturbed.
	Settings any
	// Make loads its book. What is made has not begun yet. Beside an error, it returns a
	// Runner that stands in for the operation, and goes on trying to load it.
	Make func() (Runner, prometheus.Collector, error)
	// Required has an error of Make end the Apply before anything has changed.
	Required bool
}

// Changes are what an Apply has changed, by name and sorted. Loaded are those that could
// not be loaded before, and whose settings are the same.
type Changes struct {
	Added, Changed, Removed, Loaded []string
}

// Operation is one that runs, as others may look at it.
type Operation struct {
	Name    string
	Runner  Runner
	Metrics prometheus.Collector
}

// Fleet is all that run. Its operations may be looked at by anybody at any time.
type Fleet struct {
	ctx    context.Context // of all that run
	cancel context.CancelFunc

	mu      sync.Mutex // held by whoever changes what runs
	running map[string]*running

	operations atomic.Pointer[[]Operation]
}

// running is a member that runs.
type running struct {
	Operation
	member Member
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

func made(m Member) (*running, error) {
	runner, metrics, err := m.Make()
	return &running{Operation: Operation{m.Name, runner, metrics}, member: m, done: make(chan struct{})}, err
}

// isLoaded reports whether it is no stand-in.
func (r *running) isLoaded() bool { return r.Runner.Snapshot().Status.NotLoaded == "" }

func (r *running) start(all context.Context) {
	ctx, cancel := context.WithCancel(all)
	r.cancel = cancel
	go func() {
		defer close(r.done)
		r.Runner.Run(ctx)
	}()
}

// stop waits for the end: only then its store is free for another.
func (r *running) stop() {
	r.cancel()
	<-r.done
}

// New is a fleet without operations.
func New() *Fleet {
	f := &Fleet{running: map[string]*running{}}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.publish()
	return f
}

// Apply makes members, whose names differ, the ones that run. New ones are made before
// anything changes. One that cannot be made is replaced by its stand-in, unless it is
// required. One with other settings is stopped and made again; if that fails, it goes on
// with the settings it had, and the error says so. One that is still not loaded is tried
// again. Once ctx is done, no further one is made.
func (f *Fleet) Apply(ctx context.Context, members []Member) (Changes, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var changes Changes
	if f.ctx.Err() != nil {
		return changes, errors.New("it is about to end")
	}
	next := make(map[string]*running, len(members))
	for _, m := range members {
		if f.running[m.Name] != nil {
			continue
		}
		if ctx.Err() != nil {
			return changes, ctx.Err()
		}
		r, err := made(m)
		if err != nil && m.Required {
			return changes, err
		}
		next[m.Name] = r
	}
	var errs []error
	for _, m := range members {
		old := f.running[m.Name]
		isSame := old != nil && reflect.DeepEqual(old.member.Settings, m.Settings)
		switch {
		case old == nil:
			next[m.Name].start(f.ctx) //nolint:contextcheck // Operations live until the fleet's end.
			changes.Added = append(changes.Added, m.Name)
		case isSame && old.isLoaded():
			next[m.Name] = old
		case ctx.Err() != nil:
			errs = append(errs, ctx.Err())
			next[m.Name] = old
		default:
			r, err := f.replaced(old, m)
			next[m.Name] = r
			switch {
			case err != nil:
				errs = append(errs, err)
			case !isSame:
				changes.Changed = append(changes.Changed, m.Name)
			case r.isLoaded():
				changes.Loaded = append(changes.Loaded, m.Name)
			}
		}
	}
	for name, old := range f.running {
		if next[name] == nil {
			old.stop()
			changes.Removed = append(changes.Removed, name)
		}
	}
	f.running = next
	f.publish()
	for _, names := range [][]string{changes.Added, changes.Changed, changes.Removed, changes.Loaded} {
		slices.Sort(names)
	}
	return changes, errors.Join(errs...)
}

// replaced starts a member in the place of one that runs. Both have one store, so the
// one must end before the other can be made. If the other cannot be made, the one goes
// on, and the error says so; where that cannot be loaded either, a stand-in takes the
// place.
func (f *Fleet) replaced(old *running, m Member) (*running, error) {
	wasLoaded := old.isLoaded()
	old.stop()
	r, err := made(m)
	if err != nil && wasLoaded {
		if again, againErr := made(old.member); againErr == nil {
			again.start(f.ctx)
			return again, fmt.Errorf("operation %q goes on with the settings it had: %w", m.Name, err)
		}
	}
	r.start(f.ctx)
	return r, nil
}

func (f *Fleet) publish() {
	operations := make([]Operation, 0, len(f.running))
	for _, r := range f.running {
		operations = append(operations, r.Operation)
	}
	slices.SortFunc(operations, func(a, b Operation) int { return cmp.Compare(a.Name, b.Name) })
	f.operations.Store(&operations)
}

// Operations are those that run now, by name. They are not to be changed.
func (f *Fleet) Operations() []Operation { return *f.operations.Load() }

// Describe implements prometheus.Collector. Which metrics there are depends on
// which operations run.
func (*Fleet) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f *Fleet) Collect(ch chan<- prometheus.Metric) {
	for _, o := range f.Operations() {
		o.Metrics.Collect(ch)
	}
}

// Close ends all and waits for them, and for an Apply that is under way. Nothing can
// be applied any more.
func (f *Fleet) Close() {
	f.cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.running {
		<-r.done
	}
}
