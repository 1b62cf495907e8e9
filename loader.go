package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// loader loads an operation and polls it. While it cannot be loaded, the loader shows
// why, and tries again at the interval of its polls.
type loader struct {
	*operations
	target config.Target
	logger log.Logger

	failing  fault.Fault
	err      error                           // of the newest try
	loaded   atomic.Pointer[loadedOperation] // nil until a try succeeds
	snapshot atomic.Pointer[poller.Snapshot] // what is shown until then
	standIn  prometheus.Collector
}

// loadedOperation is what a loader loads.
type loadedOperation struct {
	*poller.Poller
	metrics prometheus.Collector // those that are not of its book
}

// newLoader tries once, and returns the loader with or without an error.
func newLoader(o *operations, target config.Target) (*loader, error) {
	l := &loader{operations: o, target: target, logger: log.With(o.logger, "operation", target.Name)}
	l.standIn = collector.NewPolling(collector.Operation{Name: target.Name, Source: l})
	l.load()
	return l, l.err
}

// load tries to load the operation.
func (l *loader) load() {
	defer l.busy.begin(fmt.Sprintf("loading the state of operation %q", l.target.Name))()
	var loaded *loadedOperation
	l.err = nil
	if problem := l.target.Problem; problem != nil {
		l.err = problem
	} else {
		loaded, l.err = l.operation(l.target)
	}
	if l.err == nil {
		l.loaded.Store(loaded)
		return
	}
	now := time.Now()
	status := poller.Status{
		NotLoaded:    loadFailureOf(l.err),
		Failure:      oneLine(l.err),
		FailingSince: now,
		LastFailure:  poller.LastFailure{At: now},
		NextPoll:     now.Add(l.target.Operation.Poll.Interval.Duration),
	}
	if before := l.snapshot.Load(); before != nil {
		status.FailingSince = before.Status.FailingSince
	}
	l.snapshot.Store(&poller.Snapshot{Status: status})
}

// Run implements fleet.Runner. It spends no requests before it can be scraped.
func (l *loader) Run(ctx context.Context) {
	defer l.busy.begin(fmt.Sprintf("polling operation %q", l.target.Name))()
	for l.err != nil {
		l.failing.Begin(l.logger, "loading", l.err, "reason", l.Snapshot().Status.NotLoaded)
		select {
		case <-time.After(l.target.Operation.Poll.Interval.Duration):
		case <-ctx.Done():
			return
		}
		l.target.Reread()
		l.load()
	}
	l.failing.End(l.logger, "loading")
	select {
	case <-l.listening:
		l.loaded.Load().Run(ctx)
	case <-ctx.Done():
	}
}

// Snapshot implements fleet.Runner.
func (l *loader) Snapshot() poller.Snapshot {
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
		return
	}
	l.standIn.Collect(ch)
}

// loadFailureOf names the cause of an error.
func loadFailureOf(err error) poller.LoadFailure {
	if failure, ok := errors.AsType[*config.FileError](err); ok {
		if failure.Key == "token_file" {
			return poller.TokenFile
		}
		return poller.HTTPFile
	}
	for _, cause := range []struct {
		err    error
		reason poller.LoadFailure
	}{
		{store.ErrCorrupt, poller.StateCorrupt},
		{ledger.ErrCorrupt, poller.StateCorrupt},
		{store.ErrForeign, poller.StateForeign},
		{store.ErrNewer, poller.StateNewer},
		{ledger.ErrNewer, poller.StateNewer},
		{ledger.ErrOlder, poller.StateOlder},
		{store.ErrMissing, poller.StateMissing},
	} {
		if errors.Is(err, cause.err) {
			return cause.reason
		}
	}
	return poller.StateUnreadable
}
