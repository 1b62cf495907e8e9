// Package poller decides when to ask the API for which window of time, brings
// every row to the book, and has the book saved before anybody sees it.
package poller

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"iter"
	"sync/atomic"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Report shows the chats of a window, and tells how far its clock was ahead of
// ours when it last did; ok is false as long as nobody knows. [wolkvox.Client] does.
type Report interface {
	Chats(ctx context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error]
	ClockSkew() (ahead time.Duration, ok bool)
	LastResponse() wolkvox.Response
}

// Store keeps a state. Load says [fs.ErrNotExist] before the first Save. What
// Save returned nil for is there after a crash.
type Store interface {
	Load() ([]byte, error)
	Save(state []byte) error
}

// Options tell a poller about its operation.
type Options struct {
	Operation string
	Zone      *time.Location // the operation's wall clock
	Logger    log.Logger

	Interval          time.Duration // between polls
	Overlap           time.Duration // read again before the last poll
	ReconcileInterval time.Duration // between reconciles; 0 = never
	ReconcileWindow   time.Duration // read again by a reconcile
	InitialWindow     time.Duration // counted at the very first start
	MaxCatchUp        time.Duration // the longest gap that is fetched
	Book              ledger.Options

	Timeout time.Duration // of a request

	Information           Information   // nil if neither is asked for
	RoutingPointsInterval time.Duration // between looks at the routing points; 0 = never
	TokenInfoInterval     time.Duration // between looks at the requests of the day; 0 = never
	ZoneProbeInterval     time.Duration // between probes of the zone; 0 = never

	// RoutingPoints are names by rp_id that go before the API's.
	RoutingPoints map[string]string
}

// round is a reconcile: it goes on where it failed. What it has read by then it
// has read since it began, so that is up to when it reconciles.
type round struct {
	began, from time.Time
}

const (
	// maxRetries is how many failed requests a run repeats at most.
	maxRetries = 10
	// maxExtra is how many requests there may be at once beyond those that the windows
	// need: to repeat those that failed, and to find out which seconds cannot be read, of
	// which one takes up to thirty. There is one more in each interval of polls.
	maxExtra = 180
	// maxBeside is the same of what reconciles ask for at and between gaps. There is one
	// more in each third interval.
	//
	// With intervals of 5 minutes both are 468 and 126 a day at most, beside some 370 that
	// an ordinary day takes: less than the 1,000 of one licence.
	maxBeside = 30
)

// Poller polls one operation. It is the one user of its token, its book and its
// store.
type Poller struct {
	options  Options
	report   Report
	store    Store
	logger   log.Logger
	book     *ledger.Book
	snapshot atomic.Pointer[status.Snapshot]

	// What follows belongs to the goroutine in Run.
	status      status.Status
	watchdog    *watchdog // nil before Run
	polling     fault.Fault
	reconciling fault.Fault
	// quietUntil is when the API may be asked again.
	quietUntil time.Time
	// extra is for requests beyond those that the windows need.
	extra allowance
	// beside is for what reconciles read at and between gaps.
	beside allowance
	// readUntil is up to when polls have read everything but gaps.
	readUntil time.Time
	// steppedAt is when the zone or the clock was last found to be another one.
	steppedAt time.Time
	// spoiled is why a window could not be read, of the newest that could not.
	spoiled error
	// probed is when the API was last asked for anything else while a fault lasted.
	probed time.Time
	// limit is how many rows a response can have.
	limit rowLimit
	// reach is how much time is asked for at once.
	reach time.Duration
	// round is the reconcile under way, if one has failed half-way.
	round round

	points, quota look
	midnight      time.Time // up to when the requests of the day are today's

	clocks, future, belated, extraTextSeen, noRows, overfullSeen warning
	// lacking is how many runs in a row brought rows without a documented key.
	lacking   map[wolkvox.Field]int
	newestEnd wolkvox.LocalTime // of all rows
	endAhead  time.Duration     // how far newestEnd was in the future, or 0

	zone zoneProbe
	// polled is up to when polls of this process have read. While the zone is behind, it
	// is later than what is complete.
	polled time.Time
}

// New loads the operation's book, or begins one. Nothing is asked of the API
// before [Poller.Run].
func New(report Report, store Store, options Options) (*Poller, error) {
	p := &Poller{
		options: options,
		report:  report,
		store:   store,
		logger:  log.With(options.Logger, "operation", options.Operation),
		reach:   maxPiece,
		extra:   allowance{max: maxExtra},
		lacking: map[wolkvox.Field]int{},
		beside:  allowance{max: maxBeside},
		spoiled: &wolkvox.Error{Result: wolkvox.Malformed},
		status:  status.Status{Started: time.Now(), RoutingPoints: options.RoutingPoints},
	}
	saved, err := store.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.book = ledger.New(options.Book)
	case err != nil:
		return nil, fmt.Errorf("loading the state of operation %q: %w", options.Operation, err)
	default:
		p.book, err = ledger.Unmarshal(saved, options.Book, time.Now())
		if err != nil {
			return nil, fmt.Errorf("loading the state of operation %q: %w", options.Operation, err)
		}
	}
	p.publish(p.book.View())
	return p, nil
}

// Snapshot is what to show now. It may be called by anybody.
func (p *Poller) Snapshot() status.Snapshot { return *p.snapshot.Load() }

func (p *Poller) publish(view *ledger.View) {
	if p.options.ReconcileInterval > 0 {
		p.status.LastReconcile = view.Progress.Reconciled
	}
	if p.watchdog != nil {
		// Until the next poll there is nothing to do.
		p.status.StuckAfter = later(time.Now(), p.status.NextPoll).Add(p.options.allowance())
		p.watchdog.extend(p.status.StuckAfter)
	}
	p.snapshot.Store(&status.Snapshot{Operation: p.options.Operation, View: view, Status: p.status})
}

// Run polls at once and then at every interval, until ctx is done. A request
// under way is cancelled then; what was not saved is fetched again by the next
// start.
func (p *Poller) Run(ctx context.Context) {
	p.watchdog = newWatchdog(p.logger, p.options.allowance())
	defer p.watchdog.stop()
	p.publish(p.snapshot.Load().View)
	for {
		p.poll(ctx)
		p.inform(ctx)
		next := nextTick(later(time.Now(), p.quietUntil), p.options.Interval, offset(p.options.Operation, p.options.Interval))
		p.status.NextPoll = next
		p.publish(p.snapshot.Load().View)
		if sleep(ctx, time.Until(next)) != nil {
			return
		}
	}
}

// offset spreads operations over the interval, each always at the same place.
func offset(operation string, interval time.Duration) time.Duration {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(operation))
	return time.Duration(hash.Sum64() % uint64(interval)) //nolint:gosec // Intervals are positive.
}

// nextTick is the first time after now that is an interval's multiple plus
// offset.
func nextTick(now time.Time, interval, offset time.Duration) time.Time {
	sinceTick := (now.UnixNano() - int64(offset)) % int64(interval)
	return now.Add(interval - time.Duration(sinceTick))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func orNone(result wolkvox.Result) string {
	if result == "" {
		return "none"
	}
	return string(result)
}

// resultOf is the API's part in an error: none in that of a disk.
func resultOf(err error) wolkvox.Result {
	if failure, ok := errors.AsType[*wolkvox.Error](err); ok {
		return failure.Result
	}
	return ""
}
