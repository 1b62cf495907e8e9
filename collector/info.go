package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// collectQuota shows the requests of the day, as far as the API says.
func collectQuota(ch chan<- prometheus.Metric, o *operation, s *status.Status) {
	if used := s.TokenInfo.Used; used != nil {
		ch <- &gauge{descs[tokenRequestsUsed], o.labels, *used}
	}
	if limit := s.TokenInfo.Limit; limit != nil {
		ch <- &gauge{descs[tokenRequestsLimit], o.labels, *limit}
	}
}

// collectRoutingPoints shows the names of the routing points that have chats.
// The API may list any number of others; these are bounded as the label sets are,
// which come sorted by them.
func collectRoutingPoints(ch chan<- prometheus.Metric, o *operation, names map[string]string, sets []ledger.LabelSet) {
	for i, set := range sets {
		name, known := names[set.RoutingPoint]
		if !known || i > 0 && sets[i-1].RoutingPoint == set.RoutingPoint {
			continue
		}
		labels := []*dto.LabelPair{o.name, label("rp_id", set.RoutingPoint), label("rp_name", name)}
		ch <- &gauge{descs[routingPointInfo], labels, 1}
	}
}
