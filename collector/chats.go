package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// collectChats collects every family of a label set, so that no series of it is missing.
func (options *Options) collectChats(ch chan<- prometheus.Metric, operation string, set ledger.LabelSet) {
	tally := set.Tally
	ch <- newCounter(interactions, float64(tally.Interactions), set.Born, operation, set.RoutingPoint, set.Channel)
	ch <- newCounter(handoffs, float64(tally.Handoffs), set.Born, operation, set.RoutingPoint, set.Channel)
	for sender, n := range tally.LastSender {
		ch <- newCounter(lastSenders, float64(n), set.Born, operation, set.RoutingPoint, set.Channel, wolkvox.LastSender(sender).String())
	}
	for m := range tally.Histograms {
		labels := []string{operation, set.RoutingPoint, set.Channel}
		if sender := measures[m].sender; sender != "" {
			labels = append(labels, sender)
		}
		ch <- options.newHistogram(measures[m].family, &tally.Histograms[m], set.Born, labels...)
	}
}
