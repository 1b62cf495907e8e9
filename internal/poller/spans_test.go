package poller

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// slowReport takes a time that grows with the length of the window, and fails after the
// timeout of a request.
func slowReport(perHour time.Duration) *fakeReport {
	return &fakeReport{fail: func(_ int, w wolkvox.Window) error {
		needed := perHour * time.Duration(w.To-w.From) / 3600
		time.Sleep(min(needed, time.Minute))
		if needed > time.Minute {
			return failing(wolkvox.Timeout)
		}
		return nil
	}}
}

func TestPoller_HalvesSlowWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := slowReport(20 * time.Second) // three hours and no more
		start := time.Now()
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 5*time.Minute)
		time.Sleep(30 * time.Hour)
		for n := range 60 {
			report.chats = append(report.chats, chat(n+1, start.Add(time.Duration(n)*30*time.Minute)))
		}
		report.windows = nil
		runFor(t, p, 30*time.Minute)
		if have := interactions(p); have != 60 || !p.Snapshot().Status.Up {
			t.Errorf("have %d interactions, up %v, want 60 and true", have, p.Snapshot().Status.Up)
		}
		// 30 hours and then 64, and the first attempts.
		if have := len(report.windows); have > 80 {
			t.Errorf("have %d requests, want about 65", have)
		}
	})
}

func TestPoller_ShortensSpansAfterTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := slowReport(20 * time.Second)
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 2*time.Hour)
		report.windows = nil
		runFor(t, p, 24*time.Hour)
		tooLong := 0
		for _, w := range report.windows {
			if w.To-w.From > 3*3600 {
				tooLong++
			}
		}
		if tooLong > 24*4 {
			t.Errorf("have %d requests for more than the API can, want a few an hour", tooLong)
		}
		if have := len(report.windows); have > 700 {
			t.Errorf("requests in a day: have %d, want 288 and 24 times 16", have)
		}
		if s := p.Snapshot().Status; s.Failure != "" {
			t.Errorf("have %s", s.Failure)
		}
	})
}

func TestPoller_KeepsCompleteUntilWithShortSpans(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, time.Hour)
		var last time.Time
		report.fail = func(_ int, w wolkvox.Window) error {
			complete := p.Snapshot().View.Progress.CompleteUntil
			if complete.Before(last) {
				t.Errorf("complete until: have %v after %v", complete, last)
			}
			last = complete
			if w.To-w.From > 10*60 {
				return failing(wolkvox.Timeout)
			}
			return nil
		}
		runFor(t, p, time.Hour)
	})
}

// With a firewall that drops all packets every request times out. That must not change the
// length of spans for long.
func TestPoller_CatchesUpWithFewRequestsAfterTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, time.Hour)
		report.fail = func(int, wolkvox.Window) error {
			time.Sleep(time.Minute)
			return failing(wolkvox.Timeout)
		}
		report.windows = nil
		runFor(t, p, 20*time.Hour)
		if have := len(report.windows); have > 20*12+4 {
			t.Errorf("requests in an outage of 20 hours: have %d, want one a poll", have)
		}
		report.fail, report.windows = nil, nil
		for n := range 20 {
			report.chats = append(report.chats, chat(n+1, start.Add(time.Hour+time.Duration(n)*time.Hour)))
		}
		p.poll(t.Context())
		if have := interactions(p); have != 20 {
			t.Errorf("interactions: have %d, want 20", have)
		}
		if have := len(report.windows); have > 16 {
			t.Errorf("requests to catch up: have %d, want about a dozen", have)
		}
	})
}

func TestPoller_ShortensSpansToRowLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 500,000 chats in one goroutine")
	}
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		start := time.Now()
		for n := range 500_000 {
			report.chats = append(report.chats, chat(n+1, start.Add(-time.Duration(n)*20*time.Hour/500_000)))
		}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())
		before := p.Snapshot().Status.TruncatedWindows
		time.Sleep(time.Hour)
		report.windows = nil
		p.poll(t.Context())
		// Halves that are as long as a truncated window are not requested.
		if have := p.Snapshot().Status.TruncatedWindows; before > 5 || have > before+10 {
			t.Errorf("have %d windows split the first time, %d by the second, want 5 and 10 more at most", before, have)
		}
		if have := len(report.windows); have > 40 {
			t.Errorf("requests: have %d, want about 25", have)
		}
	})
}

// Without a limit of splits, an API that truncates every response would be asked for every
// second.
func TestPoller_StopsSplittingIfEveryWindowIsTruncated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &truncating{limit: 100, says: saysNothing}
		start := time.Now()
		report.add(200, start.Add(-4*time.Minute), 4*time.Minute, rand.New(rand.NewPCG(1, 0)))
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context()) // It learns the limit.
		report.sameRows = true
		const givenUp = "far too many responses are truncated"
		requests := func() int {
			c := p.newCycle()
			if err := p.pollReport(t.Context(), c); err == nil || !strings.Contains(err.Error(), givenUp) {
				t.Errorf("have %v, want %q", err, givenUp)
			} else {
				p.polling.Begin(p.logger, "poll", err)
			}
			return c.reading.Stats().Requests
		}
		if have, most := requests(), 2*200; have > most {
			t.Errorf("requests: have %d, want at most %d", have, most)
		}
		if have, most := requests(), 2*20; have > most {
			t.Errorf("while it lasts: have %d requests, want at most %d", have, most)
		}
		if wait, want := time.Until(p.reader.QuietUntil()), 29*time.Minute; wait < want {
			t.Errorf("have a next request in %v, want one in %v", wait, want)
		}
	})
}

// The reconcile of a busy operation takes many requests, and one of them may fail each time.
func TestPoller_ContinuesFailedReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := slowReport(20 * time.Second) // a reconcile takes nine requests or more
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 2*time.Hour)
		slow, n := report.fail, 0
		report.fail = func(i int, w wolkvox.Window) error {
			if n++; n%4 == 3 {
				return failing(wolkvox.Malformed)
			}
			return slow(i, w)
		}
		reconciled := p.Snapshot().View.Progress.Reconciled
		runFor(t, p, 3*time.Hour)
		if have := p.Snapshot().View.Progress.Reconciled; have.Sub(reconciled) < 90*time.Minute {
			t.Errorf("reconciled until: have %v, had %v three hours before", have, reconciled)
		}
	})
}
