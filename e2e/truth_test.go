package e2e

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// TestPrometheus_HasExactFigures lets chats end while a real Prometheus
// scrapes in every format, and the exporter is killed twice.
func TestPrometheus_HasExactFigures(t *testing.T) {
	t.Parallel()
	r := newPrometheusRun(t)
	r.playChats()
	for _, v := range r.views {
		t.Run(v.job, func(t *testing.T) {
			if format, _ := v.front.format.Load().(string); !strings.HasPrefix(format, v.format) {
				t.Errorf("have scrapes as %q, want %q", format, v.format)
			}
			w := window{view: v, from: r.begin, until: r.end}
			good, failed := w.scrapes()
			if failed == 0 {
				t.Error("have no failed scrape, want some from when the exporter was killed")
			}
			difference := r.lastMinusFirst(t, w)
			increase, most, chats := r.increase(t, w)
			if v.native {
				quantilesAgree(t, w, r.views)
			}
			exemplars := r.exemplars(t, w)
			t.Logf("Prometheus %s, %s as %s: %v chats in %d label sets, %d scrapes and %d that failed; last minus first differs from the truth by %v at most; sum(increase()) of the chats is %.2f, at most %.2f; %d exemplars",
				r.version, v.job, v.format, chats, len(r.truth.By), good, failed, difference, increase, most, exemplars)
		})
	}
}

// growth returns the first and the last value that each figure must have.
func (r *prometheusRun) growth(w window) (first, last map[figure]float64) {
	first, last = w.expected(r.before), w.expected(r.truth)
	if w.created {
		clear(first) // A 0 is before everything.
	}
	return first, last
}

// lastMinusFirst compares the samples with the truth, and returns the difference. No value
// may fall.
func (r *prometheusRun) lastMinusFirst(t *testing.T, w window) (difference float64) {
	t.Helper()
	samples := w.samples()
	first, last := r.growth(w)
	for f := range samples {
		if _, ok := last[f]; !ok {
			t.Errorf("%s: have a series, want none", f)
		}
	}
	families := map[string]bool{}
	for f := range last {
		families[f.series()] = true
		have := samples[f]
		if len(have) < 2 {
			t.Errorf("%s: have %d samples, want many", f, len(have))
			continue
		}
		begin, end := have[0].value, have[len(have)-1].value
		difference = max(difference, math.Abs(end-begin-last[f]+first[f]))
		// A scrape that is under way when a label set is born has a time before the
		// created timestamp. The 0 then comes second, which increase() copes with.
		if !w.held {
			continue
		}
		if begin != first[f] || end != last[f] {
			t.Errorf("%s: have samples from %v to %v, want %v to %v", f, begin, end, first[f], last[f])
		}
		for i, sample := range have[1:] {
			if before := have[i].value; sample.value < before {
				t.Errorf("%s: have %v after %v", f, sample.value, before)
				break
			}
		}
	}
	for name := range families {
		if have := w.number(fmt.Sprintf("sum(resets(%s%s))", name, w.selector()), w.until); w.held && have != 0 {
			t.Errorf("%s: have %v resets, want none", name, have)
		}
	}
	return difference
}

// increase holds increase() against the truth. It returns what its sum of all
// chats is, what it may be, and their number.
//
// increase() is the growth from the first sample to the last, times
// (sampled + toStart + toEnd) / sampled, where sampled is the time between them.
// Neither of the others is more than 1.1 times the average time from one sample to
// the next, and sampled is that average times one less than there are samples.
func (r *prometheusRun) increase(t *testing.T, w window) (sum, most, chats float64) {
	t.Helper()
	samples := w.samples()
	first, last := r.growth(w)
	increases := map[family]map[figure]float64{}
	for f := range last {
		if increases[f.family] == nil {
			increases[f.family] = w.increases(f.family)
		}
		grown := last[f] - first[f]
		limit := grown * (1 + 2*1.1/float64(len(samples[f])-1))
		have, ok := increases[f.family][f]
		if !ok || !isBetween(grown, have, limit) {
			t.Errorf("%s: have an increase by %v (%t), want %v to %v", f, have, ok, grown, limit)
		}
		if f.name == "wolkvox_chat_interactions_total" {
			chats += grown
			most += limit
		}
	}
	sum = w.number(fmt.Sprintf("sum(increase(wolkvox_chat_interactions_total%s))", w.selector()), w.until)
	if !isBetween(chats, sum, most) {
		t.Errorf("have %v as the sum of the increases of the chats, want %v to %v", sum, chats, most)
	}
	return sum, most, chats
}

// isBetween reports whether have is within bounds, except for the rounding of floats.
func isBetween(least, have, most float64) bool {
	const rounding = 1e-9
	return have >= least*(1-rounding) && have <= most*(1+rounding)
}

// exemplars checks that the exemplars in Prometheus name a chat of the series, and nothing
// else. It returns their number.
func (r *prometheusRun) exemplars(t *testing.T, w window) (count int) {
	t.Helper()
	for _, s := range w.exemplars(fmt.Sprintf(`{__name__=~"wolkvox_.+",job=%q}`, w.job), w.from, w.until) {
		key := newFigure(family{}, s.SeriesLabels).Key
		for _, e := range s.Exemplars {
			count++
			if id := e.Labels["conn_id"]; len(e.Labels) != 1 || r.keys[id] != key {
				t.Errorf("%v: have an exemplar with %v, want the conn_id of a chat there and nothing else", s.SeriesLabels, e.Labels)
			}
		}
	}
	if wanted := w.format != text; (count > 0) != wanted {
		t.Errorf("have %d exemplars, want some: %t", count, wanted)
	}
	return count
}
