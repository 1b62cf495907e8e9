package poller

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestPoller_RetriesSpentQuotaEveryHalfHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{fail: func(int, wolkvox.Window) error { return failing(wolkvox.QuotaExceeded) }}
		runFor(t, newPoller(t, report, &store.Memory{}, options()), 4*time.Hour)
		if have := len(report.windows); have < 7 || have > 9 {
			t.Errorf("requests in four hours: have %d, want about 8", have)
		}
	})
}

func TestPoller_WaitsForRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{fail: func(n int, _ wolkvox.Window) error {
			if n == 0 {
				return &wolkvox.Error{Result: wolkvox.RateLimited, RetryAfter: time.Hour}
			}
			return nil
		}}
		runFor(t, newPoller(t, report, &store.Memory{}, options()), 2*time.Hour)
		if wait := report.times[1].Sub(report.times[0]); wait < time.Hour || wait > time.Hour+5*time.Minute {
			t.Errorf("next request after %v, want an hour and a tick", wait)
		}
	})
}

func TestPoller_RetriesTransientFaultQuickly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{fail: func(n int, _ wolkvox.Window) error {
			if n < 3 {
				return failing(wolkvox.ServerError)
			}
			return nil
		}}
		p := newPoller(t, report, &store.Memory{}, options())
		start := time.Now()
		p.poll(t.Context())
		if took := time.Since(start); !p.Snapshot().Status.Up || took < 3*time.Second || took > 15*time.Second {
			t.Errorf("up %v after %v, want true after about 7 s", p.Snapshot().Status.Up, took)
		}
	})
}

func TestPoller_SpendsOneRequestAPollOnLastingFault(t *testing.T) {
	for _, result := range []wolkvox.Result{wolkvox.Network, wolkvox.Timeout, wolkvox.ServerError, wolkvox.TokenBusy, wolkvox.Malformed} {
		t.Run(string(result), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				report := &fakeReport{fail: func(int, wolkvox.Window) error {
					if time.Since(start) < 24*time.Hour {
						return failing(result)
					}
					return nil
				}}
				var log lines
				o := options()
				o.Logger = log.logger()
				p := newPoller(t, report, &store.Memory{}, o)
				runFor(t, p, 24*time.Hour)
				if have := len(report.windows); have > 288+24*60/(5*probeInterval)+10 {
					t.Errorf("requests in a day: have %d, want 288 and another in half an hour", have)
				}
				runFor(t, p, time.Hour)
				if begun, ended := log.count("failed, will retry"), log.count("succeeded again"); begun != 1 || ended != 1 {
					t.Errorf("log: have %d begun, %d ended, want 1 and 1\n%s", begun, ended, log.text.String())
				}
			})
		})
	}
}

func TestPoller_KeepsWithinQuotaWithFailingReconciles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{fail: func(_ int, w wolkvox.Window) error {
			if w.From < wolkvox.ToLocalTime(time.Now().In(bogota))-7200 {
				return failing(wolkvox.ServerError)
			}
			return nil
		}}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 24*time.Hour)
		if have, most := len(report.windows), 288+maxExtra+288+3*24*60/(5*probeInterval); have > most {
			t.Errorf("requests in a day: have %d, want at most %d", have, most)
		}
		if s := p.Snapshot().Status; !s.Up || s.Result != wolkvox.ServerError {
			t.Errorf("have up %v, result %q, want true and server_error", s.Up, s.Result)
		}
	})
}

func TestPoller_KeepsWithinBudgetThroughTransientFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Three requests fail, the fourth succeeds, and so on.
		report := &fakeReport{fail: func(n int, _ wolkvox.Window) error {
			if n%4 != 3 {
				return failing(wolkvox.ServerError)
			}
			return nil
		}}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 24*time.Hour)
		if have, most := len(report.windows), 950; have > most {
			t.Errorf("requests in a day: have %d, want at most %d", have, most)
		}
	})
}

func TestPoller_RetriesAtMostTenTimesInACycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.ReconcileInterval = 0
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, o)
		p.poll(t.Context())
		time.Sleep(6 * 24 * time.Hour)
		report.windows = nil
		// Every window takes three tries.
		seen := map[wolkvox.Window]int{}
		report.fail = func(_ int, w wolkvox.Window) error {
			if seen[w]++; seen[w] < 3 {
				return failing(wolkvox.ServerError)
			}
			return nil
		}
		p.poll(t.Context())
		if have, need := len(report.windows), len(seen); have > need+10 {
			t.Errorf("requests: have %d for %d windows, want at most %d more", have, need, 10)
		}
		if p.Snapshot().Status.Up {
			t.Error("up: have true, want false once the retries are used up")
		}
	})
}

func TestPoller_SplitsTruncatedWindows(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 150,000 chats in one goroutine")
	}
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		start := time.Now()
		for n := range 150_000 {
			report.chats = append(report.chats, chat(n+1, start.Add(-time.Duration(n%290)*time.Second)))
		}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())
		if have := interactions(p); have != 150_000 {
			t.Errorf("interactions: have %d, want 150000", have)
		}
		if s := p.Snapshot().Status; s.TruncatedWindows == 0 || s.TruncatedSeconds != 0 {
			t.Errorf("have %d windows and %d seconds cut, want some and 0", s.TruncatedWindows, s.TruncatedSeconds)
		}
	})
}

func TestPoller_CountsShownChatsOfOverfullSecond(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 70,000 chats in one goroutine")
	}
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		for n := range 70_000 {
			report.chats = append(report.chats, chat(n+1, time.Now().Add(-time.Minute)))
		}
		report.chats = append(report.chats, chat(70_001, time.Now().Add(-2*time.Minute)))
		var log lines
		o := options()
		o.Logger = log.logger()
		p := newPoller(t, report, &store.Memory{}, o)
		p.poll(t.Context())
		if have := interactions(p); have != 60_001 {
			t.Errorf("interactions: have %d, want 60001", have)
		}
		if p.Snapshot().Status.TruncatedSeconds == 0 || log.count("chats there are missing") != 1 {
			t.Errorf("have %d seconds cut and log\n%s", p.Snapshot().Status.TruncatedSeconds, log.text.String())
		}
	})
}

func TestPoller_SplitsWindowOfTooLargeResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{
			chats: []wolkvox.Chat{chat(1, time.Now().Add(-4*time.Minute)), chat(2, time.Now().Add(-time.Minute))},
			fail: func(_ int, w wolkvox.Window) error {
				if w.To-w.From > 200 {
					return failing(wolkvox.TooLarge)
				}
				return nil
			},
		}
		o := options()
		o.ReconcileInterval, o.Overlap = 0, 0
		p := newPoller(t, report, &store.Memory{}, o)
		p.poll(t.Context())
		if have := interactions(p); have != 2 || !p.Snapshot().Status.Up {
			t.Errorf("have %d interactions, up %v, want 2 and true", have, p.Snapshot().Status.Up)
		}
	})
}
