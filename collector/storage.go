package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// StorageMetrics are the metrics of a database that keeps the states of all operations.
type StorageMetrics struct {
	up        prometheus.Gauge
	durations *prometheus.HistogramVec
}

// NewStorageMetrics registers the metrics of a database.
func NewStorageMetrics(reg prometheus.Registerer) *StorageMetrics {
	factory := promauto.With(reg)
	return &StorageMetrics{
		up: factory.NewGauge(prometheus.GaugeOpts{
			Name: "wolkvox_exporter_storage_up",
			Help: "Whether the last request to the database succeeded: 1 if it did, 0 if not.",
		}),
		durations: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "wolkvox_exporter_storage_request_duration_seconds",
			Help:    "Duration of requests to the database, including failed ones and a connection if one was needed, in seconds.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}, []string{"request"}),
	}
}

// Observe records a request to the database.
func (m *StorageMetrics) Observe(request string, took time.Duration, err error) {
	value := 0.0
	if err == nil {
		value = 1
	}
	m.up.Set(value)
	m.durations.WithLabelValues(request).Observe(took.Seconds())
}
