package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// chats are the metrics of one label set, allocated at once.
type chats struct {
	interactions, handoffs counter
	lastSenders            [wolkvox.SenderCount]counter
	histograms             [ledger.Measures]histogram
}

// collectChats shows every family of a label set, so that a set appears whole.
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
		shown   chats
	)
	shown.interactions = counter{descs[interactions], labels, float64(tally.Interactions), born}
	ch <- &shown.interactions
	shown.handoffs = counter{descs[handoffs], labels, float64(tally.Handoffs), born}
	ch <- &shown.handoffs
	for sender, count := range tally.LastSender {
		withSender := []*dto.LabelPair{channel, lastSenderLabels[sender], o.name, rpID}
		shown.lastSenders[sender] = counter{descs[lastSenders], withSender, float64(count), born}
		ch <- &shown.lastSenders[sender]
	}
	for m := range ledger.Measure(ledger.Measures) {
		h := histogram{
			desc:    descs[measures[m].family],
			labels:  labels,
			figures: &tally.Histograms[m],
			created: born,
			classic: !options.OmitClassicBuckets,
			native:  options.NativeHistograms,
		}
		if measures[m].sender != nil {
			h.labels = []*dto.LabelPair{channel, o.name, rpID, measures[m].sender}
		}
		shown.histograms[m] = h
		ch <- &shown.histograms[m]
	}
}
