package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const (
	chatsOfARun  = 240
	lengthOfARun = 14 * time.Second
	zeroHold     = "8s" // many scrapes, so that a machine that is slow does not miss them all
)

// run is a time in which chats end and the exporter is killed, as Prometheus sees it.
type run struct {
	t       *testing.T
	version string
	server  *wolkvoxtest.Server

	exporters []*exporter
	views     []*view

	begin, end time.Time
	before     wolkvoxtest.Truth          // when each view had its first scrape
	truth      wolkvoxtest.Truth          // at the end
	keys       map[string]wolkvoxtest.Key // of chats, by their conn_id
}

// TestTheFigureInPrometheusIsTheTruth lets chats end while a real Prometheus
// scrapes in every format, and the exporter is killed twice.
func TestTheFigureInPrometheusIsTheTruth(t *testing.T) {
	t.Parallel()
	r := newRun(t)
	r.play()
	for _, v := range r.views {
		t.Run(v.job, func(t *testing.T) {
			if format, _ := v.front.format.Load().(string); !strings.HasPrefix(format, v.format) {
				t.Errorf("have scrapes as %q, want %q", format, v.format)
			}
			w := window{view: v, from: r.begin, until: r.end}
			r.compare(t, w)
			if v.native {
				quantilesAgree(t, w, r.views)
			}
			r.exemplars(t, w)
		})
	}
}

// newRun starts everything, and returns when each view has a scrape.
func newRun(t *testing.T) *run {
	t.Helper()
	major, version := prometheusVersion(t)
	zone := noonZone()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{t: t, version: version, keys: map[string]wolkvoxtest.Key{}, server: wolkvoxtest.NewServer(wolkvoxtest.Config{
		Location: location,
		Limits:   wolkvoxtest.Limits{RequestsPerDay: -1},
		Readings: wolkvoxtest.Readings{ListOpen: wolkvoxtest.EmptyEnd, FillDelay: 2 * time.Second},
	})}
	t.Cleanup(r.server.Close)
	r.add(chatsBefore(time.Now().Add(-time.Minute)))
	r.begin = time.Now()

	exporter := func(token, zeroHold string) *exporter {
		e := newExporter(t, r.server, token, zone,
			"--poll.interval=1s", "--poll.overlap=1m", "--poll.initial-window=10m",
			"--poll.reconcile-interval=5s", "--poll.reconcile-window=20m", "--collector.zero-hold="+zeroHold, "--collector.exemplars")
		r.exporters = append(r.exporters, e)
		return e
	}
	held := exporter("one", zeroHold)
	if major == 2 {
		r.scrapeOld(held)
	} else {
		r.scrapeNew(held, exporter("another", "0s"))
	}
	for _, v := range r.views {
		eventually(t, "a scrape by "+v.job, func() bool { return len(v.latest()) > 0 })
	}
	r.before = r.server.Truth(time.Now())
	return r
}

// add enters chats.
func (r *run) add(chats []wolkvoxtest.Chat) {
	for _, c := range chats {
		r.keys[c.ConnID] = wolkvoxtest.Key{RoutingPoint: c.RoutingPoint, Channel: c.Channel}
	}
	r.server.Add(chats...)
}

const (
	scrapeInterval = "500ms"

	text        = "text/plain"
	openMetrics = "application/openmetrics-text"
	protobuf    = "application/vnd.google.protobuf"
)

// scrape starts a Prometheus with views.
func (r *run) scrape(features string, views []*view, lines map[string][]string) {
	r.t.Helper()
	var jobs []string
	for _, v := range views {
		jobs = append(jobs, scrapeJob(v.job, v.front.target(), lines[v.job]...))
	}
	for _, e := range r.exporters {
		eventually(r.t, "a first poll", e.polled)
	}
	p := startPrometheus(r.t, scraping(scrapeInterval, jobs...), "--enable-feature="+features)
	for _, v := range views {
		v.prometheus = p
	}
	r.views = append(r.views, views...)
}

// scrapeOld does so with Prometheus 2: the format is the program's, except that
// a proxy can ask for text. Native histograms come without classic ones.
func (r *run) scrapeOld(e *exporter) {
	r.t.Helper()
	r.scrape("exemplar-storage", []*view{
		{job: "text", format: text, front: e.front(text), classic: true, held: true},
		{job: "openmetrics", format: openMetrics, front: e.front(""), classic: true, held: true},
	}, nil)
	r.scrape("exemplar-storage,native-histograms", []*view{
		{job: "protobuf", format: protobuf, front: e.front(""), native: true, held: true},
	}, nil)
}

// scrapeNew does so with Prometheus 3: the format is the job's. Created
// timestamps are the program's.
func (r *run) scrapeNew(held, unheld *exporter) {
	r.t.Helper()
	const native, classic = "scrape_native_histograms: true", "always_scrape_classic_histograms: true"
	r.scrape("exemplar-storage", []*view{
		{job: "text", format: text, front: held.front(""), classic: true, held: true},
		{job: "openmetrics", format: openMetrics, front: held.front(""), classic: true, held: true},
		{job: "protobuf", format: protobuf, front: held.front(""), classic: true, native: true, held: true},
	}, map[string][]string{
		"text":        {"scrape_protocols: [PrometheusText0.0.4]"},
		"openmetrics": {"scrape_protocols: [OpenMetricsText1.0.0]"},
		"protobuf":    {"scrape_protocols: [PrometheusProto]", native, classic},
	})
	r.scrape("exemplar-storage,created-timestamp-zero-ingestion", []*view{
		{job: "created", format: protobuf, front: held.front(""), classic: true, native: true, created: true, held: true},
		{job: "created-without-zero-hold", format: protobuf, front: unheld.front(""), classic: true, native: true, created: true},
	}, map[string][]string{
		"created":                   {native, classic},
		"created-without-zero-hold": {native, classic},
	})
}

// play lets the chats end, with a kill while one label set is about to be born
// and one while another is held at 0, and returns when all is seen.
func (r *run) play() {
	r.t.Helper()
	r.add(chatsDuring(time.Now(), lengthOfARun, chatsOfARun))
	r.eventuallyShown(early)
	r.restart(func() {
		eventually(r.t, "a chat of the next label set", func() bool { return r.server.Truth(time.Now()).By[unseen.Key].Interactions > 0 })
	})
	r.eventuallyShown(once)
	r.restart(func() {})
	r.truth = r.server.Truth(time.Now().Add(time.Hour))
	// Whether it ever came, and what did not, is told by a closer look at each view.
	_ = await(func() bool {
		return !slices.ContainsFunc(r.views, func(v *view) bool { return !maps.Equal(v.latest(), v.expected(r.truth)) })
	})
	r.end = time.Now()
}

// eventuallyShown waits until Prometheus has a label set.
func (r *run) eventuallyShown(p part) {
	r.t.Helper()
	interactions := figure{family: family{name: "wolkvox_chat_interactions_total"}, Key: p.Key}
	eventually(r.t, "a series of routing point "+p.RoutingPoint, func() bool {
		_, shown := r.views[0].latest()[interactions]
		return shown
	})
}

// restart kills the exporters, and starts them again when each view has had a
// failed scrape and something else has happened.
func (r *run) restart(meanwhile func()) {
	r.t.Helper()
	killed := time.Now()
	for _, e := range r.exporters {
		e.kill()
	}
	for _, v := range r.views {
		eventually(r.t, "a failed scrape by "+v.job, func() bool {
			_, failed := window{v, killed, time.Now()}.scrapes()
			return failed > 0
		})
	}
	meanwhile()
	for _, e := range r.exporters {
		e.start()
	}
}

// compare holds what Prometheus has against the truth, figure by figure.
func (r *run) compare(t *testing.T, w window) {
	t.Helper()
	want, first := w.expected(r.truth), w.expected(r.before)
	if w.created {
		clear(first) // A 0 is before everything.
	}
	samples, families := w.samples(), map[family]map[figure]float64{}
	for f := range samples {
		if _, ok := want[f]; !ok {
			t.Errorf("%s: have a series, want none", f)
		}
	}
	var difference, factor, resets float64
	chats := struct{ grown, most float64 }{}
	for f, last := range want {
		have := samples[f]
		if len(have) < 2 {
			t.Errorf("%s: have %d samples, want many", f, len(have))
			continue
		}
		grown := last - first[f]
		difference = max(difference, math.Abs(have[len(have)-1].value-have[0].value-grown))
		// A created timestamp is later than a scrape that was under way then, which
		// sees what it is about. The 0 comes second in such a series.
		if w.held {
			if have[0].value != first[f] || have[len(have)-1].value != last {
				t.Errorf("%s: have samples from %v to %v, want %v to %v", f, have[0].value, have[len(have)-1].value, first[f], last)
			}
			if !slices.IsSortedFunc(have, func(a, b sample) int { return cmp.Compare(a.value, b.value) }) {
				t.Errorf("%s: have values that fall: %v", f, have)
			}
		}
		if families[f.family] == nil {
			families[f.family] = w.increases(f.family)
		}
		// increase() is the growth between the first and the last sample, times
		// (sampled + toStart + toEnd) / sampled. Neither of the two that are added
		// is more than 1.1 average distances of samples, of which sampled has one
		// less than there are samples.
		most := 1 + 2*1.1/float64(len(have)-1)
		increase, ok := families[f.family][f]
		if !ok || !between(grown, increase, grown*most) {
			t.Errorf("%s: have an increase by %v (%t), want %v to %v", f, increase, ok, grown, grown*most)
		}
		if grown > 0 {
			factor = max(factor, increase/grown)
		}
		if f.name == "wolkvox_chat_interactions_total" {
			chats.grown += grown
			chats.most += grown * most
		}
	}
	for f := range families {
		resets += w.number(fmt.Sprintf("sum(resets(%s%s))", f.series(), w.selector()), w.until)
	}
	if w.held && resets != 0 {
		t.Errorf("have %v resets, want none", resets)
	}
	sum := w.number(fmt.Sprintf("sum(increase(wolkvox_chat_interactions_total%s))", w.selector()), w.until)
	if !between(chats.grown, sum, chats.most) {
		t.Errorf("have a sum of the increases of chats of %v, want %v to %v", sum, chats.grown, chats.most)
	}
	good, failed := w.scrapes()
	if failed == 0 {
		t.Error("have no failed scrape, want some from when the exporter was killed")
	}
	t.Logf("Prometheus %s, %s: %v chats in %d label sets, %d scrapes, %d more that failed; in %d series last minus first differs from the truth by %v; sum(increase()) of chats is %.2f, the bound %.2f; the largest increase() of a series is %.4f of the truth; %v resets",
		r.version, w.format, chats.grown, len(r.truth.By), good, failed, len(want), difference, sum, chats.most, factor, resets)
}

// between tells whether have is within bounds, but for the rounding of floats.
func between(least, have, most float64) bool {
	const rounding = 1e-9
	return have >= least*(1-rounding) && have <= most*(1+rounding)
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
			if !between(lower/growth, have, upper*growth) {
				t.Errorf("%s: have the quantile %v at %v of native histograms, want it near %v, between %v and %v", name, q, have, want, lower, upper)
			}
			t.Logf("%s: the quantile %v is %.2f of native and %.2f of classic histograms", name, q, have, want)
		}
	}
}

// bucket is the classic bucket that a value is in.
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

// exemplars checks that those that Prometheus has name a chat of the series, and
// nothing else.
func (r *run) exemplars(t *testing.T, w window) {
	t.Helper()
	count := 0
	for _, s := range w.prometheus.exemplars(fmt.Sprintf(`{__name__=~"wolkvox_.+",job=%q}`, w.job), w.from, w.until) {
		key := figureOf(family{}, s.SeriesLabels).Key
		for _, e := range s.Exemplars {
			count++
			if id := e.Labels["conn_id"]; len(e.Labels) != 1 || r.keys[id] != key {
				t.Errorf("%v: have an exemplar with %v, want the conn_id of a chat there and nothing else", s.SeriesLabels, e.Labels)
			}
		}
	}
	t.Logf("%s: %d exemplars", w.job, count)
	if wanted := w.format != text; (count > 0) != wanted {
		t.Errorf("have %d exemplars, want some: %t", count, wanted)
	}
}
