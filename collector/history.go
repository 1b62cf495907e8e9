package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// HistoryCollector collects the chats and agents of one ledger, as [LedgerCollector] does,
// without zero-hold and without the outcomes of rows.
type HistoryCollector struct {
	operation operation
	view      func() *ledger.View
}

// NewHistoryCollector returns a collector of what view returns.
func NewHistoryCollector(operation string, view func() *ledger.View) *HistoryCollector {
	return &HistoryCollector{operation: newOperation(operation), view: view}
}

// Describe implements prometheus.Collector.
func (*HistoryCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs[:countedFamilies] {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *HistoryCollector) Collect(ch chan<- prometheus.Metric) {
	new(Options).collectCounted(ch, &c.operation, c.view(), time.Now())
}
