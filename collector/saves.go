package collector

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

var saveBounds = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

// Store loads and saves a state.
type Store interface {
	Load() ([]byte, error)
	// Save returns the size of the state.
	Save(t *ledger.Transaction) (size int, err error)
}

// SaveMetrics measures the state of one operation, and how it is saved.
type SaveMetrics struct {
	created time.Time

	mu        sync.Mutex
	observed  uint64 // loads and saves
	bytes     int    // of the state that was last loaded or saved
	durations durations
	failures  uint64
	failed    bool // the last save, and no load has succeeded since
}

// NewSaveMetrics returns the metrics of an operation without saves.
func NewSaveMetrics() *SaveMetrics {
	return &SaveMetrics{created: time.Now(), durations: newDurations(saveBounds)}
}

// Measure returns a store whose loads and saves are measured.
func (m *SaveMetrics) Measure(store Store) Store { return &measuredStore{store, m} }

type measuredStore struct {
	store   Store
	metrics *SaveMetrics
}

// Load implements [Store]. If the last save failed and the state cannot be loaded again,
// nothing can be saved either: that counts as another failed save.
func (s *measuredStore) Load() ([]byte, error) {
	state, err := s.store.Load()
	s.metrics.loaded(len(state), err)
	return state, err
}

// Save implements [Store].
func (s *measuredStore) Save(t *ledger.Transaction) (size int, err error) {
	start := time.Now()
	size, err = s.store.Save(t)
	s.metrics.saved(time.Since(start), size, err)
	return size, err
}

func (m *SaveMetrics) loaded(size int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case err == nil:
		m.observed++
		m.bytes, m.failed = size, false
	case m.failed:
		m.observed++
		m.failures++
	}
}

func (m *SaveMetrics) saved(took time.Duration, size int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.observed++
	m.durations.observe(took)
	if err != nil {
		m.failures++
		m.failed = true
		return
	}
	m.bytes = size
}

// version returns the number of loads and saves.
func (m *SaveMetrics) version() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.observed
}

func (m *SaveMetrics) collect(ch chan<- prometheus.Metric, operation string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	ch <- newGauge(stateBytes, float64(m.bytes), operation)
	ch <- m.durations.metric(stateSaveDuration, m.created, operation)
	ch <- newCounter(stateSaveFailures, float64(m.failures), m.created, operation)
}
