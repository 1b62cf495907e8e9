package collector

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

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

// LedgerCollector collects the metrics of the ledgers of operations: their chats and agents, the
// names of their routing points, and the outcomes of the rows.
type LedgerCollector struct {
	snapshots func() []status.Snapshot
	options   Options
}

// NewLedgerCollector returns a collector of the operations that snapshots returns at a
// scrape. Their names differ.
func NewLedgerCollector(snapshots func() []status.Snapshot, options Options) *LedgerCollector {
	return &LedgerCollector{snapshots, options}
}

// Describe implements prometheus.Collector.
func (*LedgerCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs[:ledgerFamilies] {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *LedgerCollector) Collect(ch chan<- prometheus.Metric) { c.At(time.Now()).Collect(ch) }

// At returns the metrics at a time. An operation whose state is not loaded is omitted: its
// values are unknown, not 0.
func (c *LedgerCollector) At(now time.Time) *Collection {
	loaded := slices.DeleteFunc(slices.Clone(c.snapshots()), func(s status.Snapshot) bool { return s.View == nil })
	return &Collection{options: c.options, snapshots: loaded, now: now}
}

// Collection holds the metrics of a [LedgerCollector] at one time. It never changes.
type Collection struct {
	options   Options
	snapshots []status.Snapshot
	now       time.Time
}

// Describe implements prometheus.Collector.
func (*Collection) Describe(ch chan<- *prometheus.Desc) { (*LedgerCollector)(nil).Describe(ch) }

// Collect implements prometheus.Collector.
func (c *Collection) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.snapshots {
		o := newOperation(s.Operation)
		collectCounts(ch, &o, s.View)
		c.options.collectCounted(ch, &o, s.View, c.now)
		collectRoutingPoints(ch, &o, s.Status.RoutingPoints, s.View.LabelSets)
	}
}

// Equal reports whether another collection has the same metrics, until
// [Collection.ValidUntil] of both.
func (c *Collection) Equal(other prometheus.Collector) bool {
	o, ok := other.(*Collection)
	return ok && slices.EqualFunc(c.snapshots, o.snapshots, func(a, b status.Snapshot) bool {
		return a.Operation == b.Operation && a.View == b.View && maps.Equal(a.Status.RoutingPoints, b.Status.RoutingPoints)
	})
}

// ValidUntil returns when the next zero-hold ends, and so the metrics change. It is zero if
// nothing is held at 0.
func (c *Collection) ValidUntil() (next time.Time) {
	update := func(born time.Time, initial bool) {
		end := born.Add(c.options.ZeroHold)
		if c.options.isHeld(born, initial, c.now) && (next.IsZero() || end.Before(next)) {
			next = end
		}
	}
	for _, s := range c.snapshots {
		for _, set := range s.View.LabelSets {
			update(set.Born, set.Initial)
		}
		for _, agent := range s.View.Agents {
			update(agent.Born, agent.Initial)
		}
	}
	return next
}

// collectCounted collects the chats, and the agents if they are counted.
func (options *Options) collectCounted(ch chan<- prometheus.Metric, o *operation, v *ledger.View, now time.Time) {
	for _, set := range v.LabelSets {
		options.collectChats(ch, o, set, now)
	}
	for _, agent := range v.Agents {
		options.collectAgent(ch, o, agent, now)
	}
}

// isHeld reports whether a label set or agent that was born at a time is shown at 0. initial
// means that it was born in the first poll.
func (options *Options) isHeld(born time.Time, initial bool, now time.Time) bool {
	return !initial && now.Sub(born) < options.ZeroHold
}

// collectCounts collects the other counters of a ledger. They have no created timestamp: they
// outlive the process, and the time of their creation is not saved.
func collectCounts(ch chan<- prometheus.Metric, o *operation, v *ledger.View) {
	for outcome, pair := range outcomeLabels {
		ch <- &counter{desc: descs[records], labels: []*dto.LabelPair{o.name, pair}, value: float64(v.Counts.Records[outcome])}
	}
	for field, pair := range fieldLabels[:wolkvox.FieldCount] {
		ch <- &counter{desc: descs[fieldErrors], labels: []*dto.LabelPair{pair, o.name}, value: float64(v.Counts.FieldErrors[field])}
	}
	ch <- &counter{desc: descs[lateRecords], labels: o.labels, value: float64(v.Counts.Late)}
	ch <- &counter{desc: descs[labelSetsOverflowed], labels: o.labels, value: float64(v.Counts.Overflowed)}

	count := 0
	for _, set := range v.LabelSets {
		if set.Labels != ledger.Overflow {
			count++
		}
	}
	ch <- &gauge{descs[labelSets], o.labels, float64(count)}
	if !v.Progress.CompleteUntil.IsZero() {
		ch <- &gauge{descs[completeUntil], o.labels, timestamp(v.Progress.CompleteUntil)}
	}
}
