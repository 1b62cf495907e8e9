package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// NewHistoryCollector returns a collector of the chats and agents of the ledger that view
// returns, as a [LedgerSource] has them, but without zero-hold and without the outcomes of
// rows.
func NewHistoryCollector(operation string, view func() *ledger.View) prometheus.Collector {
	return collectFunc(func(ch chan<- prometheus.Metric) {
		new(Options).collectCounted(ch, &status.Snapshot{Operation: operation, View: view()}, time.Now())
	})
}
