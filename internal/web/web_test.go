package web

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// metrics is a fake handler of /metrics.
var metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "wolkvox_up 1\n") })

func handler(operations ...status.Snapshot) http.Handler {
	return Handler(Options{TelemetryPath: "/metrics", Metrics: metrics, Snapshots: func() []status.Snapshot { return operations }, Version: "wolkvox_exporter 1.2.3"})
}

func ask(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return recorder
}

// polled returns an operation whose last poll has just succeeded.
func polled(name string) status.Snapshot {
	counted := ledger.New(ledger.Options{MaxLabelSets: 1})
	transaction := counted.Begin(0)
	transaction.Progress.CompleteUntil = time.Now().Add(-3 * time.Minute)
	transaction.Commit()
	return status.Snapshot{Operation: name, View: counted.View(), Status: status.Status{
		Up: true, Ready: true, LastPoll: time.Now().Add(-3 * time.Minute), NextPoll: time.Now().Add(2 * time.Minute),
		Rows: [ledger.Outcomes]uint64{ledger.Counted: 12, ledger.Duplicate: 30},
	}}
}

func with(s status.Snapshot, change func(*status.Status)) status.Snapshot {
	change(&s.Status)
	return s
}

func notLoaded(s *status.Status) {
	s.NotLoaded = status.StateCorrupt
	s.Failure = `loading the state of operation "wv0042": loading "/secret/path": cut`
	s.FailingSince = time.Now().Add(-90 * time.Second)
	s.LastFailure.At = s.FailingSince
}

func TestHandler_ShowsWhyOperationIsNotLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		operation := with(status.Snapshot{Operation: "wv0042"}, notLoaded)
		page := ask(t, handler(operation), "GET", "/").Body.String()
		for _, want := range []string{`<strong class="bad">not loaded</strong>`, "state_corrupt: its saved state is truncated or corrupt", "1 minute ago"} {
			if !strings.Contains(page, want) {
				t.Errorf("have no %q in\n%s", want, page)
			}
		}
		ready := ask(t, handler(polled("good"), operation), "GET", "/-/ready")
		if want := `"wv0042" is not ready: it is not loaded: state_corrupt: `; ready.Code != 503 || !strings.HasPrefix(ready.Body.String(), want) {
			t.Errorf("have status %d and %q, want 503 and %q", ready.Code, ready.Body, want)
		}
		shown := newOperationOverview(&operation)
		if shown.State != "not loaded" || shown.Up || shown.Ready || shown.Failure == nil || !strings.HasPrefix(shown.Failure.Explanation, "state_corrupt: ") {
			t.Errorf("have %+v", shown)
		}
		if strings.Contains(page+ready.Body.String()+shown.Failure.Explanation, "secret") {
			t.Error("have the path of the state shown")
		}
	})
}

func TestLoadFailures_AreAllExplained(t *testing.T) {
	for _, failure := range []status.LoadFailure{
		status.StateCorrupt, status.StateForeign, status.StateNewer, status.StateOlder, status.StateMissing,
		status.StateUnreadable, status.StateBehind, status.TokenFile, status.HTTPFile,
	} {
		if loadFailures[failure] == "" {
			t.Errorf("%s is not explained", failure)
		}
	}
}

func failing(s *status.Status) {
	s.Up = false
	s.Failure = `Get "https://secret.example": dial tcp 10.1.2.3:443`
	s.Result = wolkvox.TokenRejected
	s.FailingSince = time.Now().Add(-90 * time.Second)
	s.LastFailure = status.LastFailure{At: time.Now().Add(-30 * time.Second), Result: s.Result}
}

func TestHandler_ShowsStuckOperation(t *testing.T) {
	stuck := with(polled("wv0042"), func(s *status.Status) { s.StuckAfter = time.Now().Add(-2 * time.Minute) })
	body := ask(t, handler(stuck), "GET", "/").Body.String()
	for _, want := range []string{`<strong class="bad">stuck</strong>`, "no poll has ended and nothing was saved for too long", "2 minutes ago"} {
		if !strings.Contains(body, want) {
			t.Errorf("want %q in\n%s", want, body)
		}
	}
	if shown := newOperationOverview(&stuck); shown.Up || !shown.Ready || shown.State != "stuck" || shown.Failure == nil || shown.Failure.Since.IsZero() {
		t.Errorf("have %+v", shown)
	}
	first := with(stuck, func(s *status.Status) { s.Up, s.Ready = false, false })
	if body := ask(t, handler(first), "GET", "/-/ready").Body.String(); !strings.Contains(body, "it is stuck: no poll has ended") {
		t.Errorf("have %q", body)
	}
}

func TestHandler_ServesPaths(t *testing.T) {
	for _, test := range []struct {
		telemetry, method, path string
		status                  int
		body                    string
	}{
		{"/metrics", "GET", "/", 200, "<h1>wolkvox_exporter</h1>"},
		{"/metrics", "GET", "/metrics", 200, "wolkvox_up 1\n"},
		{"/metrics", "GET", "/metrics?name[]=wolkvox_up", 200, "wolkvox_up 1\n"},
		{"/metrics", "GET", "/-/healthy", 200, "wolkvox_exporter is healthy\n"},
		{"/metrics", "GET", "/-/ready", 200, "wolkvox_exporter is ready\n"},
		{"/metrics", "GET", "/metrics/", 404, ""},
		{"/metrics", "GET", "//", 307, ""},
		{"/metrics", "GET", "/index.html", 404, ""},
		{"/metrics", "GET", "/-/", 404, ""},
		{"/metrics", "GET", "/../metrics", 307, ""},
		{"/metrics", "POST", "/nowhere", 404, ""},
		{"/metrics", "POST", "/", 405, ""},
		{"/metrics", "PUT", "/metrics", 405, ""},
		{"/metrics", "DELETE", "/-/healthy", 405, ""},
		{"/metrics", "OPTIONS", "/-/ready", 405, ""},
		{"/", "GET", "/", 200, "wolkvox_up 1\n"},
		{"/", "GET", "/metrics", 404, ""},
		{"/", "GET", "/-/ready", 200, "wolkvox_exporter is ready\n"},
		{"/scrape/", "GET", "/scrape/", 200, "wolkvox_up 1\n"},
		{"/scrape/", "GET", "/scrape/below", 404, ""},
	} {
		t.Run(test.telemetry+" "+test.method+" "+test.path, func(t *testing.T) {
			h := Handler(Options{TelemetryPath: test.telemetry, Metrics: metrics, Snapshots: func() []status.Snapshot { return []status.Snapshot{polled("wv0042")} }})
			have := ask(t, h, test.method, test.path)
			if have.Code != test.status || !strings.Contains(have.Body.String(), test.body) {
				t.Errorf("have %d %q, want %d %q", have.Code, have.Body, test.status, test.body)
			}
			if allow := have.Header().Get("Allow"); (have.Code == 405) != (allow == "GET, HEAD") {
				t.Errorf("have Allow %q with status %d", allow, have.Code)
			}
		})
	}
}

func TestCheckTelemetryPath_RefusesOtherPaths(t *testing.T) {
	for path, ok := range map[string]bool{
		"/metrics": true, "/": true, "/a/b": true, "/a/": true, "/-metrics": true,
		"": false, "metrics": false, "/-/metrics": false, "/{x}": false, "//": false, "/a//b": false, "/a/../b": false, "/a b": false, "/a?b": false, "/a%20b": false,
	} {
		if err := CheckTelemetryPath(path); (err == nil) != ok {
			t.Errorf("%q: have %v", path, err)
		}
		if ok {
			Handler(Options{TelemetryPath: path, Metrics: metrics})
		}
	}
}

func TestHandler_HeadHasNoBody(t *testing.T) {
	server := httptest.NewServer(handler(polled("wv0042")))
	defer server.Close()
	for _, path := range []string{"/", "/metrics", "/-/healthy", "/-/ready"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || len(body) > 0 {
			t.Errorf("%s: have status %d, body %q, error %v", path, response.StatusCode, body, err)
		}
	}
}

func TestReady_WaitsForEveryOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := status.Snapshot{Operation: "never"}
		refused := with(polled("refused"), func(s *status.Status) { failing(s); s.Ready = false })
		broken := with(refused, func(s *status.Status) { s.Result = "" })
		// Only the first poll decides whether it is ready.
		later := with(polled("later"), failing)
		for _, test := range []struct {
			name       string
			operations []status.Snapshot
			status     int
			body       string
		}{
			{"none", nil, 200, "wolkvox_exporter is ready\n"},
			{"all", []status.Snapshot{polled("a"), later}, 200, "wolkvox_exporter is ready\n"},
			{"never polled", []status.Snapshot{polled("a"), never}, 503, `"never" is not ready: its first poll has not ended yet` + "\n"},
			{
				"two",
				[]status.Snapshot{never, refused, polled("a")},
				503,
				`"never" is not ready: its first poll has not ended yet` + "\n" +
					`"refused" is not ready: its first poll has not succeeded: token_rejected: the API refuses the token: ` +
					"it is wrong, expired or of another operation, since 1999-12-31 23:58:30 UTC (1 minute ago)\n",
			},
			{
				"not the API",
				[]status.Snapshot{broken},
				503,
				`"refused" is not ready: its first poll has not succeeded: the exporter itself failed, see the log, ` +
					"since 1999-12-31 23:58:30 UTC (1 minute ago)\n",
			},
		} {
			have := ask(t, handler(test.operations...), "GET", "/-/ready")
			if have.Code != test.status || have.Body.String() != test.body {
				t.Errorf("%s:\nhave %d %s\nwant %d %s", test.name, have.Code, have.Body, test.status, test.body)
			}
		}
	})
}

func TestLanding_ShowsEachState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		up := polled("wv0042")
		for _, test := range []struct {
			name      string
			operation status.Snapshot
			want      []string
		}{
			{"never polled", status.Snapshot{Operation: "wv0042"}, []string{
				`<strong class="">first poll under way</strong></td>`,
				`<td data-label="Last poll that succeeded">none since the start</td>`, `<td data-label="Complete until">never</td>`,
				`<td data-label="Rows of that poll">none</td>`, `<td data-label="Next poll">now</td>`,
			}},
			{"up", up, []string{
				`<strong class="good">up</strong></td>`,
				`<td data-label="Last poll that succeeded"><time datetime="1999-12-31T23:57:00Z">1999-12-31 23:57:00 UTC</time> <span class="quiet">(3 minutes ago)</span></td>`,
				`<td data-label="Complete until"><time datetime="1999-12-31T23:57:00Z">1999-12-31 23:57:00 UTC</time> <span class="quiet">(3 minutes ago)</span></td>`,
				`<td data-label="Rows of that poll"><span>12 counted</span>, <span>30 duplicate</span></td>`,
				`<td data-label="Next poll"><time datetime="2000-01-01T00:02:00Z">2000-01-01 00:02:00 UTC</time> <span class="quiet">(in 2 minutes)</span></td>`,
				`<td data-label="Last failure">none since the start</td>`,
			}},
			{"up again", with(with(up, failing), func(s *status.Status) { s.Up, s.Failure, s.Result = true, "", "" }), []string{
				`<strong class="good">up</strong></td>`,
				`<td data-label="Last failure">token_rejected<br><time datetime="1999-12-31T23:59:30Z">1999-12-31 23:59:30 UTC</time> <span class="quiet">(30 seconds ago)</span></td>`,
			}},
			{"nothing came", with(up, func(s *status.Status) { clear(s.Rows[:]) }), []string{
				`<td data-label="Rows of that poll">none</td>`,
			}},
			{"poll under way", with(up, func(s *status.Status) { s.NextPoll = time.Now() }), []string{
				`<td data-label="Next poll">now</td>`,
			}},
			{"failing", with(up, failing), []string{
				`<strong class="bad">failing</strong><br>token_rejected: the API refuses the token: it is wrong, ` +
					`expired or of another operation, since <time datetime="1999-12-31T23:58:30Z">1999-12-31 23:58:30 UTC</time> <span class="quiet">(1 minute ago)</span></td>`,
			}},
			{"failing from the start", with(up, func(s *status.Status) { failing(s); s.Ready = false }), []string{
				`<strong class="bad">failing since the start</strong><br>token_rejected`,
			}},
			{"not the API", with(up, func(s *status.Status) { failing(s); s.Result = "" }), []string{
				`<strong class="bad">failing</strong><br>the exporter itself failed, see the log, since`,
			}},
			{"reconciling fails", with(up, func(s *status.Status) { failing(s); s.Up = true }), []string{
				`<strong class="bad">up, but reconciling fails</strong><br>token_rejected`,
			}},
		} {
			have := ask(t, handler(test.operation), "GET", "/").Body.String()
			want := append(test.want, `<a href="./metrics">Metrics at /metrics</a>`, `wolkvox_exporter 1.2.3 · as of <time datetime="2000-01-01T00:00:00Z">2000-01-01 00:00:00 UTC</time>`)
			for _, want := range want {
				if !strings.Contains(have, want) {
					t.Errorf("%s: have %s\nwant in it %s", test.name, have, want)
				}
			}
			if strings.Contains(have, "secret") {
				t.Errorf("%s: the page quotes the failure, which may name addresses", test.name)
			}
		}
	})
}

func TestLanding_EscapesNames(t *testing.T) {
	hostile := "<script>alert(1)</script>\"'&\n</td>\xff"
	h := handler(status.Snapshot{Operation: hostile}, polled("wv0042"))
	landing := ask(t, h, "GET", "/").Body.String()
	if strings.Contains(landing, "<script") || !strings.Contains(landing, "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;\n&lt;/td&gt;") {
		t.Errorf("have %s, want the name escaped", landing)
	}
	ready := ask(t, h, "GET", "/-/ready").Body.String()
	if strings.Count(ready, "\n") != 1 {
		t.Errorf("have %q, want one line", ready)
	}
}

func TestHandler_LetsBrowserLoadNothing(t *testing.T) {
	h := handler(polled("wv0042"))
	for _, path := range []string{"/", "/metrics", "/-/healthy", "/-/ready", "/nowhere"} {
		header := ask(t, h, "GET", path).Header()
		if have := header.Get("X-Content-Type-Options"); have != "nosniff" {
			t.Errorf("%s: have X-Content-Type-Options %q", path, have)
		}
		if have := header.Get("Content-Security-Policy"); !strings.HasPrefix(have, "default-src 'none'; ") {
			t.Errorf("%s: have Content-Security-Policy %q", path, have)
		}
	}
	// The style is applied only if it arrives as it was hashed.
	landing := ask(t, h, "GET", "/")
	_, rest, _ := strings.Cut(landing.Body.String(), "<style>")
	style, _, ok := strings.Cut(rest, "</style>")
	hash := sha256.Sum256([]byte(style))
	want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "';"
	if have := landing.Header().Get("Content-Security-Policy"); !ok || !strings.Contains(have, want) {
		t.Errorf("have %q, want in it %q", have, want)
	}
}

func TestFormatDistance_UsesLargestUnit(t *testing.T) {
	now := time.Now()
	for d, want := range map[time.Duration]string{
		0:                       "now",
		-999 * time.Millisecond: "now",
		-time.Second:            "1 second ago",
		59 * time.Second:        "in 59 seconds",
		time.Minute:             "in 1 minute",
		-119 * time.Second:      "1 minute ago",
		-time.Hour:              "1 hour ago",
		47 * time.Hour:          "in 47 hours",
		-48 * time.Hour:         "2 days ago",
		-400 * 24 * time.Hour:   "400 days ago",
	} {
		if have := formatDistance(now.Add(d), now); have != want {
			t.Errorf("%s: have %q, want %q", d, have, want)
		}
	}
}
