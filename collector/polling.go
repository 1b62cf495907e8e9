package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// PollingSource has the metrics of the polling of an operation: its status, its requests and
// its saves, and the names of its routing points.
type PollingSource struct {
	snapshot func() *status.Snapshot
	requests *APIMetrics
	saves    *SaveMetrics
}

// NewPollingSource returns a source of the operation's newest snapshot, and of its requests and
// saves.
func NewPollingSource(snapshot func() *status.Snapshot, requests *APIMetrics, saves *SaveMetrics) *PollingSource {
	return &PollingSource{snapshot, requests, saves}
}

// pollingVersion changes with each publication, request and save.
type pollingVersion struct {
	snapshot        *status.Snapshot
	requests, saves uint64
}

// Version implements exposition.Source.
func (p *PollingSource) Version() any {
	return pollingVersion{p.snapshot(), p.requests.version(), p.saves.version()}
}

// At implements exposition.Source.
func (p *PollingSource) At(now time.Time) (metrics prometheus.Collector, until time.Time) {
	s := p.snapshot()
	if s.Status.IsUp(now) {
		until = s.Status.StuckAfter
	}
	return collectFunc(func(ch chan<- prometheus.Metric) {
		ch <- newGauge(up, boolValue(s.Status.IsUp(now)), s.Operation)
		if reason := s.Status.NotLoaded; reason != "" {
			ch <- newGauge(notLoaded, 1, s.Operation, string(reason))
			return
		}
		collectStatus(ch, s.Operation, &s.Status)
		collectQuota(ch, s.Operation, &s.Status)
		collectRoutingPoints(ch, s.Operation, s.Status.RoutingPoints, s.View.LabelSets)
		p.requests.collect(ch, s.Operation)
		p.saves.collect(ch, s.Operation)
	}), until
}

// collectStatus collects the status of polling. All values but the last reconcile begin with
// the process.
func collectStatus(ch chan<- prometheus.Metric, operation string, s *status.Status) {
	// Absent, not 0, before the first one: 0 is 1970, so that an alert on the age would fire
	// at each start, or permanently if reconciling is disabled. wolkvox_up and
	// wolkvox_exporter_complete_until_timestamp_seconds show polls that never succeed.
	if !s.LastPoll.IsZero() {
		ch <- newGauge(lastSuccess, timestamp(s.LastPoll), operation, "poll")
	}
	if !s.LastReconcile.IsZero() {
		ch <- newGauge(lastSuccess, timestamp(s.LastReconcile), operation, "reconcile")
	}

	if !s.NewestEnd.IsZero() {
		ch <- newGauge(newestEnd, timestamp(s.NewestEnd), operation)
	}
	if s.ZoneProbed {
		ch <- newGauge(zoneBehind, s.ZoneBehind.Seconds(), operation)
	}

	// The first poll can increase these before the first scrape, so they have a created
	// timestamp.
	ch <- newCounter(truncatedWindows, float64(s.TruncatedWindows), s.Started, operation)
	ch <- newCounter(truncatedSeconds, float64(s.TruncatedSeconds), s.Started, operation)
	ch <- newCounter(unreadableSeconds, float64(s.UnreadableSeconds), s.Started, operation)
	ch <- newCounter(skippedSeconds, s.Skipped.Seconds(), s.Started, operation)
	for field, missing := range s.MissingKeys {
		ch <- newGauge(fieldMissing, boolValue(missing), operation, field.String())
	}
}

// collectQuota collects the numbers of requests of the day that the API reports.
func collectQuota(ch chan<- prometheus.Metric, operation string, s *status.Status) {
	if used := s.TokenInfo.Used; used != nil {
		ch <- newGauge(tokenRequestsUsed, *used, operation)
	}
	if limit := s.TokenInfo.Limit; limit != nil {
		ch <- newGauge(tokenRequestsLimit, *limit, operation)
	}
}

// collectRoutingPoints collects the names of the routing points that have chats, whose number
// is limited like that of the label sets. The sets are sorted by routing point.
func collectRoutingPoints(ch chan<- prometheus.Metric, operation string, names map[string]string, sets []ledger.LabelSet) {
	for i, set := range sets {
		name, known := names[set.RoutingPoint]
		if !known || i > 0 && sets[i-1].RoutingPoint == set.RoutingPoint {
			continue
		}
		ch <- newGauge(routingPointInfo, 1, operation, set.RoutingPoint, name)
	}
}
