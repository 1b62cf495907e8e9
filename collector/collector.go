// Package collector shows the figures of operations as Prometheus metrics.
//
// [Collector] reads what the pollers have published, at each scrape; it keeps no
// figures of its own. [APIMetrics] and [MeasureSaves] are for events that happen
// outside the book, and are ordinary metrics.
package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller" //nolint:depguard // Only what it publishes.
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Source gives what an operation shows now. It is asked once per scrape, by
// several at a time.
type Source interface {
	Snapshot() poller.Snapshot
}

// Operation is an operation to show.
type Operation struct {
	Name   string // value of the label operation
	Source Source
}

// Options change what is shown. The zero value holds nothing back and shows
// classic buckets only.
type Options struct {
	// ZeroHold is how long a label set, or an agent, is shown at 0 from its first chat on,
	// unless that was in the very first poll: increase() does not see the
	// value that a series begins with.
	ZeroHold time.Duration
	// NativeHistograms adds native histograms to the classic buckets.
	NativeHistograms bool
}

// Collector shows the chats of operations, and how polling goes.
type Collector struct {
	operations []operation
	options    Options
	started    *timestamppb.Timestamp
}

// operation is an Operation with the labels that never change.
type operation struct {
	source Source
	name   *dto.LabelPair
	labels []*dto.LabelPair

	withPoll, withReconcile []*dto.LabelPair
	withOutcome             [ledger.Outcomes][]*dto.LabelPair
	withField               [wolkvox.AllFields][]*dto.LabelPair
}

// New makes a collector of operations, whose names differ.
func New(operations []Operation, options Options) *Collector {
	c := &Collector{options: options, started: timestamppb.Now()}
	for _, o := range operations {
		c.operations = append(c.operations, newOperation(o))
	}
	return c
}

func newOperation(o Operation) operation {
	name := label("operation", o.Name)
	made := operation{
		source:        o.Source,
		name:          name,
		labels:        []*dto.LabelPair{name},
		withPoll:      []*dto.LabelPair{label("kind", "poll"), name},
		withReconcile: []*dto.LabelPair{label("kind", "reconcile"), name},
	}
	for outcome := range ledger.Outcome(ledger.Outcomes) {
		made.withOutcome[outcome] = []*dto.LabelPair{name, label("outcome", outcome.String())}
	}
	for field := range wolkvox.Field(wolkvox.AllFields) {
		made.withField[field] = []*dto.LabelPair{label("field", field.String()), name}
	}
	return made
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for i := range c.operations {
		o := &c.operations[i]
		snapshot := o.source.Snapshot()
		c.collectStatus(ch, o, &snapshot.Status)
		collectQuota(ch, o, &snapshot.Status)
		// What a state that is not loaded yet holds is unknown, not 0.
		if snapshot.View == nil {
			continue
		}
		collectBook(ch, o, snapshot.View)
		collectRoutingPoints(ch, o, snapshot.Status.RoutingPoints, snapshot.View.LabelSets)
		for _, set := range snapshot.View.LabelSets {
			c.collectChats(ch, o, set, now)
		}
		for _, set := range snapshot.View.Agents {
			c.collectAgent(ch, o, set, now)
		}
	}
}
