package ledger

import (
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// cumulative returns what the buckets show, by their bound.
func cumulative(h *Histogram) map[float64]uint64 {
	shown, below := map[float64]uint64{}, uint64(0)
	for i, bound := range append(slices.Clone(h.Bounds), math.Inf(1)) {
		below += h.Buckets[i]
		if slices.Contains(h.ShownBounds(), bound) || math.IsInf(bound, 1) {
			shown[bound] = below
		}
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

// Series by their bound, through any number of starts with other bounds.
func TestHistogram_KeepsCountsWithOtherBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, before := newHistogram(someBounds.Draw(t, "bounds")), map[float64]uint64{}
		var total []int
		for range rapid.IntRange(1, 5).Draw(t, "starts") {
			more := rapid.SliceOf(rapid.IntRange(0, 25)).Draw(t, "values")
			begin := cumulative(&h)
			for bound, was := range before {
				if have, shown := begin[bound]; shown && have < was {
					t.Fatalf("le=%v falls: from %d to %d", bound, was, have)
				}
			}
			for _, value := range more {
				h.observe(float64(value))
			}
			total = append(total, more...)
			end := cumulative(&h)
			for bound, have := range end {
				if increase, want := have-begin[bound], atMost(more, bound); increase != want {
					t.Fatalf("le=%v: have an increase of %d, want %d", bound, increase, want)
				}
				if have > atMost(total, bound) {
					t.Fatalf("le=%v: have %d, more than the truth", bound, have)
				}
				before[bound] = have
			}
			if end[math.Inf(1)] != h.Count || !h.isValid() {
				t.Fatalf("have %+v, which does not fit", h)
			}
			h.setShownBounds(someBounds.Draw(t, "other bounds"))
		}
	})
}

func atMost(values []int, bound float64) (n uint64) {
	for _, value := range values {
		if float64(value) <= bound {
			n++
		}
	}
	return n
}

func TestUnmarshal_KeepsCountsWithOtherBounds(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, handedOff, states(wolkvox.ASA, 42), states(wolkvox.TimeWithAgent, 100)), Polling, Counted)
	var options Options
	options.MaxLabelSets = 10
	options.Bounds[SpeedOfAnswer] = []float64{60, 240}
	l, err := Unmarshal(mustMarshal(t, l), options, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, l, ended(2, 0, handedOff, under("9", "web"), states(wolkvox.ASA, 200)), Polling, Counted)
	if have := collectFigures(t, l).Histograms[SpeedOfAnswer]; have.Count != 1 || !maps.Equal(cumulative(&have), map[float64]uint64{60: 1, 240: 1, math.Inf(1): 1}) {
		t.Errorf("have %+v, want the chat below 60", have)
	}
	if have := findTally(t, l, Labels{"9", "web"}).Histograms[SpeedOfAnswer]; !slices.Equal(have.Buckets, []uint64{0, 1, 0}) {
		t.Errorf("a new label set: have %+v, want the chat below 240", have)
	}
	if have := collectFigures(t, l).Histograms[HandleTime]; !slices.Equal(have.Bounds, HandleTime.Bounds()) {
		t.Errorf("have %+v, want the unchanged bounds", have)
	}
}
