package ledger

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestTransaction_CountsNothingBelowFloor(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	forget(l, 0)
	mustApply(t, l, ended(1, -time.Second), Polling, Expired)
	mustApply(t, l, ended(2, 0), Polling, Counted)
	mustApply(t, l, ended(3, -time.Second), Reconciling, Expired)
	mustApply(t, l, ended(4, -time.Second), Seeding, Expired)
}

func TestTransaction_CountsNoForgottenChat(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, -2*time.Hour), Polling, Counted)
	forget(l, time.Second)
	if have := l.View().Remembered; have != 0 {
		t.Fatalf("want none remembered, have %d", have)
	}
	for _, mode := range []Mode{Polling, Reconciling, Seeding} {
		mustApply(t, l, ended(1, -2*time.Hour, handedOff), mode, Expired)
		l = reloaded(t, l, 10)
	}
	if have := collectFigures(t, l); have.Interactions != 1 || have.Handoffs != 0 {
		t.Errorf("want it counted once, have %+v", have)
	}
}

func TestTransaction_RemembersRecentEndOrCount(t *testing.T) {
	for _, test := range []struct {
		name       string
		end, floor time.Duration // after noon, which is when it is counted
		want       int
	}{
		{"it ended at the floor", time.Hour, time.Hour, 1},
		{"it ended before the floor", time.Hour, time.Hour + time.Second, 0},
		{"it ended long before it was counted", -24 * time.Hour, 0, 1},
		{"it ended long ago and was counted before the floor", -24 * time.Hour, time.Second, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := New(Options{MaxLabelSets: 10})
			mustApply(t, l, ended(1, test.end), Polling, Counted)
			forget(l, test.floor)
			if have := l.View().Remembered; have != test.want {
				t.Errorf("want %d remembered, have %d", test.want, have)
			}
			if have := reloaded(t, l, 10).View().Remembered; have != test.want {
				t.Errorf("reloaded: want %d remembered, have %d", test.want, have)
			}
		})
	}
}

// Otherwise the chats of the day before the first start would be kept a day longer.
func TestTransaction_RemembersSeededChatUntilItsEnd(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	begin := l.Begin(clock(noon))
	begin.Progress.Began = clock(noon)
	begin.Commit()
	mustApply(t, l, ended(1, -20*time.Hour), Seeding, Seeded)
	forget(l, -21*time.Hour)
	if have := l.View().Remembered; have != 1 {
		t.Errorf("before its end is forgotten: have %d remembered, want 1", have)
	}
	forget(l, -19*time.Hour)
	if have := l.View().Remembered; have != 0 {
		t.Errorf("after: have %d remembered, want none", have)
	}
	mustApply(t, l, ended(1, -20*time.Hour), Polling, Expired)
}

func TestTransaction_RemembersChatUntilLaterEnd(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0), Polling, Counted)
	mustApply(t, l, ended(1, 3*time.Hour), Polling, Duplicate)
	// An earlier date, or a clock that was set back, makes it no shorter.
	early := l.Begin(clock(noon.Add(-time.Hour)))
	early.Apply(ended(1, -time.Hour, handedOff), Polling)
	early.Commit()
	forget(l, 3*time.Hour)
	mustApply(t, l, ended(1, 3*time.Hour, handedOff), Polling, Duplicate)
}

func TestTransaction_KeepsFloor(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	forget(l, 0)
	forget(l, -time.Hour)
	mustApply(t, l, ended(1, -time.Second), Polling, Expired)
	again := reloaded(t, l, 10)
	forget(again, -time.Hour)
	mustApply(t, again, ended(1, -time.Second), Polling, Expired)
}

func TestTransaction_ForgetsAtOnce(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0), Polling, Counted)
	transaction := l.Begin(clock(noon))
	transaction.Forget(clock(noon.Add(time.Hour)))
	for id, want := range map[wolkvox.ID]Outcome{1: Duplicate, 2: Expired} {
		if have := applied(transaction, ended(id, 0), Polling); have != want {
			t.Errorf("chat %d: want %v, have %v", id, want, have)
		}
	}
	transaction.Commit()
	mustApply(t, l, ended(1, 0), Polling, Expired)
}

func TestTransaction_KeepsNothingBelowFloor(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	forget(l, time.Hour)
	mustApply(t, l, ended(1, 0), Starting, Counted)
	if have, again := l.View().Remembered, reloaded(t, l, 10).View().Remembered; have != 0 || again != 0 {
		t.Errorf("want none remembered, have %d and %d after a restart", have, again)
	}
}
