package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestTransaction_CountsAllOfFirstWindow(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	forget(l, 0)
	mustApply(t, l, ended(1, -24*time.Hour), Polling, Expired)
	mustApply(t, l, ended(1, -24*time.Hour), Starting, Counted)
}

func TestTransaction_SeedsWhatEndedBefore(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	transaction := l.Begin(clock(noon))
	transaction.Progress.Began = clock(noon.Add(-5 * time.Minute))
	transaction.Commit()

	mustApply(t, l, ended(1, -5*time.Minute), Seeding, Seeded)
	mustApply(t, l, ended(2, -5*time.Minute+time.Second), Seeding, Counted)
	mustApply(t, l, ended(1, -5*time.Minute), Seeding, Duplicate)
	for _, mode := range []Mode{Polling, Reconciling, Seeding} {
		full := ended(1, -5*time.Minute, handedOff, states(wolkvox.ASA, 5), withUnreadable(wolkvox.TotalTime))
		mustApply(t, l, full, mode, Duplicate)
	}
	if have := collectFigures(t, l); have.Interactions != 1 || have.Handoffs != 0 {
		t.Errorf("want one chat and no handoff, have %+v", have)
	}
	if have := l.View(); have.Remembered != 2 || have.Counts.FieldErrors != [wolkvox.FieldCount]uint64{} {
		t.Errorf("want 2 remembered without a field error, have %+v", have)
	}
}

func TestTransaction_SeedsNoCountedChat(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, -time.Hour), Starting, Counted)
	transaction := l.Begin(clock(noon))
	transaction.Progress.Began = clock(noon)
	if have := applied(transaction, ended(1, -time.Hour, handedOff), Seeding); have != Completed {
		t.Errorf("want %v, have %v", Completed, have)
	}
}

func TestTransaction_CountsLateChatsOfReconcile(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	for id, mode := range []Mode{Polling, Starting, Seeding, Reconciling} {
		mustApply(t, l, ended(wolkvox.ID(id+1), 0), mode, Counted)
	}
	mustApply(t, l, ended(1, 0), Reconciling, Duplicate)
	mustApply(t, l, ended(1, 0, handedOff), Reconciling, Completed)
	if have := l.View().Counts.Late; have != 1 {
		t.Errorf("want 1, have %d", have)
	}
}

func TestTransaction_ChangesNothingBeforeCommit(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	want, seen := printed(l.View()), len(l.seen)

	dropped := l.Begin(clock(noon.Add(time.Hour)))
	dropped.Apply(ended(1, 0, handedOff, states(wolkvox.ASA, 5)), Polling)
	dropped.Apply(ended(2, 0, under("8", "web")), Polling)
	dropped.Apply(row(3, withUnreadable(wolkvox.EndDate)), Polling)
	dropped.Progress.CompleteUntil = noon
	dropped.Forget(clock(noon.Add(100 * time.Hour)))
	dropped.Stamp(noon)
	if _, err := dropped.Marshal(); err != nil {
		t.Fatal(err)
	}
	if have := printed(l.View()); have != want || len(l.seen) != seen || l.floor != 0 || !l.Progress().CompleteUntil.IsZero() {
		t.Errorf("want\n%shave\n%s", want, have)
	}
}

func TestView_NeverChanges(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	view := l.View()
	want := printed(view)
	mustApply(t, l, ended(1, 0, handedOff, states(wolkvox.TotalTime, 5)), Polling, Completed)
	for id := range wolkvox.ID(20) {
		mustApply(t, l, ended(id+2, 0, states(wolkvox.TotalTime, float64(id*1000))), Polling, Counted)
	}
	if have := printed(view); have != want {
		t.Errorf("want\n%shave\n%s", want, have)
	}
}

func TestTransaction_StampsNewLabelSets(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	for n, mode := range []Mode{Starting, Polling} {
		asked := noon.Add(time.Duration(n) * time.Hour)
		transaction := l.Begin(clock(asked))
		transaction.Apply(ended(wolkvox.ID(2*n+1), 0), mode)
		transaction.Apply(ended(wolkvox.ID(2*n+2), 0, under(fmt.Sprint(n), "web")), mode)
		transaction.Stamp(asked.Add(time.Minute))
		transaction.Commit()
	}
	for labels, want := range map[Labels]Origin{
		{"7", "whatsapp"}: {Born: noon.Add(time.Minute), Initial: true},
		{"0", "web"}:      {Born: noon.Add(time.Minute), Initial: true},
		{"1", "web"}:      {Born: noon.Add(time.Hour + time.Minute)},
	} {
		if have := findTally(t, l, labels); !have.Born.Equal(want.Born) || have.Initial != want.Initial {
			t.Errorf("%v: want it born %v, initial %t, have %v, %t", labels, want.Born, want.Initial, have.Born, have.Initial)
		}
	}
}

func TestView_IsSorted(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	for id, labels := range []Labels{{"2", "web"}, {"10", "web"}, {"10", "telegram"}} {
		mustApply(t, l, ended(wolkvox.ID(id+1), 0, under(labels.RoutingPoint, labels.Channel)), Polling, Counted)
	}
	want := []Labels{{"10", "telegram"}, {"10", "web"}, {"2", "web"}}
	for i, set := range l.View().LabelSets {
		if set.Labels != want[i] {
			t.Errorf("want %v, have %v", want[i], set.Labels)
		}
	}
}
