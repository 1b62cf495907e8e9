package ledger

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// cumulative is what the buckets show, by their bound.
func cumulative(h *Histogram) map[float64]uint64 {
	shown, below := map[float64]uint64{}, uint64(0)
	for i, bound := range append(slices.Clone(h.Bounds), math.Inf(1)) {
		below += h.Buckets[i]
		shown[bound] = below
	}
	return shown
}

var someBounds = rapid.Custom(func(t *rapid.T) []float64 {
	bounds := rapid.SliceOfNDistinct(rapid.IntRange(1, 20), 1, 8, rapid.ID).Draw(t, "bounds")
	slices.Sort(bounds)
	made := make([]float64, len(bounds))
	for i, bound := range bounds {
		made[i] = float64(bound)
	}
	return made
})

func TestOtherBoundsLowerNothingAndCountRightFromThenOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.IntRange(0, 25))
		h := newHistogram(someBounds.Draw(t, "old"))
		for _, value := range values.Draw(t, "before") {
			h.observe(float64(value))
		}
		before := cumulative(&h)
		h.rebucket(someBounds.Draw(t, "new"))
		if !h.fits() {
			t.Fatalf("have %v, which does not fit", h)
		}
		after := cumulative(&h)
		for bound, was := range before {
			if have, stays := after[bound]; stays && have != was {
				t.Errorf("le=%v: want %d, have %d", bound, was, have)
			}
		}
		if after[math.Inf(1)] != h.Count {
			t.Errorf("want %d in all buckets, have %d", h.Count, after[math.Inf(1)])
		}
		more := values.Draw(t, "after")
		for _, value := range more {
			h.observe(float64(value))
		}
		for bound, have := range cumulative(&h) {
			want := after[bound]
			for _, value := range more {
				if float64(value) <= bound {
					want++
				}
			}
			if have != want {
				t.Errorf("le=%v: want %d, have %d", bound, want, have)
			}
		}
	})
}

func TestARestartWithOtherBoundsKeepsWhatWasCounted(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, 0, handedOff, states(wolkvox.ASA, 42), states(wolkvox.TimeWithAgent, 100)), Polling, Counted)
	var options Options
	options.MaxLabelSets = 10
	options.Bounds[SpeedOfAnswer] = []float64{60, 240}
	b, err := Unmarshal(mustMarshal(t, b), options, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	mustBook(t, b, ended(2, 0, handedOff, under("9", "web"), states(wolkvox.ASA, 200)), Polling, Counted)
	if have := figuresOf(t, b).Histograms[SpeedOfAnswer]; have.Count != 1 || !slices.Equal(have.Buckets, []uint64{1, 0, 0}) {
		t.Errorf("have %+v, want the chat below 60", have)
	}
	if have := tallyOf(t, b, Labels{"9", "web"}).Histograms[SpeedOfAnswer]; !slices.Equal(have.Buckets, []uint64{0, 1, 0}) {
		t.Errorf("a new label set: have %+v, want the chat below 240", have)
	}
	if have := figuresOf(t, b).Histograms[HandleTime]; !slices.Equal(have.Bounds, HandleTime.Bounds()) {
		t.Errorf("have %+v, want the bounds that nobody changed", have)
	}
}
