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
	// Likewise, the loaded figures are shown this long after a start, before newer ones.
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

// Version implements exposition.Source. The counts that were loaded, and since when they are
// held, only matter once there are newer counts, and then there is a new view.
func (s *LedgerSource) Version() any { return s.snapshot().View }

// At implements exposition.Source. An operation whose state is not loaded has no metrics: its
// values are unknown, not 0.
func (s *LedgerSource) At(now time.Time) (metrics prometheus.Collector, until time.Time) {
	published := s.snapshot()
	if published.View == nil {
		return collectFunc(func(chan<- prometheus.Metric) {}), time.Time{}
	}
	collect := func(ch chan<- prometheus.Metric) {
		collectCounts(ch, published.Operation, published.View)
		s.options.collectCounted(ch, published, now)
	}
	return collectFunc(collect), s.options.heldUntil(published, now)
}

// collectCounted collects the chats, and the agents if they are counted.
func (options *Options) collectCounted(ch chan<- prometheus.Metric, s *status.Snapshot, now time.Time) {
	for _, set := range s.View.LabelSets {
		set.Tally, _ = options.shownLabelSet(s, set, now)
		options.collectChats(ch, s.Operation, set)
	}
	for _, agent := range s.View.Agents {
		tally, _ := options.shownAgent(s, agent, now)
		collectAgent(ch, s.Operation, agent, tally)
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
