package web

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

func none() []status.Snapshot { return nil }

func TestReload_ListsOperationsNotLoaded(t *testing.T) {
	h := Handler(Options{TelemetryPath: "/metrics", Metrics: metrics, Reload: func() error { return nil }, Snapshots: func() []status.Snapshot {
		return []status.Snapshot{polled("good"), with(status.Snapshot{Operation: "bad"}, notLoaded)}
	}})
	have := ask(t, h, "POST", "/-/reload")
	if body := have.Body.String(); have.Code != 200 || !strings.HasPrefix(body, "reloaded\n\"bad\" is not ready: it is not loaded: state_corrupt: ") || strings.Contains(body, "good") {
		t.Errorf("have %d %q, want 200 and the one that is not loaded", have.Code, body)
	}
}

func TestReload_RespondsWithResult(t *testing.T) {
	var calls int
	for _, test := range []struct {
		name, method string
		reload       func() error
		status       int
		body         string
		calls        int
	}{
		{"a good configuration", "POST", func() error { calls++; return nil }, 200, "reloaded\n", 1},
		{"a bad one", "POST", func() error { calls++; return errors.New("wolkvox.yml:3: operations: required: at least one") }, 500, "reloading failed: wolkvox.yml:3: operations: required: at least one\n", 1},
		{"a reload under way", "POST", func() error { calls++; return ErrReloading }, 409, "a reload is under way\n", 1},
		{"reloading is off", "POST", nil, 403, "reloading by HTTP is disabled: start with --web.enable-lifecycle\n", 0},
		{"a GET", "GET", func() error { calls++; return nil }, 405, "Method Not Allowed\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls = 0
			have := ask(t, Handler(Options{TelemetryPath: "/metrics", Metrics: metrics, Snapshots: none, Reload: test.reload}), test.method, "/-/reload")
			if have.Code != test.status || have.Body.String() != test.body || calls != test.calls {
				t.Errorf("have %d %q after %d calls, want %d %q after %d", have.Code, have.Body, calls, test.status, test.body, test.calls)
			}
		})
	}
}

func TestReload_RefusesPageOfAnotherSite(t *testing.T) {
	for _, test := range []struct {
		name, header, value string
		want                int
	}{
		{"no browser", "", "", 200},
		{"a page of ours", "Sec-Fetch-Site", "same-origin", 200},
		{"an address that was typed", "Sec-Fetch-Site", "none", 200},
		{"a page of another site", "Sec-Fetch-Site", "cross-site", 403},
		{"a page of another host", "Sec-Fetch-Site", "same-site", 403},
		{"an old browser, a page of ours", "Origin", "http://example.com", 200},
		{"an old browser, a page of another site", "Origin", "http://evil.example", 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			reloads := 0
			h := Handler(Options{TelemetryPath: "/metrics", Metrics: metrics, Snapshots: none, Reload: func() error { reloads++; return nil }})
			request := httptest.NewRequestWithContext(t.Context(), "POST", "/-/reload", nil)
			if test.header != "" {
				request.Header.Set(test.header, test.value)
			}
			have := httptest.NewRecorder()
			h.ServeHTTP(have, request)
			if have.Code != test.want || (reloads == 1) != (test.want == 200) {
				t.Errorf("have status %d after %d reloads, want %d: %s", have.Code, reloads, test.want, have.Body)
			}
		})
	}
}
