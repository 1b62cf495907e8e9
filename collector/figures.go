package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// Figures shows what one book has counted, as [Books] does, without what became of
// the rows.
type Figures struct {
	operation operation
	view      func() *ledger.View
}

// NewFigures makes a collector of what view returns.
func NewFigures(operation string, view func() *ledger.View) *Figures {
	return &Figures{operation: newOperation(Operation{Name: operation}), view: view}
}

// Describe implements prometheus.Collector.
func (f *Figures) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs[:counted] {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (f *Figures) Collect(ch chan<- prometheus.Metric) {
	new(Options).collectCounted(ch, &f.operation, f.view(), time.Now()) // Nothing is held back.
}
