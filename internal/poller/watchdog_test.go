package poller

import (
	"context"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// stalling is a report whose requests take a time, and pay no attention to their
// context.
type stalling struct {
	clock
	takes func() time.Duration
}

func (s *stalling) Chats(context.Context, wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(func(wolkvox.Chat, error) bool) { time.Sleep(s.takes()) }
}

func TestStatus_IsNotUpWhileStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuckFrom, stuckUntil := time.Now().Add(time.Hour), time.Now().Add(4*time.Hour)
		report := &stalling{takes: func() time.Duration {
			if now := time.Now(); now.After(stuckFrom) && now.Before(stuckUntil) {
				return time.Until(stuckUntil)
			}
			return time.Second
		}}
		o, l := options(), &lines{}
		o.Logger = l.logger()
		p := newPoller(t, report, &store.Memory{}, o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); p.Run(ctx) }()
		defer func() { cancel(); <-done }()

		// A poll every five minutes, and a request of a minute, three times.
		const allowed = 18 * time.Minute
		since := nextTick(stuckFrom, o.Interval, offset(o.Operation, o.Interval))
		for _, c := range []struct {
			at    time.Time
			stuck bool
			begun int
			over  int
		}{
			{stuckFrom, false, 0, 0},
			{since.Add(allowed - time.Second), false, 0, 0},
			{since.Add(allowed + time.Second), true, 1, 0},
			{stuckUntil.Add(-time.Second), true, 1, 0},
			{stuckUntil.Add(time.Minute), false, 1, 1},
			{stuckUntil.Add(6 * time.Hour), false, 1, 1},
		} {
			time.Sleep(time.Until(c.at))
			synctest.Wait()
			s := p.Snapshot().Status
			if s.IsStuck(time.Now()) != c.stuck || s.IsUp(time.Now()) == c.stuck || !s.Ready {
				t.Errorf("after %s: have stuck %v, up %v, ready %v", c.at.Sub(stuckFrom), s.IsStuck(time.Now()), s.IsUp(time.Now()), s.Ready)
			}
			if begun, over := l.count(`msg="polling is stuck`), l.count(`msg="polling is no longer stuck"`); begun != c.begun || over != c.over {
				t.Errorf("after %s: have %d and %d lines, want %d and %d", c.at.Sub(stuckFrom), begun, over, c.begun, c.over)
			}
		}
	})
}

// A long catch-up saves a day of chats after the other, and a poll can be due late.
func TestStatus_IsNotStuckWhileItCatchesUpOrWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, takes := &store.Memory{}, time.Second
		o, l := options(), &lines{}
		o.Logger = l.logger()
		o.ReconcileInterval, o.Interval = 0, time.Hour
		report := &stalling{takes: func() time.Duration { return takes }}
		runFor(t, newPoller(t, report, kept, o), time.Minute)
		time.Sleep(6 * 24 * time.Hour)
		// Three hours are allowed. A step is of one request, and of two where a year ends.
		takes = 80 * time.Minute
		p := newPoller(t, report, kept, o)
		if s := p.Snapshot().Status; s.IsStuck(time.Now().Add(24 * time.Hour)) {
			t.Error("it is stuck before it runs")
		}
		runFor(t, p, 24*time.Hour)
		if n := l.count("stuck"); n != 0 {
			t.Errorf("have %d lines, want none:\n%s", n, l.text.String())
		}
	})
}
