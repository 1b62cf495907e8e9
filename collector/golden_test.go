package collector

import (
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

var update = flag.Bool("update", false, "update the golden files")

// memory is a store that takes its time.
type memory struct {
	state []byte
	size  int // of the next one
	err   error
	takes time.Duration
}

func (m *memory) Load() ([]byte, error) { return m.state, m.err }

func (m *memory) Save(*ledger.Transaction) (int, error) {
	time.Sleep(m.takes)
	if m.err == nil {
		m.state = make([]byte, m.size)
	}
	return m.size, m.err
}

// everything registers all that this package shows, of two operations with a
// fixed history. It belongs in a synctest bubble, whose clock starts at the same
// time always.
func everything(t *testing.T) *prometheus.Registry {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()

	busy := newHistory(3)
	bot, agent := busy.bot("101", "whatsapp", 12), busy.agent("101", "whatsapp", 22, 340)
	agent.AgentName, agent.ConnID = "Canary Agent", "1768782871.5521"
	early := unset(busy.agent("202", "web", 45, 900), wolkvox.ASA, wolkvox.GoToAgent)
	unfinished := busy.bot("101", "web", 5)
	unfinished.End = 0
	busy.read(ledger.Starting, bot, agent, early, unfinished, malformed(busy.bot("202", "web", 3700), wolkvox.TimesChatted))
	time.Sleep(5 * time.Minute)
	filled := early
	filled.Present |= 1 << wolkvox.GoToAgent
	set(&filled, wolkvox.ASA, 45)
	noEnd := malformed(busy.bot("101", "web", 5), wolkvox.EndDate)
	busy.read(ledger.Polling, bot, filled, noEnd,
		busy.bot("101", "whatsapp", 0), busy.agent("303", "telegram", 0, 60), busy.agent("404", "web", 7, 8000))
	revised := agent
	set(&revised, wolkvox.TotalTime, 9000)
	busy.read(ledger.Reconciling, bot, revised, busy.bot("505", "web", 20),
		busy.bot("101", "whatsapp", 86401), busy.bot("101", "whatsapp", 15))
	polled := time.Now()
	time.Sleep(5 * time.Minute)

	fresh := newHistory(100)
	fresh.read(ledger.Starting)
	time.Sleep(5 * time.Minute)
	fresh.read(ledger.Polling, fresh.agent("101", "whatsapp", 22, 340))

	used, limit := 337.0, 2000.0
	operations := []status.Snapshot{
		{Operation: "wv0042", View: busy.ledger.View(), Status: status.Status{
			Up: true, Ready: true, LastPoll: polled, LastReconcile: polled, NewestEnd: polled.Add(-40 * time.Second),
			ZoneProbed: true, ZoneBehind: time.Hour,
			TruncatedWindows: 2, TruncatedSeconds: 1, UnreadableSeconds: 3, Skipped: 90 * time.Minute,
			MissingKeys:   map[wolkvox.Field]bool{wolkvox.ASA: true, wolkvox.EndDate: false},
			RoutingPoints: map[string]string{"101": "Ventas", "202": `Soporte "técnico"`, "909": "without chats"},
			TokenInfo:     wolkvox.TokenInfo{Used: &used, Limit: &limit},
		}},
		{Operation: "fresh", View: fresh.ledger.View(), Status: status.Status{Up: true, Ready: true, LastPoll: time.Now()}},
		{Operation: "corrupt", Status: status.Status{NotLoaded: status.StateCorrupt}},
	}

	m := NewAPIMetrics()
	skew := -1500 * time.Millisecond
	m.Observe(wolkvox.Request{API: "chat_8", Result: wolkvox.OK, Duration: 800 * time.Millisecond, ClockSkew: &skew})
	m.Observe(wolkvox.Request{API: "chat_8", Result: wolkvox.Timeout, Duration: time.Minute})

	saves, disk := NewSaveMetrics(), &memory{size: 4096, takes: 20 * time.Millisecond}
	store := saves.Measure(disk)
	if _, err := store.Save(nil); err != nil {
		t.Fatal(err)
	}
	disk.size, disk.err = 5000, errors.New("disk full")
	if _, err := store.Save(nil); !errors.Is(err, disk.err) {
		t.Fatalf("have error %v, want the store's", err)
	}

	options := Options{ZeroHold: 2 * time.Minute, NativeHistograms: true}
	snapshot := func() *status.Snapshot { return &operations[0] }
	reg.MustRegister(
		newCollector(NewLedgerSource(snapshot, options)),
		newCollector(NewPollingSource(snapshot, m, saves)),
	)
	register(reg, operations[1:], options)
	NewStorageMetrics(reg).Observe("save", 20*time.Millisecond, nil)
	return reg
}

func TestExposition_MatchesGoldenFiles(t *testing.T) {
	for _, format := range []struct{ name, accept, file string }{
		{"text", "text/plain", "testdata/metrics.txt"},
		{"OpenMetrics", "application/openmetrics-text;version=1.0.0", "testdata/metrics.openmetrics.txt"},
	} {
		t.Run(format.name, func(t *testing.T) {
			var have string
			synctest.Test(t, func(t *testing.T) { have = scrape(t, everything(t), format.accept).Body.String() })
			if *update {
				if err := os.WriteFile(format.file, []byte(have), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(format.file)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.ReplaceAll(string(golden), "\r\n", "\n")
			compareLines(t, have, want)
			if strings.Contains(have, "_created") {
				t.Error("have _created lines: a Prometheus without the feature stores them as series")
			}
		})
	}
}

// compareLines reports the first difference: a whole exposition is too long to read.
func compareLines(t *testing.T, have, want string) {
	t.Helper()
	haves, wants := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range max(len(haves), len(wants)) {
		var h, w string
		if i < len(haves) {
			h = haves[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if h != w {
			t.Fatalf("line %d (run with -update if this is meant):\nhave %s\nwant %s", i+1, h, w)
		}
	}
}

func scrape(t *testing.T, g prometheus.Gatherer, accept string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(g, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP(recorder, request)
	if recorder.Code != 200 {
		t.Fatalf("have status %d: %s", recorder.Code, recorder.Body)
	}
	return recorder
}

func TestExposition_PassesPromlint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		problems, err := testutil.GatherAndLint(everything(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	})
}

func TestExposition_HasCreatedTimestampsInProtobuf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// As the scenario of everything has it.
		start := time.Now()
		born := map[string]time.Time{
			"wv0042 101 whatsapp": start,
			"wv0042 202 web":      start,
			"wv0042 303 telegram": start.Add(5 * time.Minute),
			"wv0042 other other":  start.Add(5 * time.Minute),
			"fresh 101 whatsapp":  start.Add(15 * time.Minute),
		}
		response := scrape(t, everything(t), string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
		format := expfmt.ResponseFormat(response.Header())
		if format.FormatType() != expfmt.TypeProtoDelim {
			t.Fatalf("have format %s", format)
		}
		seen := 0
		for f := range decodeFamilies(t, response.Body, format) {
			if !strings.HasPrefix(f.GetName(), "wolkvox_chat_") {
				continue
			}
			for _, m := range f.GetMetric() {
				l := map[string]string{}
				for _, pair := range m.GetLabel() {
					l[pair.GetName()] = pair.GetValue()
				}
				want := born[l["operation"]+" "+l["rp_id"]+" "+l["channel"]]
				have := m.GetCounter().GetCreatedTimestamp()
				if m.Histogram != nil {
					have = m.GetHistogram().GetCreatedTimestamp()
				}
				if have == nil || !have.AsTime().Equal(want) {
					t.Errorf("%s%v: have created %v, want %v", f.GetName(), l, have.AsTime(), want)
				}
				seen++
			}
		}
		if want := len(born) * 13; seen != want {
			t.Errorf("have %d metrics of chats, want %d", seen, want)
		}
	})
}
