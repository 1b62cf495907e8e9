package ledger

import (
	"math"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Measure is a quantity of a chat that is shown as a histogram.
type Measure uint8

// The measures, in seconds, messages and characters.
const (
	BotTime Measure = iota
	SpeedOfAnswer
	HandleTime
	Duration
	Messages
	CustomerCharacters
	AgentCharacters

	Measures = iota // how many there are
)

// measures describes each measure. Names are saved, so they never change. A measure of an
// agent's work is only counted for chats that were handed off.
var measures = [Measures]struct {
	name      string
	fact      facts
	field     wolkvox.Field
	handedOff bool
	bounds    []float64
}{
	BotTime: {
		"bot_time", botTime, wolkvox.TimeOnChatbot, false,
		[]float64{5, 10, 30, 60, 120, 300, 600, 1800, 3600},
	},
	SpeedOfAnswer: {
		"speed_of_answer", speedOfAnswer, wolkvox.ASA, true,
		[]float64{5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800},
	},
	HandleTime: {
		"handle_time", handleTime, wolkvox.TimeWithAgent, true,
		[]float64{30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 28800, 86400},
	},
	Duration: {
		"duration", duration, wolkvox.TotalTime, false,
		[]float64{30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400},
	},
	Messages: {
		"messages", messages, wolkvox.TimesChatted, false,
		[]float64{1, 2, 5, 10, 20, 50, 100, 200},
	},
	CustomerCharacters: {"customer_characters", customerCharacters, wolkvox.CustomerChars, false, characterBounds},
	AgentCharacters:    {"agent_characters", agentCharacters, wolkvox.AgentChars, true, characterBounds},
}

var characterBounds = []float64{10, 50, 100, 250, 500, 1000, 2500, 5000, 10000}

// Bounds returns the upper bounds of m's classic buckets, without +Inf, unless
// [Options.Bounds] has others.
func (m Measure) Bounds() []float64 { return measures[m].bounds }

// NativeSchema is the resolution of the native buckets: 2^3 buckets for each doubling of
// the value.
const NativeSchema = 3

// NativeZeroThreshold is the largest value in the zero bucket of native histograms, as in
// client_golang.
const NativeZeroThreshold = 0x1p-128

// minNative and maxNative are the lowest and the highest index of a native bucket.
var minNative, maxNative = nativeIndex(math.Nextafter(NativeZeroThreshold, 1)), nativeIndex(math.MaxFloat64)

// Histogram counts values in classic and native buckets at once. Its values are
// never negative.
type Histogram struct {
	Count uint64
	Sum   float64
	// Bounds are the upper bounds of the classic buckets, without +Inf. They include
	// bounds that are no longer shown. They are shared and never change.
	Bounds []float64
	// Buckets holds the count of each classic bucket, not cumulative. The last one is
	// +Inf.
	Buckets []uint64
	// Zeros is the number of values up to NativeZeroThreshold.
	Zeros uint64
	// Native holds the counts of the native buckets from index NativeStart on.
	Native      []uint64
	NativeStart int

	shown []float64 // the bounds to show; not saved, as each start sets them
	// exemplars holds one for each classic bucket, or is nil. They are not saved.
	exemplars []Exemplar
}

// ShownBounds returns the upper bounds of the classic buckets to show.
func (h *Histogram) ShownBounds() []float64 { return h.shown }

// Exemplar is the chat that was last counted in a bucket.
type Exemplar struct {
	ConnID string // empty if there is none
	Value  float64
	Time   time.Time // when it was counted
}

// Exemplar returns the exemplar of a classic bucket. The last bucket is +Inf.
func (h *Histogram) Exemplar(bucket int) (e Exemplar, ok bool) {
	if bucket >= len(h.exemplars) {
		return Exemplar{}, false
	}
	e = h.exemplars[bucket]
	return e, e.ConnID != ""
}

func newHistogram(bounds []float64) Histogram {
	return Histogram{Bounds: bounds, shown: bounds, Buckets: make([]uint64, len(bounds)+1)}
}

func (h *Histogram) observe(value float64) {
	h.Count++
	h.Sum += value
	h.Buckets[h.bucket(value)]++
	if value <= NativeZeroThreshold {
		h.Zeros++
		return
	}
	h.observeNative(nativeIndex(value))
}

// observeNative counts a native bucket. Native is a slice without holes, as the values of a
// measure span only about a hundred buckets.
func (h *Histogram) observeNative(index int) {
	switch {
	case len(h.Native) == 0:
		h.NativeStart = index
		h.Native = []uint64{0}
	case index < h.NativeStart:
		h.Native = slices.Insert(h.Native, 0, make([]uint64, h.NativeStart-index)...)
		h.NativeStart = index
	case index >= h.NativeStart+len(h.Native):
		h.Native = append(h.Native, make([]uint64, index-h.NativeStart-len(h.Native)+1)...)
	}
	h.Native[index-h.NativeStart]++
}

// setExemplar makes the chat with a value the exemplar of its bucket.
func (h *Histogram) setExemplar(value float64, connID string) {
	if h.exemplars == nil {
		h.exemplars = make([]Exemplar, len(h.Buckets))
	}
	h.exemplars[h.bucket(value)] = Exemplar{ConnID: connID, Value: value}
}

// bucket returns the index of a value's classic bucket.
func (h *Histogram) bucket(value float64) int {
	return bucketIndex(h.Bounds, value)
}

// bucketIndex returns the index of the first bound that is not below the value. For a dozen
// bounds a linear search is faster than a binary one.
func bucketIndex(bounds []float64, value float64) int {
	for i, bound := range bounds {
		if value <= bound {
			return i
		}
	}
	return len(bounds)
}

// setShownBounds changes the bounds to show. The bucket of a new bound begins at the count of
// the bucket below, so it lacks earlier values and only its increases are right. The bucket
// of a bound that is no longer shown is still counted: it may be shown again, and a series
// must not fall.
func (h *Histogram) setShownBounds(bounds []float64) {
	h.shown = bounds
	if slices.Equal(h.Bounds, bounds) {
		h.Bounds = bounds
		return
	}
	all := newHistogram(slices.Compact(slices.Sorted(slices.Values(slices.Concat(h.Bounds, bounds)))))
	for i, bound := range h.Bounds {
		all.Buckets[all.bucket(bound)] = h.Buckets[i]
	}
	all.Buckets[len(all.Bounds)] = h.Buckets[len(h.Bounds)]
	h.Bounds, h.Buckets = all.Bounds, all.Buckets
}

// stamp sets the time of new exemplars.
func (h *Histogram) stamp(now time.Time) {
	for i := range h.exemplars {
		if e := &h.exemplars[i]; e.ConnID != "" && e.Time.IsZero() {
			e.Time = now
		}
	}
}

// isValid reports whether the buckets of h match its bounds, its count and the range of
// values.
func (h *Histogram) isValid() bool {
	return len(h.Buckets) == len(h.Bounds)+1 && isAscending(h.Bounds) && sum(h.Buckets) == h.Count &&
		(len(h.Native) == 0 || h.NativeStart >= minNative && len(h.Native) <= maxNative+1-h.NativeStart) &&
		sum(h.Native)+h.Zeros == h.Count
}

func sum(counts []uint64) (n uint64) {
	for _, count := range counts {
		n += count
	}
	return n
}

func isAscending(bounds []float64) bool {
	for i, bound := range bounds {
		if !(bound > 0) || math.IsInf(bound, 1) || i > 0 && bound <= bounds[i-1] {
			return false
		}
	}
	return true
}

func (h *Histogram) clone() Histogram {
	c := *h
	c.Buckets = slices.Clone(h.Buckets)
	c.Native = slices.Clone(h.Native)
	c.exemplars = slices.Clone(h.exemplars)
	return c
}

// nativeBounds are the upper bounds of the native buckets from 0.5 to 1. They are constants
// because client_golang has the same, and some results of math.Exp2 differ by one bit.
var nativeBounds = [1 << NativeSchema]float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// nativeIndex returns the index of the native bucket of a positive value. The upper bound
// of index i is 2^(i/8), inclusive.
func nativeIndex(value float64) int {
	fraction, exponent := math.Frexp(value)
	return bucketIndex(nativeBounds[:], fraction) + (exponent-1)*len(nativeBounds)
}
