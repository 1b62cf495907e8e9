// Package fleet runs the operations of a configuration side by side, and puts
// another configuration in its place while it runs.
package fleet

import (
	"cmp"
	"context"
	"errors"
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
	// Make loads its book. What is made has not begun yet.
	Make func() (Runner, prometheus.Collector, error)
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
	if err != nil {
		return nil, err
	}
	return &running{Operation: Operation{m.Name, runner, metrics}, member: m, done: make(chan struct{})}, nil
}

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

// Apply makes members, whose names differ, the ones that run. Those that are new
// are made before anything changes, so that an error of theirs changes nothing. One
// with other settings is stopped and made anew; if that fails, it goes on with the
// settings it had. Once ctx is done, no further one is made.
func (f *Fleet) Apply(ctx context.Context, members []Member) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ctx.Err() != nil {
		return errors.New("it is about to end")
	}
	next := make(map[string]*running, len(members))
	for _, m := range members {
		if f.running[m.Name] != nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r, err := made(m)
		if err != nil {
			return err
		}
		next[m.Name] = r
	}
	var errs []error
	for _, m := range members {
		old := f.running[m.Name]
		switch {
		case old == nil:
			next[m.Name].start(f.ctx) //nolint:contextcheck // Operations live until the fleet's end.
		case reflect.DeepEqual(old.member.Settings, m.Settings):
			next[m.Name] = old
		case ctx.Err() != nil:
			errs = append(errs, ctx.Err())
			next[m.Name] = old
		default:
			r, err := f.replaced(old, m)
			errs = append(errs, err)
			if r != nil {
				next[m.Name] = r
			}
		}
	}
	for name, old := range f.running {
		if next[name] == nil {
			old.stop()
		}
	}
	f.running = next
	f.publish()
	return errors.Join(errs...)
}

// replaced starts a member in the place of one that runs, or that one again. Both
// have one store, so the one must end before the other can be made.
func (f *Fleet) replaced(old *running, m Member) (*running, error) {
	old.stop()
	r, err := made(m)
	if err != nil {
		var again error
		if r, again = made(old.member); again != nil {
			return nil, errors.Join(err, again)
		}
	}
	r.start(f.ctx)
	return r, err
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
