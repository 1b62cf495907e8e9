package ledger

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestWhatEndedBeforeTheFloorIsNotCounted(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	forget(b, 0)
	mustBook(t, b, ended(1, -time.Second), Polling, Expired)
	mustBook(t, b, ended(2, 0), Polling, Counted)
	mustBook(t, b, ended(3, -time.Second), Reconciling, Expired)
	mustBook(t, b, ended(4, -time.Second), Seeding, Expired)
}

func TestAForgottenChatIsNotCountedAgain(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, -2*time.Hour), Polling, Counted)
	forget(b, time.Second)
	if have := b.View().Remembered; have != 0 {
		t.Fatalf("want none remembered, have %d", have)
	}
	for _, reading := range []Reading{Polling, Reconciling, Seeding} {
		mustBook(t, b, ended(1, -2*time.Hour, handedOff), reading, Expired)
		b = reloaded(t, b, 10)
	}
	if have := figuresOf(t, b); have.Interactions != 1 || have.Handoffs != 0 {
		t.Errorf("want it counted once, have %+v", have)
	}
}

func TestAChatIsRememberedWhileItsEndOrItsCountIsRecent(t *testing.T) {
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
			b := New(Options{MaxLabelSets: 10})
			mustBook(t, b, ended(1, test.end), Polling, Counted)
			forget(b, test.floor)
			if have := b.View().Remembered; have != test.want {
				t.Errorf("want %d remembered, have %d", test.want, have)
			}
			if have := reloaded(t, b, 10).View().Remembered; have != test.want {
				t.Errorf("reloaded: want %d remembered, have %d", test.want, have)
			}
		})
	}
}

// All of a day before the first start would else be kept a day longer.
func TestAChatThatIsOnlyRememberedIsKeptNoLongerThanItsEnd(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	begin := b.Begin(clock(noon))
	begin.Progress.Began = clock(noon)
	begin.Commit()
	mustBook(t, b, ended(1, -20*time.Hour), Seeding, Seeded)
	forget(b, -21*time.Hour)
	if have := b.View().Remembered; have != 1 {
		t.Errorf("before its end is forgotten: have %d remembered, want 1", have)
	}
	forget(b, -19*time.Hour)
	if have := b.View().Remembered; have != 0 {
		t.Errorf("after: have %d remembered, want none", have)
	}
	mustBook(t, b, ended(1, -20*time.Hour), Polling, Expired)
}

func TestAChatWhoseEndIsPutOffIsRememberedLonger(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, 0), Polling, Counted)
	mustBook(t, b, ended(1, 3*time.Hour), Polling, Duplicate)
	// An earlier date, or a clock that was set back, makes it no shorter.
	early := b.Begin(clock(noon.Add(-time.Hour)))
	early.Apply(ended(1, -time.Hour, handedOff), Polling)
	early.Commit()
	forget(b, 3*time.Hour)
	mustBook(t, b, ended(1, 3*time.Hour, handedOff), Polling, Duplicate)
}

func TestTheFloorDoesNotFall(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	forget(b, 0)
	forget(b, -time.Hour)
	mustBook(t, b, ended(1, -time.Second), Polling, Expired)
	again := reloaded(t, b, 10)
	forget(again, -time.Hour)
	mustBook(t, again, ended(1, -time.Second), Polling, Expired)
}

func TestForgettingTakesEffectWithinItsTransaction(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, 0), Polling, Counted)
	transaction := b.Begin(clock(noon))
	transaction.Forget(clock(noon.Add(time.Hour)))
	for id, want := range map[wolkvox.ID]Outcome{1: Duplicate, 2: Expired} {
		if have := applied(transaction, ended(id, 0), Polling); have != want {
			t.Errorf("chat %d: want %v, have %v", id, want, have)
		}
	}
	transaction.Commit()
	mustBook(t, b, ended(1, 0), Polling, Expired)
}

func TestWhatIsForgottenAtOnceIsNotKept(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	forget(b, time.Hour)
	mustBook(t, b, ended(1, 0), Starting, Counted)
	if have, again := b.View().Remembered, reloaded(t, b, 10).View().Remembered; have != 0 || again != 0 {
		t.Errorf("want none remembered, have %d and %d after a restart", have, again)
	}
}
