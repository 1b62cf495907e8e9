package collector

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// histogram exports a measure with classic buckets, as a native histogram, or both,
// as client_golang's own histogram does.
type histogram struct {
	desc    *prometheus.Desc
	labels  []*dto.LabelPair
	data    *ledger.Histogram
	created *timestamppb.Timestamp

	classic, native bool // at least one of them
}

func (options *Options) newHistogram(f family, data *ledger.Histogram, created time.Time, labels ...string) prometheus.Metric {
	return &histogram{
		desc:    descs[f],
		labels:  prometheus.MakeLabelPairs(descs[f], validUTF8(labels)),
		data:    data,
		created: timestamppb.New(created),
		classic: !options.OmitClassicBuckets,
		native:  options.NativeHistograms,
	}
}

// Desc implements prometheus.Metric.
func (h *histogram) Desc() *prometheus.Desc { return h.desc }

// Write implements prometheus.Metric.
func (h *histogram) Write(out *dto.Metric) error {
	out.Label = h.labels
	out.Histogram = &dto.Histogram{
		SampleCount:      &h.data.Count,
		SampleSum:        &h.data.Sum,
		CreatedTimestamp: h.created,
	}
	if h.classic {
		out.Histogram.Bucket = h.buckets()
	} else {
		out.Histogram.Exemplars = h.exemplars()
	}
	if h.native {
		// A scraper recognizes a native histogram without observations by its threshold.
		threshold, schema := prometheus.DefNativeHistogramZeroThreshold, int32(ledger.NativeSchema)
		out.Histogram.ZeroThreshold = &threshold
		out.Histogram.Schema = &schema
		out.Histogram.ZeroCount = &h.data.Zeros
		out.Histogram.PositiveSpan, out.Histogram.PositiveDelta = spans(h.data.NativeStart, h.data.Native)
	}
	return nil
}

// buckets returns the cumulative buckets. The last one, +Inf, is implied by the count unless
// it has an exemplar.
func (h *histogram) buckets() []*dto.Bucket {
	var (
		shown      = h.data.ShownBounds()
		pointers   = make([]*dto.Bucket, len(shown), len(shown)+1)
		buckets    = make([]dto.Bucket, len(shown))
		cumulative = make([]uint64, len(shown))
		below      uint64
		exemplar   *dto.Exemplar
		next       int
	)
	for i, bound := range h.data.Bounds {
		below += h.data.Buckets[i]
		exemplar = h.exemplar(i, exemplar)
		if next == len(shown) || bound != shown[next] {
			continue // It is merged into the next bucket that is shown.
		}
		cumulative[next] = below
		buckets[next].CumulativeCount = &cumulative[next]
		buckets[next].UpperBound = &shown[next]
		buckets[next].Exemplar = exemplar
		pointers[next] = &buckets[next]
		exemplar = nil
		next++
	}
	if last := h.exemplar(len(h.data.Bounds), exemplar); last != nil {
		pointers = append(pointers, &dto.Bucket{CumulativeCount: &h.data.Count, UpperBound: &infinity, Exemplar: last})
	}
	return pointers
}

var infinity = math.Inf(1)

// exemplars returns those of all buckets, as a native histogram shows them.
func (h *histogram) exemplars() (all []*dto.Exemplar) {
	for i := range len(h.data.Bounds) + 1 {
		if e := h.exemplar(i, nil); e != nil {
			all = append(all, e)
		}
	}
	return all
}

// exemplar returns the exemplar of a bucket, or fallback if it has none.
func (h *histogram) exemplar(bucket int, fallback *dto.Exemplar) *dto.Exemplar {
	e, ok := h.data.Exemplar(bucket)
	if !ok {
		return fallback
	}
	return &dto.Exemplar{
		Label:     []*dto.LabelPair{{Name: new("conn_id"), Value: &validUTF8([]string{e.ConnID})[0]}},
		Value:     &e.Value,
		Timestamp: timestamppb.New(e.Time),
	}
}

// maxGap is how many empty buckets in a row are written out: like client_golang, it assumes
// that a new span costs more than two empty buckets.
const maxGap = 2

// spans encodes the counts of the native buckets from index start on: as spans of buckets,
// and each count as its difference from the one before.
func spans(start int, counts []uint64) (spans []*dto.BucketSpan, deltas []int64) {
	var (
		span     *dto.BucketSpan
		end      int // index after the last span
		previous int64
	)
	deltas = make([]int64, 0, len(counts))
	for i, count := range counts {
		if count == 0 {
			continue
		}
		gap := start + i - end
		if span == nil || gap > maxGap {
			span = &dto.BucketSpan{Offset: new(int32(gap)), Length: new(uint32(0))} //nolint:gosec // Indexes of float64 values are within ±8,600.
			spans = append(spans, span)
			gap = 0
		}
		for range gap {
			deltas = append(deltas, -previous)
			previous = 0
		}
		deltas = append(deltas, int64(count)-previous) //nolint:gosec // No count of chats overflows.
		previous = int64(count)                        //nolint:gosec // Likewise.
		*span.Length += uint32(gap) + 1
		end = start + i + 1
	}
	return spans, deltas
}
