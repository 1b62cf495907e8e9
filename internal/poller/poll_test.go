package poller

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// A bubble's clock begins at 2000-01-01 00:00 UTC: 1999-12-31 19:00 in Bogota.

func TestPoller_CountsInitialWindowAndSeedsOlderChats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		report := &fakeReport{chats: []wolkvox.Chat{chat(1, now.Add(-time.Minute)), chat(2, now.Add(-10*time.Minute)), chat(3, now.Add(-20*time.Hour))}}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())

		// 64 hours are what the deepest reconcile will ever read.
		wantSpans(
			t, report, "1999-12-31 18:55:00 1999-12-31 19:00:00",
			"1999-12-29 03:00:00 1999-12-30 03:00:00", "1999-12-30 03:00:00 1999-12-31 03:00:00", "1999-12-31 03:00:00 1999-12-31 18:55:00",
		)
		counts := p.Snapshot().View.Counts.Records
		if counts[ledger.Counted] != 1 || counts[ledger.Seeded] != 2 {
			t.Errorf("have %d counted, %d seeded, want 1 and 2", counts[ledger.Counted], counts[ledger.Seeded])
		}
		if s := p.Snapshot().Status; !s.Up || !s.Ready || !s.LastPoll.Equal(now) {
			t.Errorf("after a good poll: have %+v", s)
		}
	})
}

func TestPoller_CountsInitialWindowWithAnyDates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := chat(1, time.Now().AddDate(-1, 0, 0))
		report := &sameRows{chats: []wolkvox.Chat{old}}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 2*time.Hour)
		if have := interactions(p); have != 1 {
			t.Errorf("interactions: have %d, want 1", have)
		}
	})
}

func TestPoller_ChecksAPIWithoutInitialWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.InitialWindow = 0
		report := &fakeReport{
			chats: []wolkvox.Chat{chat(1, time.Now().Add(-time.Minute))},
			fail:  func(int, wolkvox.Window) error { return failing(wolkvox.Unavailable) },
		}
		p := newPoller(t, report, &store.Memory{}, o)
		p.poll(t.Context())
		if s := p.Snapshot().Status; s.Up || s.Ready {
			t.Errorf("API away: have up %v, ready %v, want neither", s.Up, s.Ready)
		}
		report.fail = nil
		time.Sleep(5 * time.Minute)
		p.poll(t.Context())
		if have, s := interactions(p), p.Snapshot().Status; have != 0 || !s.Ready {
			t.Errorf("API back: have %d interactions, ready %v, want 0 and true", have, s.Ready)
		}
	})
}

func TestPoller_PollsAfterFailedSeedAndRetriesIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report := &fakeReport{
			chats: []wolkvox.Chat{chat(1, start.Add(-10*time.Minute)), chat(2, start.Add(12*time.Minute))},
			fail: func(_ int, w wolkvox.Window) error {
				if w.To-w.From > 6*3600 && time.Since(start) < 20*time.Minute {
					return failing(wolkvox.Unavailable)
				}
				return nil
			},
		}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 19*time.Minute)
		if have := interactions(p); have != 1 || !p.Snapshot().Status.Up {
			t.Errorf("before the seed: have %d interactions, up %v, want 1 and true", have, p.Snapshot().Status.Up)
		}
		runFor(t, p, 3*time.Hour)
		counts := p.Snapshot().View.Counts.Records
		if counts[ledger.Counted] != 1 || counts[ledger.Seeded] != 1 {
			t.Errorf("after the seed: have %d counted, %d seeded, want 1 and 1", counts[ledger.Counted], counts[ledger.Seeded])
		}
	})
}

func TestPoller_PollsFromLastPollLessOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())
		time.Sleep(5 * time.Minute)
		report.windows = nil
		p.poll(t.Context())
		wantSpans(t, report, "1999-12-31 18:30:00 1999-12-31 19:05:00")
	})
}

func TestPoller_ChangesNothingInFailedPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())
		before := p.Snapshot().View
		report.fail = func(int, wolkvox.Window) error { return failing(wolkvox.Unavailable) }
		time.Sleep(time.Hour)
		p.poll(t.Context())
		if p.Snapshot().View != before || p.Snapshot().Status.Up {
			t.Errorf("after a failed poll: up %v, view changed %v", p.Snapshot().Status.Up, p.Snapshot().View != before)
		}
		report.fail, report.windows = nil, nil
		p.poll(t.Context())
		if want := "1999-12-31 18:30:00 1999-12-31 20:00:00"; report.spans()[0] != want {
			t.Errorf("next poll: have %s, want %s", report.spans()[0], want)
		}
	})
}

func TestPoller_SavesEachDayOfCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.ReconcileInterval = 0
		report := &fakeReport{}
		kept := &store.Memory{}
		newPoller(t, report, kept, o).poll(t.Context())
		time.Sleep(60 * time.Hour)

		report.windows = nil
		report.fail = func(n int, _ wolkvox.Window) error {
			if n == 2 {
				return failing(wolkvox.Unavailable)
			}
			return nil
		}
		p := newPoller(t, report, kept, o)
		p.poll(t.Context())
		if have, want := p.Snapshot().View.Progress.CompleteUntil, time.Date(2000, 1, 1, 23, 30, 0, 0, time.UTC); !have.Equal(want) {
			t.Errorf("complete until, the second piece having failed: have %v, want %v", have, want)
		}
		p = newPoller(t, report, kept, o)
		p.poll(t.Context())
		wantSpans(
			t, report,
			// The year's end is a month's end, too.
			"1999-12-31 18:30:00 1999-12-31 23:59:59",
			"2000-01-01 00:00:01 2000-01-01 18:30:00",
			"2000-01-01 18:30:00 2000-01-02 18:30:00", // failed
			"2000-01-01 18:00:00 2000-01-02 18:00:00",
			"2000-01-02 18:00:00 2000-01-03 07:00:00",
		)
	})
}

func TestPoller_ReportsSkippedTimeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.MaxCatchUp = 2 * time.Hour
		var log lines
		o.Logger = log.logger()
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, o)
		p.poll(t.Context())
		time.Sleep(10 * time.Hour)
		report.windows = nil
		p.poll(t.Context())
		if have, want := report.spans()[0], "2000-01-01 03:00:00 2000-01-01 05:00:00"; have != want {
			t.Errorf("first window: have %s, want %s", have, want)
		}
		time.Sleep(5 * time.Minute)
		p.poll(t.Context())
		if have, want := p.Snapshot().Status.Skipped, 8*time.Hour; have != want {
			t.Errorf("skipped: have %v, want %v", have, want)
		}
		if have := log.count("beyond the catch-up limit"); have != 1 {
			t.Errorf("log lines about it: have %d, want 1", have)
		}
	})
}

func TestPoller_CatchesUpMissedPollWithoutCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.MaxCatchUp, o.Overlap = 0, 0
		start := time.Now()
		report := &fakeReport{}
		for n := range 60 {
			report.chats = append(report.chats, chat(n+1, start.Add(time.Duration(n+1)*time.Minute)))
		}
		report.fail = func(n int, _ wolkvox.Window) error {
			if n == 5 {
				return failing(wolkvox.Unavailable)
			}
			return nil
		}
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, 65*time.Minute)
		if have := interactions(p); have != 60 {
			t.Errorf("interactions: have %d, want 60", have)
		}
	})
}

func TestPoller_ReconcilesUpToPolledWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())
		report.chats = []wolkvox.Chat{chat(1, start.Add(-time.Hour)), chat(2, start.Add(50*time.Minute))}
		time.Sleep(time.Hour - time.Second)
		p.poll(t.Context())
		if have := interactions(p); have != 1 {
			t.Errorf("before the reconcile: have %d interactions, want 1", have)
		}
		time.Sleep(time.Second)
		report.windows = nil
		p.poll(t.Context())
		// Three hours before the last reconcile, so that none of up to three hours is
		// missed that ended since.
		wantSpans(
			t, report,
			"1999-12-31 19:29:59 1999-12-31 20:00:00",
			"1999-12-31 16:00:00 1999-12-31 19:29:59",
		)
		if view := p.Snapshot().View; view.Counts.Late != 1 || !p.Snapshot().Status.LastReconcile.Equal(start.Add(time.Hour)) {
			t.Errorf("have %d late, last reconcile %v, want 1 and %v", view.Counts.Late, p.Snapshot().Status.LastReconcile, start.Add(time.Hour))
		}
	})
}

func TestPoller_KeepsLastReconcileThroughFailuresAndRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report := &fakeReport{}
		kept := &store.Memory{}
		o := options()
		o.ReconcileWindow = 3 * time.Hour // A quiet report is read no further back either.
		p := newPoller(t, report, kept, o)
		p.poll(t.Context())
		wantLastReconcile := func(want time.Time) {
			t.Helper()
			if have := p.Snapshot().Status.LastReconcile; !have.Equal(want) {
				t.Errorf("last reconcile: have %v, want %v", have, want)
			}
		}
		report.fail = func(_ int, w wolkvox.Window) error {
			if w.From < wolkvox.ToLocalTime(time.Now().In(bogota))-7200 {
				return failing(wolkvox.Malformed)
			}
			return nil
		}
		time.Sleep(time.Hour)
		p.poll(t.Context())
		wantLastReconcile(start)
		p = newPoller(t, report, kept, o)
		wantLastReconcile(start)
		time.Sleep(time.Hour)
		p.poll(t.Context())
		if s := p.Snapshot().Status; !s.Up || s.Result != wolkvox.Malformed {
			t.Errorf("have up %v, result %q, want true and malformed", s.Up, s.Result)
		}
		wantLastReconcile(start)
		report.fail = nil
		time.Sleep(probeInterval * o.Interval)
		p.poll(t.Context())
		wantLastReconcile(start.Add(2 * time.Hour)) // When it began.
	})
}

func TestPoller_HasNoLastReconcileWithoutReconciling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reconciled := &store.Memory{}
		newPoller(t, &fakeReport{}, reconciled, options()).poll(t.Context())
		off := options()
		off.ReconcileInterval = 0
		for _, kept := range []ByteStore{reconciled, &store.Memory{}} {
			p := newPoller(t, &fakeReport{}, kept, off)
			p.poll(t.Context())
			if have := p.Snapshot().Status.LastReconcile; !have.IsZero() {
				t.Errorf("last reconcile: have %v, want none", have)
			}
		}
	})
}

func TestPoller_FindsLongChatByItsStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &byStart{}
		kept := &store.Memory{}
		newPoller(t, report, kept, options()).poll(t.Context())
		time.Sleep(2 * time.Hour)
		newPoller(t, report, kept, options()).poll(t.Context())

		c := chat(1, time.Now().Add(10*time.Hour))
		c.Start = wolkvox.ToLocalTime(time.Now().Add(-time.Hour).In(bogota))
		report.chats = []wolkvox.Chat{c}
		time.Sleep(3 * 24 * time.Hour)
		p := newPoller(t, report, kept, options())
		p.poll(t.Context())
		if have := interactions(p); have != 1 {
			t.Errorf("interactions: have %d, want 1", have)
		}
	})
}

func TestPoller_ReconcilesAtOnceAfterZoneChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wrong := options()
		wrong.Zone = mustLoad("America/Los_Angeles") // three hours behind
		report := &fakeReport{}
		kept := &store.Memory{}
		newPoller(t, report, kept, wrong).poll(t.Context())
		report.chats = []wolkvox.Chat{chat(1, time.Now().Add(-time.Hour))}
		time.Sleep(10 * time.Minute)
		p := newPoller(t, report, kept, options())
		p.poll(t.Context())
		if have := interactions(p); have != 1 {
			t.Errorf("interactions: have %d, want 1", have)
		}
	})
}

func TestPoller_PublishesOnlySavedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &brokenStore{}
		report := &fakeReport{}
		p := newPoller(t, report, kept, options())
		p.poll(t.Context())
		kept.broken = true
		report.chats = []wolkvox.Chat{chat(1, time.Now())}
		time.Sleep(5 * time.Minute)
		p.poll(t.Context())
		if s := p.Snapshot(); s.Status.Up || len(s.View.LabelSets) != 0 {
			t.Errorf("disk full: have up %v and %d label sets, want false and 0", s.Status.Up, len(s.View.LabelSets))
		}
		kept.broken = false
		time.Sleep(5 * time.Minute)
		p.poll(t.Context())
		if have := interactions(p); have != 1 || !p.Snapshot().Status.Up {
			t.Errorf("disk well again: have %d interactions, up %v, want 1 and true", have, p.Snapshot().Status.Up)
		}
	})
}

func TestPoller_LosesNothingWithClockSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The state was written with a clock two hours ahead.
		kept := &store.Memory{}
		report := &fakeReport{}
		start := time.Now()
		time.Sleep(2 * time.Hour)
		newPoller(t, report, kept, options()).poll(t.Context())
		state, _ := kept.Load()

		past := &store.Memory{}
		_ = past.Save(state)
		p := newPoller(t, report, past, options())
		c := p.newCycle()
		c.to = start.Add(time.Minute)
		report.chats = []wolkvox.Chat{chat(1, start.Add(time.Minute))}
		report.windows = nil
		if err := p.pollReport(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if have := interactions(p); have != 1 || !p.Snapshot().View.Progress.CompleteUntil.Equal(c.to) {
			t.Errorf("have %d interactions, complete until %v, want 1 and %v", have, p.Snapshot().View.Progress.CompleteUntil, c.to)
		}
		if !p.reconcileDue(c) {
			t.Error("a reconcile in the future: have none due, want one")
		}
	})
}
