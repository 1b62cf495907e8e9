package collector

import (
	"strings"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// The const metrics of client_golang allocate their label pairs each time, for each metric.
// These metrics share label pairs, which are sorted by name.

// counter is a counter with a given value.
type counter struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair
	value   float64
	created *timestamppb.Timestamp // nil if unknown
}

// Desc implements prometheus.Metric.
func (c *counter) Desc() *prometheus.Desc { return c.desc }

// Write implements prometheus.Metric.
func (c *counter) Write(out *dto.Metric) error {
	out.Label = c.labels
	out.Counter = &dto.Counter{Value: &c.value, CreatedTimestamp: c.created}
	return nil
}

// gauge is a gauge with a given value.
type gauge struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

// Desc implements prometheus.Metric.
func (g *gauge) Desc() *prometheus.Desc { return g.desc }

// Write implements prometheus.Metric.
func (g *gauge) Write(out *dto.Metric) error {
	out.Label = g.labels
	out.Gauge = &dto.Gauge{Value: &g.value}
	return nil
}

// summary is a summary without quantiles, with a given count and sum.
type summary struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair
	total   ledger.Total
	created *timestamppb.Timestamp
}

// Desc implements prometheus.Metric.
func (s *summary) Desc() *prometheus.Desc { return s.desc }

// Write implements prometheus.Metric.
func (s *summary) Write(out *dto.Metric) error {
	out.Label = s.labels
	out.Summary = &dto.Summary{SampleCount: &s.total.Count, SampleSum: &s.total.Sum, CreatedTimestamp: s.created}
	return nil
}

// label returns a label pair. A value that is not UTF-8 would fail the whole scrape.
func label(name, value string) *dto.LabelPair {
	value = strings.ToValidUTF8(value, string(utf8.RuneError))
	return &dto.LabelPair{Name: &name, Value: &value}
}
