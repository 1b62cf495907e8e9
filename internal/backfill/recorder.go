package backfill

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// recorder records how metrics change from sample to sample. A metric includes all of its
// series, such as a histogram's buckets, sum and count.
type recorder struct {
	metrics prometheus.Gatherer
	last    map[string][]float64
	chunks  map[string]chunk
}

// chunk holds the changes of a metric in successive samples.
type chunk struct {
	first   int // sample with a change
	changes []byte
}

func newRecorder(metrics prometheus.Gatherer) *recorder {
	return &recorder{metrics: metrics, last: map[string][]float64{}, chunks: map[string]chunk{}}
}

// record records the metrics that change in the n-th sample.
func (r *recorder) record(n int) error {
	families, err := r.metrics.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key, values := labelKey(family, metric), sampleValues(metric)
			if slices.Equal(values, r.last[key]) {
				continue
			}
			r.last[key] = values
			c, ok := r.chunks[key]
			if !ok {
				c.first = n
			}
			c.changes = appendChange(c.changes, n, values)
			r.chunks[key] = c
		}
	}
	return nil
}

// drain returns the chunks since its last call.
func (r *recorder) drain() map[string]chunk {
	drained := r.chunks
	r.chunks = map[string]chunk{}
	return drained
}

// labelKey returns a unique key of a metric.
func labelKey(family *dto.MetricFamily, metric *dto.Metric) string {
	var key strings.Builder
	key.WriteString(family.GetName())
	for _, label := range metric.GetLabel() {
		key.WriteString("\x00" + label.GetName() + "\x00" + label.GetValue())
	}
	return key.String()
}

// sampleValues returns the values of a metric in the order of an exposition.
func sampleValues(metric *dto.Metric) []float64 {
	if counter := metric.GetCounter(); counter != nil {
		return []float64{counter.GetValue()}
	}
	if summary := metric.GetSummary(); summary != nil {
		return []float64{summary.GetSampleSum(), float64(summary.GetSampleCount())}
	}
	histogram := metric.GetHistogram()
	count := float64(histogram.GetSampleCount())
	values := make([]float64, 0, len(histogram.GetBucket())+3)
	for _, bucket := range histogram.GetBucket() {
		values = append(values, float64(bucket.GetCumulativeCount()))
	}
	return append(values, count, histogram.GetSampleSum(), count)
}

// appendChange appends the sample's number, the number of values, and the values. The last
// bytes of a whole number are zeros: in reverse order, its varint is short.
func appendChange(to []byte, n int, values []float64) []byte {
	to = binary.AppendUvarint(to, uint64(n)) //nolint:gosec // Samples are numbered from 0.
	to = binary.AppendUvarint(to, uint64(len(values)))
	for _, value := range values {
		to = binary.AppendUvarint(to, bits.ReverseBytes64(math.Float64bits(value)))
	}
	return to
}

var errCorruptSpool = errors.New("the spool is corrupt")

// eachChange calls do for each change. The values are valid until the next call.
func eachChange(changes []byte, do func(n int, values []float64)) error {
	next := func() uint64 {
		value, length := binary.Uvarint(changes)
		if length <= 0 {
			changes = nil
			return 0
		}
		changes = changes[length:]
		return value
	}
	var values []float64
	for len(changes) > 0 {
		n, count := next(), next()
		if uint64(len(changes)) < count {
			return errCorruptSpool
		}
		values = values[:0]
		for range count {
			values = append(values, math.Float64frombits(bits.ReverseBytes64(next())))
		}
		do(int(n), values) //nolint:gosec // It was an int.
	}
	return nil
}
