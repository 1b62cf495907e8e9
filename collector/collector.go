// Package collector exports the metrics of operations to Prometheus.
//
// [LedgerCollector] and [PollingCollector] read the published snapshots of operations at each
// scrape and have no values of their own. [APIMetrics] and [MeasureSaves] are ordinary
// metrics, for events outside of a ledger.
package collector

import (
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// operation holds the labels that all metrics of an operation share.
type operation struct {
	name   *dto.LabelPair
	labels []*dto.LabelPair // the name alone
}

func newOperation(name string) operation {
	pair := label("operation", name)
	return operation{name: pair, labels: []*dto.LabelPair{pair}}
}

// Label pairs that all operations share.
var (
	pollLabel      = label("kind", "poll")
	reconcileLabel = label("kind", "reconcile")

	outcomeLabels = func() (pairs [ledger.Outcomes]*dto.LabelPair) {
		for outcome := range pairs {
			pairs[outcome] = label("outcome", ledger.Outcome(outcome).String())
		}
		return pairs
	}()
	fieldLabels = func() (pairs []*dto.LabelPair) { // by wolkvox.Field, for all keys
		for _, field := range wolkvox.Keys() {
			pairs = append(pairs, label("field", field.String()))
		}
		return pairs
	}()
	lastSenderLabels = func() (pairs [wolkvox.SenderCount]*dto.LabelPair) {
		for sender := range pairs {
			pairs[sender] = label("last_sender", wolkvox.LastSender(sender).String())
		}
		return pairs
	}()
)
