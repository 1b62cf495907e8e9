package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller" //nolint:depguard // Only what it publishes.
)

// Polling shows how the polling of operations goes.
type Polling struct {
	operations []operation
	started    *timestamppb.Timestamp
}

// NewPolling makes a collector of operations, whose names differ.
func NewPolling(operations ...Operation) *Polling {
	p := &Polling{started: timestamppb.Now()}
	for _, o := range operations {
		p.operations = append(p.operations, newOperation(o))
	}
	return p
}

// Describe implements prometheus.Collector.
func (*Polling) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs[booked:] {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (p *Polling) Collect(ch chan<- prometheus.Metric) {
	for i := range p.operations {
		o := &p.operations[i]
		status := o.source.Snapshot().Status
		p.collectStatus(ch, o, &status)
		collectQuota(ch, o, &status)
	}
}

// collectStatus shows how polling goes. All but the last reconcile begins with the
// process.
func (p *Polling) collectStatus(ch chan<- prometheus.Metric, o *operation, s *poller.Status) {
	succeeded := 0.0
	if s.IsUp(time.Now()) {
		succeeded = 1
	}
	ch <- &gauge{descs[up], o.labels, succeeded}
	if s.NotLoaded != "" {
		ch <- &gauge{descs[notLoaded], []*dto.LabelPair{o.name, label("reason", string(s.NotLoaded))}, 1}
		return
	}

	// Absent, not 0, before the first one: 0 is 1970, and would trip a rule on
	// the age at each start, or for good where reconciling is off. A poll that never
	// succeeds shows in wolkvox_up and wolkvox_exporter_complete_until_timestamp_seconds.
	if !s.LastPoll.IsZero() {
		ch <- &gauge{descs[lastSuccess], o.withPoll, timestamp(s.LastPoll)}
	}
	if !s.LastReconcile.IsZero() {
		ch <- &gauge{descs[lastSuccess], o.withReconcile, timestamp(s.LastReconcile)}
	}

	if !s.NewestEnd.IsZero() {
		ch <- &gauge{descs[newestEnd], o.labels, timestamp(s.NewestEnd)}
	}

	// The first poll may raise these before anybody has seen them at 0.
	ch <- &counter{descs[truncatedWindows], o.labels, float64(s.TruncatedWindows), p.started}
	ch <- &counter{descs[truncatedSeconds], o.labels, float64(s.TruncatedSeconds), p.started}
	ch <- &counter{descs[unreadableSeconds], o.labels, float64(s.UnreadableSeconds), p.started}
	for field, missing := range s.MissingKeys {
		value := 0.0
		if missing {
			value = 1
		}
		ch <- &gauge{descs[fieldMissing], o.withField[field], value}
	}
	ch <- &counter{descs[skippedSeconds], o.labels, s.Skipped.Seconds(), p.started}
}

// timestamp is in seconds since the epoch, good to a millisecond.
func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
