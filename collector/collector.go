// Package collector shows the figures of operations as Prometheus metrics.
//
// [Books] and [Polling] read what the pollers have published, at each scrape; they
// keep no figures of their own. [APIMetrics] and [MeasureSaves] are for events that
// happen outside the book, and are ordinary metrics. [Exposition] serves all of them,
// and encodes the books only when they have changed.
package collector

import (
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller" //nolint:depguard // Only what it publishes.
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Source gives what an operation shows now. It is asked at each scrape, by several at
// a time.
type Source interface {
	Snapshot() poller.Snapshot
}

// Operation is an operation to show.
type Operation struct {
	Name   string // value of the label operation
	Source Source
}

// operation is an Operation with the labels that never change.
type operation struct {
	source Source
	name   *dto.LabelPair
	labels []*dto.LabelPair

	withPoll, withReconcile []*dto.LabelPair
	withOutcome             [ledger.Outcomes][]*dto.LabelPair
	withField               [][]*dto.LabelPair // by wolkvox.Field, for all keys
}

func newOperation(o Operation) operation {
	name := label("operation", o.Name)
	made := operation{
		source:        o.Source,
		name:          name,
		labels:        []*dto.LabelPair{name},
		withPoll:      []*dto.LabelPair{label("kind", "poll"), name},
		withReconcile: []*dto.LabelPair{label("kind", "reconcile"), name},
	}
	for outcome := range ledger.Outcome(ledger.Outcomes) {
		made.withOutcome[outcome] = []*dto.LabelPair{name, label("outcome", outcome.String())}
	}
	for _, field := range wolkvox.Keys() {
		made.withField = append(made.withField, []*dto.LabelPair{label("field", field.String()), name})
	}
	return made
}
