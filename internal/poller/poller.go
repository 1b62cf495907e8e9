// Package poller decides when to read which window of the report. It counts each row in the
// ledger, and saves the ledger before it publishes it.
package poller

import (
	"context"
	"fmt"
	"hash/fnv"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Report lists the chats of windows. [wolkvox.Client] implements it.
type Report interface {
	reader.Report
	// ClockSkew returns how far the API's clock is ahead of ours; ok is false while that is
	// unknown.
	ClockSkew() (ahead time.Duration, ok bool)
}

// Options describe an operation and how it is polled.
type Options struct {
	Operation string
	Zone      *time.Location // the operation's wall clock
	Logger    log.Logger

	Interval          time.Duration // between polls
	Overlap           time.Duration // before the last poll that each poll reads again
	ReconcileInterval time.Duration // between reconciles; 0 = never
	ReconcileWindow   time.Duration // that a reconcile reads again
	InitialWindow     time.Duration // before the first start that is counted
	MaxCatchUp        time.Duration // longest time that a catch-up reads
	Ledger            ledger.Options

	// ZeroHold is how long the counts of the loaded state are published beside newer ones.
	ZeroHold time.Duration

	Timeout time.Duration // of a request

	Information           Information   // nil if neither of the next two is requested
	RoutingPointsInterval time.Duration // between requests for the routing points; 0 = never
	TokenInfoInterval     time.Duration // between requests for the day's request count; 0 = never
	ZoneProbeInterval     time.Duration // between probes of the zone; 0 = never

	// RoutingPoints holds names by rp_id that override the API's.
	RoutingPoints map[string]string

	// Published is called by [Poller.Run] after each new snapshot; it may be nil.
	Published func()
}

// Poller polls one operation. The operation's token, ledger and store have no other user.
type Poller struct {
	options  Options
	report   Report
	reader   *reader.Reader
	store    Store
	logger   log.Logger
	ledger   *ledger.Ledger
	snapshot atomic.Pointer[status.Snapshot]

	// The rest belongs to the goroutine in Run.
	status      status.Status
	shown       *ledger.View // the last one that was published
	unsure      bool         // the last save failed, so the saved state is not known
	loaded      *ledger.View // counts of the loaded state; nil after the zero-hold
	heldSince   time.Time    // when Run was called
	watchdog    *watchdog    // nil before Run
	polling     fault.Fault
	reconciling fault.Fault
	warnings    warnings
	info        infoTasks
	zone        zoneProbe
	keyMisses   map[wolkvox.Field]int // number of cycles in a row without a key

	cursor         reconcileCursor // of an incomplete reconcile
	clockChangedAt time.Time       // when a change of the zone or the clock was last noticed
	// polledUntil is the time up to which this process has polled. While the zone is
	// behind, the counts are not complete until then.
	polledUntil time.Time
}

// New loads the operation's ledger, or creates one. It makes no request before
// [Poller.Run].
func New(report Report, store Store, options Options) (*Poller, error) {
	p := &Poller{
		options:   options,
		report:    report,
		store:     store,
		logger:    log.With(options.Logger, "operation", options.Operation),
		keyMisses: map[wolkvox.Field]int{},
		status:    status.Status{Started: time.Now(), RoutingPoints: options.RoutingPoints},
	}
	p.reader = reader.New(report, reader.Options{Zone: options.Zone, Logger: p.logger, Interval: options.Interval, Timeout: options.Timeout})
	var isSaved bool
	var err error
	if p.ledger, isSaved, err = loadLedger(store, options.Ledger); err != nil {
		return nil, fmt.Errorf("loading the state of operation %q: %w", options.Operation, err)
	}
	if isSaved {
		p.loaded = p.ledger.View()
	}
	p.setSnapshot(p.ledger.View())
	return p, nil
}

// Snapshot returns what the poller has last published. It can be called by any goroutine.
func (p *Poller) Snapshot() *status.Snapshot { return p.snapshot.Load() }

func (p *Poller) publish(view *ledger.View) {
	p.setSnapshot(view)
	if p.options.Published != nil {
		p.options.Published()
	}
}

func (p *Poller) setSnapshot(view *ledger.View) {
	p.shown = view
	if p.options.ReconcileInterval > 0 {
		p.status.LastReconcile = view.Progress.Reconciled
	}
	counts := p.reader.Counts()
	p.status.TruncatedWindows, p.status.TruncatedSeconds, p.status.UnreadableSeconds = counts.TruncatedWindows, counts.TruncatedSeconds, counts.UnreadableSeconds
	if p.watchdog != nil {
		// Nothing is published before the next poll.
		p.status.StuckAfter = reader.Later(time.Now(), p.status.NextPoll).Add(p.options.stuckTimeout())
		p.watchdog.extend(p.status.StuckAfter)
	}
	if !p.heldSince.IsZero() && time.Since(p.heldSince) >= p.options.ZeroHold {
		p.loaded = nil // It keeps every count that has changed since in memory a second time.
	}
	published := &status.Snapshot{
		Operation: p.options.Operation,
		Zone:      p.options.Zone,
		View:      view,
		Loaded:    p.loaded,
		HeldSince: p.heldSince,
		Status:    p.status,
	}
	if p.status.NotLoaded != "" {
		published.View, published.Loaded = nil, nil
	}
	p.snapshot.Store(published)
}

// Run polls at once and then at every interval, until ctx is done. That cancels the current
// request. The next start reads again what was not saved.
func (p *Poller) Run(ctx context.Context) {
	p.heldSince = time.Now()
	p.watchdog = newWatchdog(p.logger, p.options.stuckTimeout())
	defer p.watchdog.stop()
	p.publish(p.shown)
	for {
		p.poll(ctx)
		p.refreshInfo(ctx)
		next := nextTick(reader.Later(time.Now(), p.reader.QuietUntil()), p.options.Interval, offset(p.options.Operation, p.options.Interval))
		p.status.NextPoll = next
		p.publish(p.shown)
		if reader.Sleep(ctx, time.Until(next)) != nil {
			return
		}
	}
}

// offset returns when in the interval an operation is polled. It is always the same for an
// operation, and spreads the polls of several.
func offset(operation string, interval time.Duration) time.Duration {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(operation))
	return time.Duration(hash.Sum64() % uint64(interval)) //nolint:gosec // Intervals are positive.
}

// nextTick returns the first time after now that is a multiple of the interval plus
// offset.
func nextTick(now time.Time, interval, offset time.Duration) time.Time {
	sinceTick := (now.UnixNano() - int64(offset)) % int64(interval)
	return now.Add(interval - time.Duration(sinceTick))
}
