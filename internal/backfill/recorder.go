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

// recorder notes how metrics change from sample to sample. A metric is what an
// exposition keeps together: a histogram's buckets, sum and count.
type recorder struct {
	figures prometheus.Gatherer
	last    map[string][]float64
	chunks  map[string]chunk
}

// chunk is how a metric changed in some samples.
type chunk struct {
	first   int // sample
	changes []byte
}

func newRecorder(figures prometheus.Gatherer) *recorder {
	return &recorder{figures: figures, last: map[string][]float64{}, chunks: map[string]chunk{}}
}

// record notes the values that are new in the n-th sample.
func (r *recorder) record(n int) error {
	families, err := r.figures.Gather()
	if err != nil {
		return err
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			key, values := keyOf(family, metric), valuesOf(metric)
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

// take hands over what was noted since the last time.
func (r *recorder) take() map[string]chunk {
	taken := r.chunks
	r.chunks = map[string]chunk{}
	return taken
}

// keyOf tells metrics from each other.
func keyOf(family *dto.MetricFamily, metric *dto.Metric) string {
	var key strings.Builder
	key.WriteString(family.GetName())
	for _, label := range metric.GetLabel() {
		key.WriteString("\x00" + label.GetName() + "\x00" + label.GetValue())
	}
	return key.String()
}

// valuesOf are a metric's in the order of an exposition.
func valuesOf(metric *dto.Metric) []float64 {
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

// A change is the sample's number, the number of values, and they. Of whole numbers
// the last bits are zeros: in reverse they are short.
func appendChange(to []byte, n int, values []float64) []byte {
	to = binary.AppendUvarint(to, uint64(n)) //nolint:gosec // Samples are numbered from 0.
	to = binary.AppendUvarint(to, uint64(len(values)))
	for _, value := range values {
		to = binary.AppendUvarint(to, bits.ReverseBytes64(math.Float64bits(value)))
	}
	return to
}

var errSpool = errors.New("the spool is not as it was written")

// eachChange reads what appendChange wrote. The values are good until the next.
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
			return errSpool
		}
		values = values[:0]
		for range count {
			values = append(values, math.Float64frombits(bits.ReverseBytes64(next())))
		}
		do(int(n), values) //nolint:gosec // It was an int.
	}
	return nil
}
