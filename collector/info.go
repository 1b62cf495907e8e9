package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// collectQuota collects the numbers of requests of the day that the API reports.
func collectQuota(ch chan<- prometheus.Metric, o *operation, s *status.Status) {
	if used := s.TokenInfo.Used; used != nil {
		ch <- &gauge{descs[tokenRequestsUsed], o.labels, *used}
	}
	if limit := s.TokenInfo.Limit; limit != nil {
		ch <- &gauge{descs[tokenRequestsLimit], o.labels, *limit}
	}
}

// collectRoutingPoints collects the names of the routing points that have chats, whose number
// is limited like that of the label sets. The sets are sorted by routing point.
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
