package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestTheFirstWindowIsCountedWhateverItsDates(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	forget(b, 0)
	mustBook(t, b, ended(1, -24*time.Hour), Polling, Expired)
	mustBook(t, b, ended(1, -24*time.Hour), Starting, Counted)
}

func TestWhatEndedBeforeTheFirstStartIsOnlyRemembered(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	transaction := b.Begin(clock(noon))
	transaction.Progress.Began = clock(noon.Add(-5 * time.Minute))
	transaction.Commit()

	mustBook(t, b, ended(1, -5*time.Minute), Seeding, Seeded)
	mustBook(t, b, ended(2, -5*time.Minute+time.Second), Seeding, Counted)
	mustBook(t, b, ended(1, -5*time.Minute), Seeding, Duplicate)
	for _, reading := range []Reading{Polling, Reconciling, Seeding} {
		full := ended(1, -5*time.Minute, handedOff, states(wolkvox.ASA, 5), garbles(wolkvox.TotalTime))
		mustBook(t, b, full, reading, Duplicate)
	}
	if have := figuresOf(t, b); have.Interactions != 1 || have.Handoffs != 0 {
		t.Errorf("want one chat and no handoff, have %+v", have)
	}
	if have := b.View(); have.Remembered != 2 || have.Counts.FieldErrors != [wolkvox.FieldCount]uint64{} {
		t.Errorf("want 2 remembered without a field error, have %+v", have)
	}
}

func TestAChatThatWasCountedBeforeSeedingIsNotSeeded(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, -time.Hour), Starting, Counted)
	transaction := b.Begin(clock(noon))
	transaction.Progress.Began = clock(noon)
	if have := applied(transaction, ended(1, -time.Hour, handedOff), Seeding); have != Completed {
		t.Errorf("want %v, have %v", Completed, have)
	}
}

func TestOnlyAReconcileFindsLateChats(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	for id, reading := range []Reading{Polling, Starting, Seeding, Reconciling} {
		mustBook(t, b, ended(wolkvox.ID(id+1), 0), reading, Counted)
	}
	mustBook(t, b, ended(1, 0), Reconciling, Duplicate)
	mustBook(t, b, ended(1, 0, handedOff), Reconciling, Completed)
	if have := b.View().Counts.Late; have != 1 {
		t.Errorf("want 1, have %d", have)
	}
}

func TestATransactionThatIsDroppedHasNotHappened(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	want, seen := printed(b.View()), len(b.seen)

	dropped := b.Begin(clock(noon.Add(time.Hour)))
	dropped.Apply(ended(1, 0, handedOff, states(wolkvox.ASA, 5)), Polling)
	dropped.Apply(ended(2, 0, under("8", "web")), Polling)
	dropped.Apply(row(3, garbles(wolkvox.EndDate)), Polling)
	dropped.Progress.CompleteUntil = noon
	dropped.Forget(clock(noon.Add(100 * time.Hour)))
	if _, err := dropped.Marshal(noon); err != nil {
		t.Fatal(err)
	}
	if have := printed(b.View()); have != want || len(b.seen) != seen || b.floor != 0 || !b.Progress().CompleteUntil.IsZero() {
		t.Errorf("want\n%shave\n%s", want, have)
	}
}

func TestAViewNeverChanges(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	mustBook(t, b, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	view := b.View()
	want := printed(view)
	mustBook(t, b, ended(1, 0, handedOff, states(wolkvox.TotalTime, 5)), Polling, Completed)
	for id := range wolkvox.ID(20) {
		mustBook(t, b, ended(id+2, 0, states(wolkvox.TotalTime, float64(id*1000))), Polling, Counted)
	}
	if have := printed(view); have != want {
		t.Errorf("want\n%shave\n%s", want, have)
	}
}

func TestALabelSetIsBornWhenItIsSaved(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	for n, reading := range []Reading{Starting, Polling} {
		asked := noon.Add(time.Duration(n) * time.Hour)
		transaction := b.Begin(clock(asked))
		transaction.Apply(ended(wolkvox.ID(2*n+1), 0), reading)
		transaction.Apply(ended(wolkvox.ID(2*n+2), 0, under(fmt.Sprint(n), "web")), reading)
		if _, err := transaction.Marshal(asked.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		transaction.Commit()
	}
	for labels, want := range map[Labels]Tally{
		{"7", "whatsapp"}: {Born: noon.Add(time.Minute), Initial: true},
		{"0", "web"}:      {Born: noon.Add(time.Minute), Initial: true},
		{"1", "web"}:      {Born: noon.Add(time.Hour + time.Minute)},
	} {
		if have := tallyOf(t, b, labels); !have.Born.Equal(want.Born) || have.Initial != want.Initial {
			t.Errorf("%v: want it born %v, initial %t, have %v, %t", labels, want.Born, want.Initial, have.Born, have.Initial)
		}
	}
}

func TestViewsAreSorted(t *testing.T) {
	b := New(Options{MaxLabelSets: 10})
	for id, labels := range []Labels{{"2", "web"}, {"10", "web"}, {"10", "telegram"}} {
		mustBook(t, b, ended(wolkvox.ID(id+1), 0, under(labels.RoutingPoint, labels.Channel)), Polling, Counted)
	}
	want := []Labels{{"10", "telegram"}, {"10", "web"}, {"2", "web"}}
	for i, set := range b.View().LabelSets {
		if set.Labels != want[i] {
			t.Errorf("want %v, have %v", want[i], set.Labels)
		}
	}
}
