package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// chatMetrics holds the metrics of one label set, allocated together.
type chatMetrics struct {
	interactions, handoffs counter
	lastSenders            [wolkvox.SenderCount]counter
	histograms             [ledger.Measures]histogram
}

// collectChats collects every family of a label set, so that no series of it is missing.
func (options *Options) collectChats(ch chan<- prometheus.Metric, o *operation, set ledger.LabelSet, now time.Time) {
	tally := set.Tally
	if options.isHeld(tally.Born, tally.Initial, now) {
		tally = tally.Empty()
	}
	var (
		born    = timestamppb.New(set.Born)
		channel = label("channel", set.Channel)
		rpID    = label("rp_id", set.RoutingPoint)
		labels  = []*dto.LabelPair{channel, o.name, rpID}
		metrics chatMetrics
	)
	metrics.interactions = counter{descs[interactions], labels, float64(tally.Interactions), born}
	ch <- &metrics.interactions
	metrics.handoffs = counter{descs[handoffs], labels, float64(tally.Handoffs), born}
	ch <- &metrics.handoffs
	for sender, count := range tally.LastSender {
		withSender := []*dto.LabelPair{channel, lastSenderLabels[sender], o.name, rpID}
		metrics.lastSenders[sender] = counter{descs[lastSenders], withSender, float64(count), born}
		ch <- &metrics.lastSenders[sender]
	}
	for m := range ledger.Measure(ledger.Measures) {
		h := histogram{
			desc:    descs[measures[m].family],
			labels:  labels,
			data:    &tally.Histograms[m],
			created: born,
			classic: !options.OmitClassicBuckets,
			native:  options.NativeHistograms,
		}
		if measures[m].sender != nil {
			h.labels = []*dto.LabelPair{channel, o.name, rpID, measures[m].sender}
		}
		metrics.histograms[m] = h
		ch <- &metrics.histograms[m]
	}
}
