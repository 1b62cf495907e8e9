package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller" //nolint:depguard // Only what it publishes.
)

// collectStatus shows how polling goes. These figures begin with the process.
func (c *Collector) collectStatus(ch chan<- prometheus.Metric, o *operation, s *poller.Status) {
	succeeded := 0.0
	if s.Up {
		succeeded = 1
	}
	ch <- &gauge{descs[up], o.labels, succeeded}

	// Absent, not 0, before the first one: 0 is 1970, and would trip a rule on
	// the age at each restart, or for good where reconciling is off. What never
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
	ch <- &counter{descs[truncatedWindows], o.labels, float64(s.TruncatedWindows), c.started}
	ch <- &counter{descs[truncatedSeconds], o.labels, float64(s.TruncatedSeconds), c.started}
	ch <- &counter{descs[skippedSeconds], o.labels, s.Skipped.Seconds(), c.started}
}

// collectBook shows what the book says beside the chats themselves. It outlives
// the process, and does not know when it was begun.
func collectBook(ch chan<- prometheus.Metric, o *operation, v *ledger.View) {
	for outcome, labels := range o.withOutcome {
		ch <- &counter{desc: descs[records], labels: labels, value: float64(v.Counts.Records[outcome])}
	}
	for field, labels := range o.withField {
		ch <- &counter{desc: descs[fieldErrors], labels: labels, value: float64(v.Counts.FieldErrors[field])}
	}
	ch <- &counter{desc: descs[lateRecords], labels: o.labels, value: float64(v.Counts.Late)}
	ch <- &counter{desc: descs[labelSetsOverflowed], labels: o.labels, value: float64(v.Counts.Overflowed)}

	own := 0
	for _, set := range v.LabelSets {
		if set.Labels != ledger.Overflow {
			own++
		}
	}
	ch <- &gauge{descs[labelSets], o.labels, float64(own)}
	if !v.Progress.CompleteUntil.IsZero() {
		ch <- &gauge{descs[completeUntil], o.labels, timestamp(v.Progress.CompleteUntil)}
	}
}

// timestamp is in seconds since the epoch, good to a millisecond.
func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
