package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// Store loads and saves a state.
type Store interface {
	Load() ([]byte, error)
	// Save returns the size of the state.
	Save(t *ledger.Transaction) (size int, err error)
}

// MeasuredStore is a [Store] with metrics. Like the store, it is for one goroutine at a time.
type MeasuredStore struct {
	store     Store
	bytes     prometheus.Gauge
	durations prometheus.Histogram
	failures  prometheus.Counter
	failed    bool // the last save, and no load has succeeded since
}

// MeasureSaves registers the metrics of an operation's store and returns the store with them.
// Like MustRegister, it panics if they are already registered.
func MeasureSaves(reg prometheus.Registerer, operation string, store Store) *MeasuredStore {
	factory, labels := promauto.With(reg), operationLabel(operation)
	return &MeasuredStore{
		store: store,
		bytes: factory.NewGauge(prometheus.GaugeOpts{
			Name:        "wolkvox_exporter_state_bytes",
			Help:        "Size of the state that was last loaded or saved, in bytes.",
			ConstLabels: labels,
		}),
		durations: factory.NewHistogram(prometheus.HistogramOpts{
			Name:        "wolkvox_exporter_state_save_duration_seconds",
			Help:        "Duration of saving the state, including failed attempts, in seconds.",
			ConstLabels: labels,
			Buckets:     []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}),
		failures: factory.NewCounter(prometheus.CounterOpts{
			Name:        "wolkvox_exporter_state_save_failures_total",
			Help:        "Failed attempts to save the state. The metrics do not change until a save succeeds.",
			ConstLabels: labels,
		}),
	}
}

// Load loads from the wrapped store. If the last save failed and the state cannot be loaded
// again, nothing can be saved either: that counts as another failed save.
func (m *MeasuredStore) Load() ([]byte, error) {
	state, err := m.store.Load()
	switch {
	case err == nil:
		m.bytes.Set(float64(len(state)))
		m.failed = false
	case m.failed:
		m.failures.Inc()
	}
	return state, err
}

// Save saves to the wrapped store.
func (m *MeasuredStore) Save(t *ledger.Transaction) (size int, err error) {
	start := time.Now()
	size, err = m.store.Save(t)
	m.durations.Observe(time.Since(start).Seconds())
	if err != nil {
		m.failures.Inc()
		m.failed = true
		return size, err
	}
	m.bytes.Set(float64(size))
	return size, nil
}
