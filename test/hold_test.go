package test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func interactions(s samples) float64 { return s.sum("wolkvox_chat_interactions_total") }

// awaitCounted waits until as many chats are counted, shown or not, and returns the number of
// chats shown then.
func (e *exporter) awaitCounted(chats float64) (shown float64) {
	e.t.Helper()
	return interactions(e.await("counted chats", func(s samples) bool { return s.outcomes()["counted"] == chats && up(s) }))
}

// awaitShown waits until as many chats are shown. Their number must not fall on the way.
func (e *exporter) awaitShown(chats float64) {
	e.t.Helper()
	last := 0.0
	e.await("shown chats", func(s samples) bool {
		if have := interactions(s); have < last {
			e.t.Fatalf("have %v chats after %v", have, last)
		}
		last = interactions(s)
		return last == chats
	})
}

func TestServe_ShowsLoadedFiguresBeforeNewer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		hold   []string
		signal syscall.Signal
		held   time.Duration
	}{
		"default": {signal: syscall.SIGKILL, held: 2 * time.Minute},
		"short":   {hold: []string{"--collector.zero-hold=5s"}, signal: syscall.SIGTERM, held: 5 * time.Second},
		"none":    {hold: []string{"--collector.zero-hold=0s"}, signal: syscall.SIGKILL},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
			t.Cleanup(server.Close)
			server.Add(endingSoon(0, 20, time.Now().Add(-time.Minute), time.Second)...)
			program := pollCommand(server, append(tt.hold, "--poll.interval=1s", "--poll.reconcile-interval=0s")...)
			program.dir = t.TempDir()
			e := program.start(t)
			if shown := e.awaitCounted(20); shown != 20 {
				t.Errorf("have %v chats at the first start, want 20", shown)
			}
			e.stop(tt.signal)
			server.Add(endingSoon(100, 20, time.Now().Add(-time.Minute), time.Second)...)

			began := time.Now()
			e = program.start(t)
			shown := e.awaitCounted(40)
			switch took := time.Since(began); {
			case took < tt.held && shown != 20:
				t.Errorf("have %v chats %s after the second start, want those of before, 20", shown, took)
			case tt.held == 0 && shown != 40:
				t.Errorf("have %v chats without zero-hold, want 40", shown)
			}
			if tt.held > time.Minute {
				return
			}
			e.awaitShown(40)
			if took := time.Since(began); took < tt.held {
				t.Errorf("have the newer chats after %s, want the hold of %s", took, tt.held)
			}
		})
	}
}

func TestReload_ShowsLoadedFiguresBeforeNewer(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	add := func(first int) { server.Add(endingSoon(first, 20, time.Now().Add(-time.Minute), time.Second)...) }
	add(0)
	program := newProgram(t, operation("one", server))
	program.args = slices.Clone(program.args)
	for i, arg := range program.args {
		program.args[i] = strings.Replace(arg, "zero-hold=0s", "zero-hold=5s", 1)
	}
	e := program.start(t)
	e.awaitCounted(20)
	add(100)
	if shown := e.awaitCounted(40); shown != 40 {
		t.Errorf("have %v chats before the reload, want 40", shown)
	}

	began := time.Now()
	program.write(operation("one", server, "  timeout: 30s"))
	if status, body := e.reload(); status != 200 {
		t.Fatalf("have status %d: %s", status, body)
	}
	if shown := interactions(e.scrape()); shown != 40 {
		t.Errorf("have %v chats after the reload, want 40", shown)
	}
	add(200)
	if shown := e.awaitCounted(60); shown != 40 && time.Since(began) < 5*time.Second {
		t.Errorf("have %v chats in the hold, want 40", shown)
	}
	e.awaitShown(60)
}
