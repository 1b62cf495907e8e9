// Package collector exports the metrics of operations to Prometheus.
//
// [LedgerSource] and [PollingSource] show the newest snapshot of an operation, and have no
// values of their own. [APIMetrics] and [SaveMetrics] count what happens outside of the ledger.
package collector
