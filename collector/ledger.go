package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Options holds what is exported. With the zero value, there is no zero-hold and there are
// only classic buckets.
type Options struct {
	// ZeroHold is how long a label set or an agent is shown at 0 after its first chat,
	// unless that was in the first poll: increase() ignores the first value of a series.
	ZeroHold time.Duration
	// NativeHistograms adds native histograms to the classic buckets.
	NativeHistograms bool
	// OmitClassicBuckets leaves the classic buckets out. NativeHistograms must be set.
	OmitClassicBuckets bool
}

// LedgerSource has the metrics of an operation's ledger: its chats and agents, and the outcomes
// of the rows.
type LedgerSource struct {
	snapshot func() *status.Snapshot
	options  Options
}

// NewLedgerSource returns a source of the operation's newest snapshot.
func NewLedgerSource(snapshot func() *status.Snapshot, options Options) *LedgerSource {
	return &LedgerSource{snapshot, options}
}

// Version implements exposition.Source.
func (s *LedgerSource) Version() any { return s.snapshot().View }

// At implements exposition.Source. An operation whose state is not loaded has no metrics: its
// values are unknown, not 0.
func (s *LedgerSource) At(now time.Time) (metrics prometheus.Collector, until time.Time) {
	published := s.snapshot()
	view := published.View
	if view == nil {
		return collectFunc(func(chan<- prometheus.Metric) {}), time.Time{}
	}
	collect := func(ch chan<- prometheus.Metric) {
		collectCounts(ch, published.Operation, view)
		s.options.collectCounted(ch, published.Operation, view, now)
	}
	return collectFunc(collect), s.options.holdEnd(view, now)
}

// holdEnd returns when the next zero-hold ends, and so the metrics change. It is zero if
// nothing is held at 0.
func (options *Options) holdEnd(v *ledger.View, now time.Time) (next time.Time) {
	update := func(o *ledger.Origin) {
		end := o.Born.Add(options.ZeroHold)
		if options.isHeld(o, now) && (next.IsZero() || end.Before(next)) {
			next = end
		}
	}
	for _, set := range v.LabelSets {
		update(&set.Origin)
	}
	for _, agent := range v.Agents {
		update(&agent.Origin)
	}
	return next
}

// isHeld reports whether a label set or an agent is shown at 0. It can be born after now: a
// snapshot is published at any time.
func (options *Options) isHeld(o *ledger.Origin, now time.Time) bool {
	return options.ZeroHold > 0 && !o.Initial && now.Sub(o.Born) < options.ZeroHold
}

// collectCounted collects the chats, and the agents if they are counted.
func (options *Options) collectCounted(ch chan<- prometheus.Metric, operation string, v *ledger.View, now time.Time) {
	for _, set := range v.LabelSets {
		options.collectChats(ch, operation, set, now)
	}
	for _, agent := range v.Agents {
		options.collectAgent(ch, operation, agent, now)
	}
}

// collectCounts collects the other counters of a ledger. They have no created timestamp: they
// outlive the process, and the time of their creation is not saved.
func collectCounts(ch chan<- prometheus.Metric, operation string, v *ledger.View) {
	for outcome, n := range v.Counts.Records {
		ch <- newCounter(records, float64(n), time.Time{}, operation, ledger.Outcome(outcome).String())
	}
	for field, n := range v.Counts.FieldErrors {
		ch <- newCounter(fieldErrors, float64(n), time.Time{}, operation, wolkvox.Field(field).String())
	}
	ch <- newCounter(lateRecords, float64(v.Counts.Late), time.Time{}, operation)
	ch <- newCounter(labelSetsOverflowed, float64(v.Counts.Overflowed), time.Time{}, operation)

	count := 0
	for _, set := range v.LabelSets {
		if set.Labels != ledger.Overflow {
			count++
		}
	}
	ch <- newGauge(labelSets, float64(count), operation)
	if !v.Progress.CompleteUntil.IsZero() {
		ch <- newGauge(completeUntil, timestamp(v.Progress.CompleteUntil), operation)
	}
}
