package ledger

import (
	"fmt"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// filled is a book with a chat under each of so many label sets.
func filled(t *testing.T, limit, sets int) *Book {
	t.Helper()
	b := New(Options{MaxLabelSets: limit})
	for n := range sets {
		mustBook(t, b, ended(wolkvox.ID(n+1), 0, under(fmt.Sprint(n), "web")), Polling, Counted)
	}
	return b
}

func mustHaveSets(t *testing.T, b *Book, sets int, overflowed uint64) {
	t.Helper()
	if view := b.View(); len(view.LabelSets) != sets || view.Counts.Overflowed != overflowed {
		t.Errorf("want %d label sets and %d overflowed, have %d and %d", sets, overflowed, len(view.LabelSets), view.Counts.Overflowed)
	}
}

func TestChatsBeyondTheLimitGoToOther(t *testing.T) {
	b := filled(t, 2, 2)
	mustHaveSets(t, b, 2, 0)
	for id := range wolkvox.ID(3) {
		mustBook(t, b, ended(100+id, 0, under("9", "web")), Polling, Counted)
	}
	mustHaveSets(t, b, 3, 3)
	if have := tallyOf(t, b, Overflow).Interactions; have != 3 {
		t.Errorf("want 3 chats, have %d", have)
	}
	mustBook(t, b, ended(200, 0, under("1", "web")), Polling, Counted)
	if have := tallyOf(t, b, Labels{"1", "web"}).Interactions; have != 2 {
		t.Errorf("want 2 chats where there is a label set, have %d", have)
	}
}

func TestTheLimitHoldsWithinATransaction(t *testing.T) {
	b := New(Options{MaxLabelSets: 2})
	transaction := b.Begin(clock(noon))
	for n := range 5 {
		transaction.Apply(ended(wolkvox.ID(n+1), 0, under(fmt.Sprint(n), "web")), Polling)
	}
	transaction.Commit()
	mustHaveSets(t, b, 3, 3)
}

func TestOtherTakesNoOnesPlace(t *testing.T) {
	b := New(Options{MaxLabelSets: 2})
	mustBook(t, b, ended(50, 0, under("other", "other")), Polling, Counted)
	mustHaveSets(t, b, 1, 0)
	for n := range 3 {
		mustBook(t, b, ended(wolkvox.ID(n+1), 0, under(fmt.Sprint(n), "web")), Polling, Counted)
	}
	mustHaveSets(t, b, 3, 1)
	mustBook(t, b, ended(51, 0, under("other", "other")), Polling, Counted)
	mustHaveSets(t, b, 3, 1)
	if have := tallyOf(t, b, Overflow).Interactions; have != 3 {
		t.Errorf("want 3 chats, have %d", have)
	}
}

func TestNoLimitAtAllLeavesOther(t *testing.T) {
	b := filled(t, 0, 3)
	mustHaveSets(t, b, 1, 3)
}

func TestAnotherLimitAfterARestartKeepsWhatIsThere(t *testing.T) {
	b := reloaded(t, filled(t, 3, 3), 1)
	mustHaveSets(t, b, 3, 0)
	mustBook(t, b, ended(100, 0, under("2", "web")), Polling, Counted)
	mustBook(t, b, ended(101, 0, under("9", "web")), Polling, Counted)
	mustHaveSets(t, b, 4, 1)
	b = reloaded(t, b, 4)
	mustBook(t, b, ended(102, 0, under("9", "web")), Polling, Counted)
	mustHaveSets(t, b, 5, 1)
}
