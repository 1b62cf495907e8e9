package e2e

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const (
	chatsOfARun  = 240
	lengthOfARun = 14 * time.Second
	zeroHold     = "8s" // many scrapes, so that a machine that is slow does not miss them all
)

// prometheusRun is a time in which chats end and the exporter is killed while Prometheus scrapes it.
type prometheusRun struct {
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

// newPrometheusRun starts all programs, and returns when each view has a scrape.
func newPrometheusRun(t *testing.T) *prometheusRun {
	t.Helper()
	major, version := prometheusVersion(t)
	zone := noonZone()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	r := &prometheusRun{t: t, version: version, keys: map[string]wolkvoxtest.Key{}, server: wolkvoxtest.NewServer(wolkvoxtest.Config{
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

// add adds chats.
func (r *prometheusRun) add(chats []wolkvoxtest.Chat) {
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
func (r *prometheusRun) scrape(features string, views []*view, lines map[string][]string) {
	r.t.Helper()
	var jobs []string
	for _, v := range views {
		jobs = append(jobs, scrapeJob(v.job, v.front.target(), lines[v.job]...))
	}
	for _, e := range r.exporters {
		eventually(r.t, "a first poll", e.isPolled)
	}
	p := startPrometheus(r.t, prometheusConfig(scrapeInterval, jobs...), "--enable-feature="+features)
	for _, v := range views {
		v.prometheus = p
	}
	r.views = append(r.views, views...)
}

// scrapeOld does so with Prometheus 2: its flags choose the format, except that a proxy can
// request text. Native histograms are scraped without classic ones.
func (r *prometheusRun) scrapeOld(e *exporter) {
	r.t.Helper()
	r.scrape("exemplar-storage", []*view{
		{job: "text", format: text, front: e.newProxy(text), classic: true, held: true},
		{job: "openmetrics", format: openMetrics, front: e.newProxy(""), classic: true, held: true},
	}, nil)
	r.scrape("exemplar-storage,native-histograms", []*view{
		{job: "protobuf", format: protobuf, front: e.newProxy(""), native: true, held: true},
	}, nil)
}

// scrapeNew does so with Prometheus 3: the job chooses the format, and a flag the created
// timestamps.
func (r *prometheusRun) scrapeNew(held, unheld *exporter) {
	r.t.Helper()
	const native, classic = "scrape_native_histograms: true", "always_scrape_classic_histograms: true"
	r.scrape("exemplar-storage", []*view{
		{job: "text", format: text, front: held.newProxy(""), classic: true, held: true},
		{job: "openmetrics", format: openMetrics, front: held.newProxy(""), classic: true, held: true},
		{job: "protobuf", format: protobuf, front: held.newProxy(""), classic: true, native: true, held: true},
	}, map[string][]string{
		"text":        {"scrape_protocols: [PrometheusText0.0.4]"},
		"openmetrics": {"scrape_protocols: [OpenMetricsText1.0.0]"},
		"protobuf":    {"scrape_protocols: [PrometheusProto]", native, classic},
	})
	r.scrape("exemplar-storage,created-timestamp-zero-ingestion", []*view{
		{job: "created", format: protobuf, front: held.newProxy(""), classic: true, native: true, created: true, held: true},
		{job: "created-without-zero-hold", format: protobuf, front: unheld.newProxy(""), classic: true, native: true, created: true},
	}, map[string][]string{
		"created":                   {native, classic},
		"created-without-zero-hold": {native, classic},
	})
}

// playChats lets the chats end, with a kill before one label set appears and one while
// another is held at 0, and returns when Prometheus has all.
func (r *prometheusRun) playChats() {
	r.t.Helper()
	r.add(chatsDuring(time.Now(), lengthOfARun, chatsOfARun))
	r.eventuallyShown(early)
	r.restart(func() {
		eventually(r.t, "a chat of the next label set", func() bool { return r.server.Truth(time.Now()).By[unseen.Key].Interactions > 0 })
	})
	r.eventuallyShown(once)
	r.restart(func() {})
	r.truth = r.server.Truth(time.Now().Add(time.Hour))
	// The checks of each view report whether it was shown, and what was missing.
	_ = await(func() bool {
		return !slices.ContainsFunc(r.views, func(v *view) bool { return !maps.Equal(v.latest(), v.expected(r.truth)) })
	})
	r.end = time.Now()
}

// eventuallyShown waits until Prometheus has a label set.
func (r *prometheusRun) eventuallyShown(p chatGroup) {
	r.t.Helper()
	interactions := figure{family: family{name: "wolkvox_chat_interactions_total"}, Key: p.Key}
	eventually(r.t, "a series of routing point "+p.RoutingPoint, func() bool {
		_, shown := r.views[0].latest()[interactions]
		return shown
	})
}

// restart kills the exporters, and starts them again after each view has had a failed
// scrape and meanwhile has returned. Polls fail until each view has scraped the saved
// state.
func (r *prometheusRun) restart(meanwhile func()) {
	r.t.Helper()
	killed := time.Now()
	for _, e := range r.exporters {
		e.kill()
	}
	r.eventuallyScraped(killed, "a failed scrape", func(_, failed int) bool { return failed > 0 })
	meanwhile()
	r.server.FailAlways(wolkvoxtest.Maintenance)
	started := time.Now()
	for _, e := range r.exporters {
		e.start()
	}
	r.eventuallyScraped(started, "scrapes again", func(good, _ int) bool { return good > 1 })
	r.server.Recover()
}

// eventuallyScraped waits until the scrapes of each view since a time fulfil a condition.
func (r *prometheusRun) eventuallyScraped(since time.Time, what string, wanted func(good, failed int) bool) {
	r.t.Helper()
	for _, v := range r.views {
		eventually(r.t, what+" by "+v.job, func() bool { return wanted(window{v, since, time.Now()}.scrapes()) })
	}
}
