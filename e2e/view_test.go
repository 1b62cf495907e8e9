package e2e

import (
	"fmt"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// view is an exporter as a job of a Prometheus sees it.
type view struct {
	*prometheus
	job    string
	format string // what the Content-Type of its scrapes begins with
	front  *proxy

	classic bool // histograms arrive as _bucket, _sum and _count
	native  bool // histograms arrive as native ones
	created bool // counters begin with a 0 at their created timestamp
	held    bool // the exporter shows a new label set at 0 first
}

// window is a range of time of a view.
type window struct {
	*view
	from, until time.Time
}

// selector returns the selector of the view in the window, which follows a name.
func (w window) selector() string {
	return fmt.Sprintf("{job=%q}[%dms]", w.job, w.until.Sub(w.from).Milliseconds())
}

// scrapes returns the number of successful and of failed scrapes.
func (w window) scrapes() (good, failed int) {
	w.t.Helper()
	for _, s := range w.query("up"+w.selector(), w.until) {
		for _, up := range s.Values {
			if up.value == 1 {
				good++
			} else {
				failed++
			}
		}
	}
	return good, failed
}

// samples returns the samples of each figure.
func (w window) samples() map[figure][]sample {
	w.t.Helper()
	return groupSamples(w.query(fmt.Sprintf(`{__name__=~"wolkvox_chat_.+",%s`, w.selector()[1:]), w.until))
}

// latest returns the newest value of each figure.
func (v *view) latest() map[figure]float64 {
	v.t.Helper()
	values := map[figure]float64{}
	for f, samples := range groupSamples(v.query(fmt.Sprintf(`{__name__=~"wolkvox_chat_.+",job=%q}`, v.job), time.Now())) {
		values[f] = samples[0].value
	}
	return values
}

// groupSamples groups a result by figure, without buckets.
func groupSamples(result []series) map[figure][]sample {
	samples := map[figure][]sample{}
	for _, s := range result {
		name := s.Metric["__name__"]
		if s.Value != nil {
			s.Values = []sample{*s.Value}
		}
		if s.Histogram != nil {
			s.Histograms = []histogramSample{*s.Histogram}
		}
		if len(s.Values) > 0 && !strings.HasSuffix(name, "_bucket") {
			samples[newFigure(family{name, false}, s.Metric)] = s.Values
		}
		count, sum := newFigure(family{name + "_count", true}, s.Metric), newFigure(family{name + "_sum", true}, s.Metric)
		for _, h := range s.Histograms {
			samples[count] = append(samples[count], sample{h.at, h.count})
			samples[sum] = append(samples[sum], sample{h.at, h.sum})
		}
	}
	return samples
}

// increases returns the increases of a family's figures according to Prometheus.
func (w window) increases(f family) map[figure]float64 {
	w.t.Helper()
	values := map[figure]float64{}
	for _, s := range w.query(f.increase(w.selector()), w.until) {
		if s.Value != nil {
			values[newFigure(f, s.Metric)] = s.Value.value
		}
	}
	return values
}

// expected returns the figures for a truth in this view.
func (v *view) expected(truth wolkvoxtest.Truth) map[figure]float64 {
	return expected(truth, v.classic, v.native)
}
