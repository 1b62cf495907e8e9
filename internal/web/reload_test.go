package web

import (
	"errors"
	"testing"
)

func TestReloadingAnswersWithWhatCameOfIt(t *testing.T) {
	var calls int
	for _, test := range []struct {
		name, method string
		reload       func() error
		status       int
		body         string
		calls        int
	}{
		{"a good configuration", "POST", func() error { calls++; return nil }, 200, "reloaded\n", 1},
		{"a bad one", "POST", func() error { calls++; return errors.New("wolkvox.yml:3: operations: at least one is wanted") }, 500, "reloading failed: wolkvox.yml:3: operations: at least one is wanted\n", 1},
		{"nobody may ask", "POST", nil, 403, "reloading by HTTP is off: start with --web.enable-lifecycle\n", 0},
		{"a link is no order", "GET", func() error { calls++; return nil }, 405, "Method Not Allowed\n", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls = 0
			have := ask(t, Handler(Options{TelemetryPath: "/metrics", Metrics: metrics, Reload: test.reload}), test.method, "/-/reload")
			if have.Code != test.status || have.Body.String() != test.body || calls != test.calls {
				t.Errorf("have %d %q after %d calls, want %d %q after %d", have.Code, have.Body, calls, test.status, test.body, test.calls)
			}
		})
	}
}
