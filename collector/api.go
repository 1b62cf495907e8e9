package collector

import (
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// requestBounds go up to the vendor's limit of a minute.
var requestBounds = []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60}

// APIMetrics counts the requests to the API of one operation.
type APIMetrics struct {
	created time.Time

	mu       sync.Mutex
	observed uint64
	apis     []apiCounts    // as in wolkvox.APIs
	skew     *time.Duration // nil until it is known
}

// apiCounts counts the requests to one of the APIs.
type apiCounts struct {
	results   []uint64 // as in wolkvox.Results
	durations durations
	extraText uint64
}

// NewAPIMetrics returns the metrics of an operation without requests.
func NewAPIMetrics() *APIMetrics {
	m := &APIMetrics{created: time.Now(), apis: make([]apiCounts, len(wolkvox.APIs()))}
	for i := range m.apis {
		m.apis[i] = apiCounts{results: make([]uint64, len(wolkvox.Results())), durations: newDurations(requestBounds)}
	}
	return m
}

// Observe counts a request. It is a function for [wolkvox.WithObserver].
func (m *APIMetrics) Observe(r wolkvox.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.observed++
	counts := &m.apis[slices.Index(wolkvox.APIs(), r.API)]
	counts.results[slices.Index(wolkvox.Results(), r.Result)]++
	counts.durations.observe(r.Duration)
	if r.ExtraText {
		counts.extraText++
	}
	if r.ClockSkew != nil {
		m.skew = r.ClockSkew
	}
}

// version returns the number of requests.
func (m *APIMetrics) version() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.observed
}

func (m *APIMetrics) collect(ch chan<- prometheus.Metric, operation string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, api := range wolkvox.APIs() {
		counts := &m.apis[i]
		for j, result := range wolkvox.Results() {
			ch <- newCounter(apiRequests, float64(counts.results[j]), m.created, operation, api, string(result))
		}
		ch <- counts.durations.metric(apiRequestDuration, m.created, operation, api)
		ch <- newCounter(apiExtraText, float64(counts.extraText), m.created, operation, api)
	}
	if m.skew != nil {
		ch <- newGauge(apiClockSkew, m.skew.Seconds(), operation)
	}
}
