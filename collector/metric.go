package collector

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// The label values of these metrics are those of a family, in the order of its definition.

// newCounter returns a counter. The time of its creation is zero if it is unknown.
func newCounter(f family, value float64, created time.Time, labels ...string) prometheus.Metric {
	if created.IsZero() {
		return prometheus.MustNewConstMetric(descs[f], prometheus.CounterValue, value, validUTF8(labels)...)
	}
	return prometheus.MustNewConstMetricWithCreatedTimestamp(descs[f], prometheus.CounterValue, value, created, validUTF8(labels)...)
}

func newGauge(f family, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(descs[f], prometheus.GaugeValue, value, validUTF8(labels)...)
}

// newSummary returns a summary without quantiles.
func newSummary(f family, total ledger.Total, created time.Time, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstSummaryWithCreatedTimestamp(descs[f], total.Count, total.Sum, nil, created, validUTF8(labels)...)
}

// validUTF8 replaces what is not UTF-8 in label values. It would fail the whole scrape.
func validUTF8(values []string) []string {
	for i, value := range values {
		values[i] = strings.ToValidUTF8(value, string(utf8.RuneError))
	}
	return values
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// timestamp returns the seconds since the epoch, with milliseconds.
func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// collectFunc is a collector whose metrics are not described before they are collected, so that
// a registry does not collect them twice.
type collectFunc func(ch chan<- prometheus.Metric)

// Describe implements prometheus.Collector.
func (collectFunc) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (f collectFunc) Collect(ch chan<- prometheus.Metric) { f(ch) }
