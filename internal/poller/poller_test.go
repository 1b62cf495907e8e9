package poller

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestNextTick_IsRegularAndSpreadByOperation(t *testing.T) {
	const interval = 5 * time.Minute
	now := time.Date(2026, 1, 18, 12, 1, 2, 3, time.UTC)
	places := map[time.Duration]bool{}
	for _, operation := range []string{"wv0001", "wv0002", "wv0003", "wv0004"} {
		at := offset(operation, interval)
		places[at] = true
		tick := nextTick(now, interval, at)
		if wait := tick.Sub(now); wait <= 0 || wait > interval {
			t.Errorf("%s: have a wait of %v, want one up to %v", operation, wait, interval)
		}
		if have, want := nextTick(tick, interval, at), tick.Add(interval); !have.Equal(want) {
			t.Errorf("%s, tick after %v: have %v, want %v", operation, tick, have, want)
		}
	}
	if len(places) != 4 {
		t.Errorf("have %d different places in the interval, want 4", len(places))
	}
}

func TestPoller_RunsFirstPollAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.ReconcileInterval, o.InitialWindow = 0, o.Overlap
		report := &fakeReport{}
		start := time.Now()
		runFor(t, newPoller(t, report, &store.Memory{}, o), time.Hour)
		if !report.times[0].Equal(start) {
			t.Errorf("first request after %v, want at once", report.times[0].Sub(start))
		}
		if have := len(report.times); have != 13 {
			t.Errorf("requests in an hour: have %d, want 13", have)
		}
		for i := 2; i < len(report.times); i++ {
			if gap := report.times[i].Sub(report.times[i-1]); gap != o.Interval {
				t.Errorf("request %d: have %v after the one before, want %v", i, gap, o.Interval)
			}
		}
	})
}

func TestPoller_DelaysNextPollAfterSlowPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var under, most int
		report := &fakeReport{fail: func(int, wolkvox.Window) error {
			under++
			most = max(most, under)
			time.Sleep(12 * time.Minute)
			under--
			return nil
		}}
		runFor(t, newPoller(t, report, &store.Memory{}, options()), 5*time.Hour)
		if most != 1 {
			t.Errorf("requests at the same time: have %d, want 1", most)
		}
	})
}

func TestPoller_StopsAtOnceWithoutFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		report := &fakeReport{fail: func(int, wolkvox.Window) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		var log lines
		o := options()
		o.Logger = log.logger()
		p := newPoller(t, report, &store.Memory{}, o)
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.Run(ctx)
		}()
		time.Sleep(time.Minute)
		cancel()
		synctest.Wait()
		select {
		case <-done:
		default:
			t.Fatal("Run goes on after its context is done")
		}
		if log.text.Len() != 0 {
			t.Errorf("log: have %q, want nothing", log.text.String())
		}
	})
}

func TestPoller_ShowsSavedCountsBeforeFirstPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &store.Memory{}
		report := &fakeReport{chats: []wolkvox.Chat{chat(1, time.Now())}}
		newPoller(t, report, kept, options()).poll(t.Context())
		p := newPoller(t, report, kept, options())
		if have := interactions(p); have != 1 || p.Snapshot().Status.Ready {
			t.Errorf("have %d interactions, ready %v, want 1 and false", have, p.Snapshot().Status.Ready)
		}
	})
}

func TestNew_RefusesUnreadableState(t *testing.T) {
	kept := &store.Memory{}
	if err := kept.Save([]byte("no ledger")); err != nil {
		t.Fatal(err)
	}
	if _, err := New(&fakeReport{}, Whole(kept), options()); err == nil {
		t.Error("New: have no error, want one")
	}
}
