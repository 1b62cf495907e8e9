package manager

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// loader loads an operation and polls it. While the operation cannot be loaded, the loader
// publishes the reason and tries again at the poll interval.
type loader struct {
	manager *Manager
	target  config.Target
	delay   time.Duration // before the first poll
	logger  log.Logger

	requests *collector.APIMetrics
	saves    *collector.SaveMetrics
	groups   []*exposition.Group

	failing  fault.Fault
	err      error                           // of the last attempt
	poller   atomic.Pointer[poller.Poller]   // nil until an attempt succeeds
	snapshot atomic.Pointer[status.Snapshot] // published until then
}

// newLoader returns a loader that has tried once to load the operation, and the error of that.
func newLoader(m *Manager, target config.Target, delay time.Duration) (*loader, error) {
	l := &loader{
		manager:  m,
		target:   target,
		delay:    delay,
		logger:   log.With(m.options.Logger, "operation", target.Name),
		requests: collector.NewAPIMetrics(),
		saves:    collector.NewSaveMetrics(),
	}
	l.groups = []*exposition.Group{
		exposition.NewGroup(collector.NewLedgerSource(l.Snapshot, m.options.Collector)),
		exposition.NewGroup(collector.NewPollingSource(l.Snapshot, l.requests, l.saves)),
	}
	l.load()
	return l, l.err
}

// load tries to load the operation.
func (l *loader) load() {
	defer l.manager.options.BeginTask(fmt.Sprintf("loading the state of operation %q", l.target.Name))()
	l.err = nil
	if problem := l.target.Problem; problem != nil {
		l.err = problem
	} else {
		p, err := l.manager.newPoller(l.target, l.requests, l.saves, l.encode)
		if l.err = err; err == nil {
			l.poller.Store(p)
			return
		}
	}
	now := time.Now()
	published := &status.Snapshot{Operation: l.target.Name, Zone: l.target.Zone, Status: status.Status{
		NotLoaded:    ClassifyLoadError(l.err),
		Failure:      fault.OneLine(l.err),
		FailingSince: now,
		LastFailure:  status.LastFailure{At: now},
		NextPoll:     now.Add(l.retryInterval()),
	}}
	if before := l.snapshot.Load(); before != nil {
		published.Status.FailingSince = before.Status.FailingSince
	}
	l.snapshot.Store(published)
}

// maxDatabaseRetry is the longest time until a database that was not available is asked again.
const maxDatabaseRetry = 10 * time.Second

// retryInterval returns how long after a failed attempt the next one follows.
func (l *loader) retryInterval() time.Duration {
	interval := l.target.Operation.Poll.Interval.Duration
	if errors.Is(l.err, postgres.ErrUnavailable) {
		return min(interval, maxDatabaseRetry)
	}
	return interval
}

// Run implements runner. It makes no request before the exporter can be scraped.
func (l *loader) Run(ctx context.Context) {
	defer l.manager.options.BeginTask(fmt.Sprintf("polling operation %q", l.target.Name))()
	for l.err != nil {
		l.failing.Begin(l.logger, "load", l.err, "reason", l.Snapshot().Status.NotLoaded)
		select {
		case <-time.After(l.retryInterval()):
		case <-ctx.Done():
			return
		}
		l.target.Reread()
		l.load()
	}
	l.failing.End(l.logger, "load")
	select {
	case <-l.manager.options.Listening:
	case <-ctx.Done():
		return
	}
	select {
	case <-time.After(l.delay):
		l.poller.Load().Run(ctx)
	case <-ctx.Done():
	}
}

// Snapshot implements runner.
func (l *loader) Snapshot() *status.Snapshot {
	if p := l.poller.Load(); p != nil {
		return p.Snapshot()
	}
	return l.snapshot.Load()
}

// Groups implements runner.
func (l *loader) Groups() []*exposition.Group { return l.groups }

// encode encodes what was published.
func (l *loader) encode() {
	for _, g := range l.groups {
		g.Encode()
	}
}

// ClassifyLoadError returns why an operation could not be loaded.
func ClassifyLoadError(err error) status.LoadFailure {
	if failure, ok := errors.AsType[*config.FileError](err); ok {
		if failure.Key == "token_file" {
			return status.TokenFile
		}
		return status.HTTPFile
	}
	for _, cause := range []struct {
		err    error
		reason status.LoadFailure
	}{
		{store.ErrCorrupt, status.StateCorrupt},
		{postgres.ErrCorrupt, status.StateCorrupt},
		{ledger.ErrCorrupt, status.StateCorrupt},
		{store.ErrForeign, status.StateForeign},
		{store.ErrNewer, status.StateNewer},
		{ledger.ErrNewer, status.StateNewer},
		{ledger.ErrOlder, status.StateOlder},
		{store.ErrMissing, status.StateMissing},
	} {
		if errors.Is(err, cause.err) {
			return cause.reason
		}
	}
	return status.StateUnreadable
}
