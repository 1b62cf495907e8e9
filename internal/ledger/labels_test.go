package ledger

import (
	"fmt"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// filled is a ledger with a chat under each of so many label sets.
func filled(t *testing.T, limit, sets int) *Ledger {
	t.Helper()
	l := New(Options{MaxLabelSets: limit})
	for n := range sets {
		mustApply(t, l, ended(wolkvox.ID(n+1), 0, under(fmt.Sprint(n), "web")), Polling, Counted)
	}
	return l
}

func mustHaveSets(t *testing.T, l *Ledger, sets int, overflowed uint64) {
	t.Helper()
	if view := l.View(); len(view.LabelSets) != sets || view.Counts.Overflowed != overflowed {
		t.Errorf("want %d label sets and %d overflowed, have %d and %d", sets, overflowed, len(view.LabelSets), view.Counts.Overflowed)
	}
}

func TestTransaction_CountsChatsBeyondLimitUnderOther(t *testing.T) {
	l := filled(t, 2, 2)
	mustHaveSets(t, l, 2, 0)
	for id := range wolkvox.ID(3) {
		mustApply(t, l, ended(100+id, 0, under("9", "web")), Polling, Counted)
	}
	mustHaveSets(t, l, 3, 3)
	if have := findTally(t, l, Overflow).Interactions; have != 3 {
		t.Errorf("want 3 chats, have %d", have)
	}
	mustApply(t, l, ended(200, 0, under("1", "web")), Polling, Counted)
	if have := findTally(t, l, Labels{"1", "web"}).Interactions; have != 2 {
		t.Errorf("want 2 chats where there is a label set, have %d", have)
	}
}

func TestTransaction_LimitsNewLabelSets(t *testing.T) {
	l := New(Options{MaxLabelSets: 2})
	transaction := l.Begin(clock(noon))
	for n := range 5 {
		transaction.Apply(ended(wolkvox.ID(n+1), 0, under(fmt.Sprint(n), "web")), Polling)
	}
	transaction.Commit()
	mustHaveSets(t, l, 3, 3)
}

func TestTransaction_LimitsWithoutOther(t *testing.T) {
	l := New(Options{MaxLabelSets: 2})
	mustApply(t, l, ended(50, 0, under("other", "other")), Polling, Counted)
	mustHaveSets(t, l, 1, 0)
	for n := range 3 {
		mustApply(t, l, ended(wolkvox.ID(n+1), 0, under(fmt.Sprint(n), "web")), Polling, Counted)
	}
	mustHaveSets(t, l, 3, 1)
	mustApply(t, l, ended(51, 0, under("other", "other")), Polling, Counted)
	mustHaveSets(t, l, 3, 1)
	if have := findTally(t, l, Overflow).Interactions; have != 3 {
		t.Errorf("want 3 chats, have %d", have)
	}
}

func TestTransaction_CountsUnderOtherWithLimitZero(t *testing.T) {
	l := filled(t, 0, 3)
	mustHaveSets(t, l, 1, 3)
}

func TestUnmarshal_KeepsLabelSetsBeyondLimit(t *testing.T) {
	l := reloaded(t, filled(t, 3, 3), 1)
	mustHaveSets(t, l, 3, 0)
	mustApply(t, l, ended(100, 0, under("2", "web")), Polling, Counted)
	mustApply(t, l, ended(101, 0, under("9", "web")), Polling, Counted)
	mustHaveSets(t, l, 4, 1)
	l = reloaded(t, l, 4)
	mustApply(t, l, ended(102, 0, under("9", "web")), Polling, Counted)
	mustHaveSets(t, l, 5, 1)
}
