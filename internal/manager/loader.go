package manager

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
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
	logger  log.Logger

	failing  fault.Fault
	err      error                           // of the last attempt
	loaded   atomic.Pointer[loadedOperation] // nil until an attempt succeeds
	snapshot atomic.Pointer[status.Snapshot] // published until then
}

// loadedOperation is what a loader loads.
type loadedOperation struct {
	*poller.Poller
	metrics prometheus.Collector
}

// newLoader returns a loader that has tried once to load the operation, and the error of that.
func newLoader(m *Manager, target config.Target) (*loader, error) {
	l := &loader{manager: m, target: target, logger: log.With(m.options.Logger, "operation", target.Name)}
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
		p, metrics, err := l.manager.newPoller(l.target)
		if l.err = err; err == nil {
			l.loaded.Store(&loadedOperation{p, metrics})
			return
		}
	}
	now := time.Now()
	published := status.Snapshot{Operation: l.target.Name, Status: status.Status{
		NotLoaded:    ClassifyLoadError(l.err),
		Failure:      fault.OneLine(l.err),
		FailingSince: now,
		LastFailure:  status.LastFailure{At: now},
		NextPoll:     now.Add(l.retryInterval()),
	}}
	if before := l.snapshot.Load(); before != nil {
		published.Status.FailingSince = before.Status.FailingSince
	}
	l.snapshot.Store(&published)
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
		l.loaded.Load().Run(ctx)
	case <-ctx.Done():
	}
}

// Snapshot implements runner.
func (l *loader) Snapshot() status.Snapshot {
	if loaded := l.loaded.Load(); loaded != nil {
		return loaded.Snapshot()
	}
	return *l.snapshot.Load()
}

// Describe implements prometheus.Collector.
func (*loader) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (l *loader) Collect(ch chan<- prometheus.Metric) {
	if loaded := l.loaded.Load(); loaded != nil {
		loaded.metrics.Collect(ch)
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
