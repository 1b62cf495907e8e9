package collector

import (
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// APIMetrics counts the requests to the API of one operation.
type APIMetrics struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	// skew is a vector without labels, so that it is absent until the skew is known.
	skew      *prometheus.GaugeVec
	extraText *prometheus.CounterVec
}

// NewAPIMetrics registers the metrics of an operation. Like MustRegister, it panics if they
// are already registered.
func NewAPIMetrics(reg prometheus.Registerer, operation string) *APIMetrics {
	factory, labels := promauto.With(reg), operationLabel(operation)
	m := &APIMetrics{
		requests: factory.NewCounterVec(prometheus.CounterOpts{
			Name:        "wolkvox_api_requests_total",
			Help:        "Requests to the API, by their result.",
			ConstLabels: labels,
		}, []string{"api", "result"}),
		durations: factory.NewHistogramVec(prometheus.HistogramOpts{
			Name:        "wolkvox_api_request_duration_seconds",
			Help:        "Duration of a request to the API, including reading the response and failed requests, in seconds.",
			ConstLabels: labels,
			// Up to the vendor's limit of a minute.
			Buckets: []float64{0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 45, 60},
		}, []string{"api"}),
		skew: factory.NewGaugeVec(prometheus.GaugeOpts{
			Name:        "wolkvox_api_clock_skew_seconds",
			Help:        "How far the clock of the API is ahead of the clock of the exporter, in whole seconds (header Date of the newest response).",
			ConstLabels: labels,
		}, nil),
		extraText: factory.NewCounterVec(prometheus.CounterOpts{
			Name:        "wolkvox_api_extra_text_total",
			Help:        "Responses with other text before or after the JSON, such as a PHP warning. They are read anyway.",
			ConstLabels: labels,
		}, []string{"api"}),
	}
	for _, api := range wolkvox.APIs() {
		m.durations.WithLabelValues(api)
		m.extraText.WithLabelValues(api)
		for _, result := range wolkvox.Results() {
			m.requests.WithLabelValues(api, string(result))
		}
	}
	return m
}

// Observe counts a request. It is a function for [wolkvox.WithObserver].
func (m *APIMetrics) Observe(r wolkvox.Request) {
	m.requests.WithLabelValues(r.API, string(r.Result)).Inc()
	m.durations.WithLabelValues(r.API).Observe(r.Duration.Seconds())
	if r.ClockSkew != nil {
		m.skew.WithLabelValues().Set(r.ClockSkew.Seconds())
	}
	if r.ExtraText {
		m.extraText.WithLabelValues(r.API).Inc()
	}
}

func operationLabel(name string) prometheus.Labels {
	return prometheus.Labels{"operation": strings.ToValidUTF8(name, string(utf8.RuneError))}
}
