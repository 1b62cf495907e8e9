package e2e

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"
)

// histograms are the names of the native histograms in Prometheus.
var histograms = []string{
	"wolkvox_chat_bot_time_seconds", "wolkvox_chat_speed_of_answer_seconds", "wolkvox_chat_handle_time_seconds",
	"wolkvox_chat_duration_seconds", "wolkvox_chat_messages", "wolkvox_chat_characters",
}

// quantilesAgree compares the quantiles of native histograms with those of
// classic ones, of the same view if it has them.
func quantilesAgree(t *testing.T, w window, views []*view) {
	t.Helper()
	classic := w.view
	if !classic.classic {
		classic = views[slices.IndexFunc(views, func(v *view) bool { return v.classic })]
	}
	for _, name := range histograms {
		for _, q := range []float64{0.5, 0.9, 0.99} {
			have := w.number(fmt.Sprintf("histogram_quantile(%v, sum(%s{job=%q}))", q, name, w.job), w.until)
			want := classic.number(fmt.Sprintf("histogram_quantile(%v, sum by (le) (%s_bucket{job=%q}))", q, name, classic.job), w.until)
			lower, upper := classic.bucket(name, want, w.until)
			// A native bucket that begins below a classic bound may end above it.
			growth := math.Pow(2, 1.0/8)
			if !isBetween(lower/growth, have, upper*growth) {
				t.Errorf("%s: have the quantile %v at %v of native histograms, want it near %v, between %v and %v", name, q, have, want, lower, upper)
			}
			t.Logf("%s: the quantile %v is %.2f of native and %.2f of classic histograms", name, q, have, want)
		}
	}
}

// bucket returns the classic bucket of a value.
func (v *view) bucket(name string, value float64, at time.Time) (lower, upper float64) {
	v.t.Helper()
	upper = math.Inf(1)
	for _, s := range v.query(fmt.Sprintf("group by (le) (%s_bucket{job=%q})", name, v.job), at) {
		le, err := strconv.ParseFloat(s.Metric["le"], 64)
		if err != nil {
			v.t.Fatal(err)
		}
		if le < value {
			lower = max(lower, le)
		} else {
			upper = min(upper, le)
		}
	}
	return lower, upper
}
