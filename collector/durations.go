package collector

import (
	"sort"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// durations counts durations in classic buckets.
type durations struct {
	bounds  []float64 // seconds, without +Inf
	buckets []uint64  // not cumulative; the last one is +Inf
	count   uint64
	sum     float64 // seconds
}

func newDurations(bounds []float64) durations {
	return durations{bounds: bounds, buckets: make([]uint64, len(bounds)+1)}
}

func (d *durations) observe(duration time.Duration) {
	seconds := duration.Seconds()
	d.buckets[sort.SearchFloat64s(d.bounds, seconds)]++
	d.count++
	d.sum += seconds
}

// metric returns a histogram with the label values of a family.
func (d *durations) metric(f family, created time.Time, labels ...string) prometheus.Metric {
	cumulative, below := make(map[float64]uint64, len(d.bounds)), uint64(0)
	for i, bound := range d.bounds {
		below += d.buckets[i]
		cumulative[bound] = below
	}
	return prometheus.MustNewConstHistogramWithCreatedTimestamp(descs[f], d.count, d.sum, cumulative, created, validUTF8(labels)...)
}
