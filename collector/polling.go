package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// PollingCollector collects the state of the polling of operations.
type PollingCollector struct{ snapshots func() []status.Snapshot }

// NewPollingCollector returns a collector of the operations that snapshots returns at a
// scrape. Their names differ.
func NewPollingCollector(snapshots func() []status.Snapshot) *PollingCollector {
	return &PollingCollector{snapshots}
}

// Describe implements prometheus.Collector.
func (*PollingCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs[ledgerFamilies:] {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *PollingCollector) Collect(ch chan<- prometheus.Metric) {
	now := time.Now()
	for _, s := range c.snapshots() {
		o := newOperation(s.Operation)
		collectStatus(ch, &o, &s.Status, now)
		collectQuota(ch, &o, &s.Status)
	}
}

// collectStatus collects the state of polling. All values but the last reconcile begin with
// the process.
func collectStatus(ch chan<- prometheus.Metric, o *operation, s *status.Status, now time.Time) {
	ch <- &gauge{descs[up], o.labels, boolValue(s.IsUp(now))}
	if s.NotLoaded != "" {
		ch <- &gauge{descs[notLoaded], []*dto.LabelPair{o.name, label("reason", string(s.NotLoaded))}, 1}
		return
	}

	// Absent, not 0, before the first one: 0 is 1970, so that an alert on the age would fire
	// at each start, or permanently if reconciling is disabled. wolkvox_up and
	// wolkvox_exporter_complete_until_timestamp_seconds show polls that never succeed.
	if !s.LastPoll.IsZero() {
		ch <- &gauge{descs[lastSuccess], []*dto.LabelPair{pollLabel, o.name}, timestamp(s.LastPoll)}
	}
	if !s.LastReconcile.IsZero() {
		ch <- &gauge{descs[lastSuccess], []*dto.LabelPair{reconcileLabel, o.name}, timestamp(s.LastReconcile)}
	}

	if !s.NewestEnd.IsZero() {
		ch <- &gauge{descs[newestEnd], o.labels, timestamp(s.NewestEnd)}
	}

	if s.ZoneProbed {
		ch <- &gauge{descs[zoneBehind], o.labels, s.ZoneBehind.Seconds()}
	}

	// The first poll can increase these before the first scrape.
	started := timestamppb.New(s.Started)
	ch <- &counter{descs[truncatedWindows], o.labels, float64(s.TruncatedWindows), started}
	ch <- &counter{descs[truncatedSeconds], o.labels, float64(s.TruncatedSeconds), started}
	ch <- &counter{descs[unreadableSeconds], o.labels, float64(s.UnreadableSeconds), started}
	for field, missing := range s.MissingKeys {
		ch <- &gauge{descs[fieldMissing], []*dto.LabelPair{fieldLabels[field], o.name}, boolValue(missing)}
	}
	ch <- &counter{descs[skippedSeconds], o.labels, s.Skipped.Seconds(), started}
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// timestamp returns the seconds since the epoch, with milliseconds.
func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
