package ledger

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func TestMeasure_HasBoundsOfContract(t *testing.T) {
	for m, s := range specified {
		if have := Measure(m).Bounds(); !slices.Equal(have, s.bounds) {
			t.Errorf("%v: want %v, have %v", s.field, s.bounds, have)
		}
	}
}

// Chats that no agent closes end after about 23 hours. In the bucket +Inf their
// handle time would be lost to quantiles.
func TestHandleTime_HasBucketForChatsEndedByTimeout(t *testing.T) {
	h := newHistogram(HandleTime.Bounds())
	h.observe((23 * time.Hour).Seconds())
	if beyond := h.Buckets[len(h.Bounds)]; beyond != 0 {
		t.Errorf("have %d chats of 23 hours in the bucket +Inf, want 0", beyond)
	}
}

func TestHistogram_IncludesUpperBounds(t *testing.T) {
	for m := range Measure(Measures) {
		bounds := m.Bounds()
		for i, bound := range bounds {
			for value, want := range map[float64]int{
				math.Nextafter(bound, 0):           i,
				bound:                              i,
				math.Nextafter(bound, math.Inf(1)): i + 1,
			} {
				h := newHistogram(m.Bounds())
				h.observe(value)
				if have := slices.Index(h.Buckets, 1); have != want || len(h.Buckets) != len(bounds)+1 {
					t.Errorf("%v of measure %d: want bucket %d, have %d of %d", value, m, want, have, len(h.Buckets))
				}
			}
		}
	}
}

// nativeValues returns values of every size, and those at the edges of buckets.
func nativeValues() []float64 {
	values := []float64{0, 1, 2, 0.5, 0.1, 1e-9, 5, 59.999, 60, 3600, 1e6, 1e12, 10 * 365.25 * 24 * 60 * 60, math.MaxFloat64, math.SmallestNonzeroFloat64, NativeZeroThreshold}
	for exponent := -130; exponent <= 45; exponent++ {
		values = append(values, math.Exp2(float64(exponent)))
		for i := range 8 {
			values = append(values, math.Exp2(float64(exponent)+float64(i)/8))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		values = append(values, math.Exp2(random.Float64()*50-10), float64(random.IntN(10_000)))
	}
	for _, value := range values {
		values = append(values, math.Nextafter(value, 0), math.Nextafter(value, math.MaxFloat64))
	}
	return values
}

func TestHistogram_HasNativeBucketsOfClientGolang(t *testing.T) {
	for _, value := range nativeValues() {
		h := newHistogram(Duration.Bounds())
		h.observe(value)
		want := clientGolang(t, value)
		if h.Zeros != want.GetZeroCount() || len(h.Native) != len(want.GetPositiveDelta()) ||
			len(h.Native) == 1 && (h.Native[0] != 1 || h.NativeStart != int(want.GetPositiveSpan()[0].GetOffset())) {
			t.Errorf("%v: want %v, have %+v", value, want, h)
		}
	}
}

// clientGolang returns client_golang's histogram of the values.
func clientGolang(t *testing.T, values ...float64) *dto.Histogram {
	t.Helper()
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", NativeHistogramBucketFactor: math.Exp2(math.Exp2(-NativeSchema))})
	for _, value := range values {
		histogram.Observe(value)
	}
	var out dto.Metric
	if err := histogram.Write(&out); err != nil {
		t.Fatal(err)
	}
	if have := out.GetHistogram(); have.GetSchema() != NativeSchema || have.GetZeroThreshold() != NativeZeroThreshold {
		t.Fatalf("want schema %d, have %v", NativeSchema, have)
	}
	return out.GetHistogram()
}

func TestHistogram_FillsNativeBucketsOfClientGolang(t *testing.T) {
	values := nativeValues()
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	h := newHistogram(Duration.Bounds())
	for _, value := range values {
		h.observe(value)
	}
	their := clientGolang(t, values...)
	want, at, count := map[int]uint64{}, 0, int64(0)
	delta := their.GetPositiveDelta()
	for _, span := range their.GetPositiveSpan() {
		at += int(span.GetOffset())
		for range span.GetLength() {
			count += delta[0]
			want[at], delta = uint64(count), delta[1:]
			at++
		}
	}
	have := map[int]uint64{}
	for i, n := range h.Native {
		if n > 0 {
			have[h.NativeStart+i] = n
		}
	}
	if fmt.Sprint(have) != fmt.Sprint(want) || h.Zeros != their.GetZeroCount() || h.Count != their.GetSampleCount() {
		t.Errorf("want %d zeros of %d and\n%v, have %d of %d and\n%v", their.GetZeroCount(), their.GetSampleCount(), want, h.Zeros, h.Count, have)
	}
}

func TestHistogram_CountsZeros(t *testing.T) {
	h := newHistogram(Messages.Bounds())
	h.observe(0)
	if h.Count != 1 || h.Sum != 0 || h.Zeros != 1 || h.Buckets[0] != 1 || h.Native != nil {
		t.Errorf("have %+v", h)
	}
}

func TestHistogram_ClonesDeeply(t *testing.T) {
	tally := newTally(&Options{}, true)
	for m := range Measure(Measures) {
		tally.Histograms[m].observe(60)
	}
	want := fmt.Sprintf("%+v", *tally)
	clone := tally.clone()
	if have := fmt.Sprintf("%+v", *clone); have != want {
		t.Fatalf("want %s, have %s", want, have)
	}
	for m := range Measure(Measures) {
		for _, value := range []float64{60, 61, 0, 1, 1e6} {
			clone.Histograms[m].observe(value)
		}
	}
	clone.Interactions++
	clone.LastSender[0]++
	if have := fmt.Sprintf("%+v", *tally); have != want {
		t.Errorf("want %s, have %s", want, have)
	}
}

func TestHistogram_StaysSmallWithHostileValues(t *testing.T) {
	h := newHistogram(Duration.Bounds())
	for _, value := range []float64{1e12, math.SmallestNonzeroFloat64, 1e-300, math.Nextafter(NativeZeroThreshold, 1)} {
		h.observe(value)
	}
	if have := len(h.Native); have > 1500 {
		t.Errorf("want at most 1500 native buckets, have %d", have)
	}
}
