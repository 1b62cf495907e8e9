package ledger

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestTransaction_GivesRowOneOutcome(t *testing.T) {
	for _, test := range []struct {
		name   string
		before *wolkvox.Chat // that the ledger has counted
		row    *wolkvox.Chat
		mode   Mode
		want   Outcome
	}{
		{"a new chat", nil, ended(1, 0), Polling, Counted},
		{"a new chat that polling had missed", nil, ended(1, 0), Reconciling, Counted},
		{"a known chat", ended(1, 0), ended(1, 0), Polling, Duplicate},
		{"a known chat that says less", ended(1, 0, handedOff), ended(1, 0), Polling, Duplicate},
		{"a known chat that says otherwise", ended(1, 0, states(wolkvox.TotalTime, 5)), ended(1, 0, states(wolkvox.TotalTime, 9)), Polling, Changed},
		{"a known chat that says otherwise to a reconcile", ended(1, 0, states(wolkvox.TotalTime, 5)), ended(1, 0, states(wolkvox.TotalTime, 9)), Reconciling, Changed},
		{"a known chat with a handoff", ended(1, 0, keptByBot), ended(1, 0, handedOff), Polling, Completed},
		{"a known chat with a number", ended(1, 0), ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Completed},
		{"a known chat with a garbled number", ended(1, 0), ended(1, 0, withUnreadable(wolkvox.TotalTime)), Polling, Duplicate},
		{"a known chat with a number that was garbled", ended(1, 0, withUnreadable(wolkvox.TotalTime)), ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Completed},
		{"an agent's figures of a chat that was not handed off", ended(1, 0), ended(1, 0, states(wolkvox.ASA, 5), keptByBot), Polling, Duplicate},
		{"another chat", ended(1, 0), ended(2, 0), Polling, Counted},
		{"an open chat", nil, row(1), Polling, Unfinished},
		{"an open chat at the first start", nil, row(1), Starting, Unfinished},
		{"an open chat before the first start", nil, row(1), Seeding, Unfinished},
		{"a chat that was shown as ended and is open again", ended(1, 0), row(1), Polling, Unfinished},
		{"a chat with a garbled end", nil, row(1, withUnreadable(wolkvox.EndDate)), Polling, Invalid},
		{"a chat with a garbled end before the first start", nil, row(1, withUnreadable(wolkvox.EndDate)), Seeding, Invalid},
		{"a known chat with a garbled end", ended(1, 0), row(1, withUnreadable(wolkvox.EndDate)), Polling, Invalid},
		{"a chat that ends in the future", nil, ended(1, 72*time.Hour), Polling, Counted},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := New(Options{MaxLabelSets: 10})
			if test.before != nil {
				mustApply(t, l, test.before, Polling, Counted)
			}
			mustApply(t, l, test.row, test.mode, test.want)
			if test.want == Counted || test.want == Completed || test.want == Changed {
				mustApply(t, l, test.row, test.mode, Duplicate)
			}
		})
	}
}

func TestTransaction_RejectsRow(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	transaction := l.Begin(clock(noon))
	transaction.Reject()
	transaction.Commit()
	if want, have := [Outcomes]uint64{Invalid: 1}, l.View().Counts.Records; have != want {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestOutcome_HasNameOfContract(t *testing.T) {
	want := []string{"counted", "completed", "changed", "duplicate", "unfinished", "seeded", "expired", "invalid"}
	if len(want) != Outcomes {
		t.Fatalf("want %d outcomes, have %d", len(want), Outcomes)
	}
	for outcome := range Outcome(Outcomes) {
		if have := outcome.String(); have != want[outcome] {
			t.Errorf("want %q, have %q", want[outcome], have)
		}
	}
}

func TestTransaction_CountsInEveryFamily(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	chat := ended(1, 0, handedOff, lastWrote(wolkvox.Customer))
	for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
		states(f, float64(10+f))(chat)
	}
	mustApply(t, l, chat, Polling, Counted)
	have := collectFigures(t, l)
	if have.Interactions != 1 || have.Handoffs != 1 || have.LastSender != [wolkvox.SenderCount]uint64{wolkvox.Customer: 1} {
		t.Errorf("want one handed-off chat that the customer left last, have %+v", have)
	}
	for m, s := range specified {
		if h := have.Histograms[m]; h.Count != 1 || h.Sum != float64(10+s.field) {
			t.Errorf("want %v of %v, have %+v", float64(10+s.field), s.field, h)
		}
	}
}

func TestTransaction_CountsNoAgentValuesOfBotChat(t *testing.T) {
	for name, handoff := range map[string]func(*wolkvox.Chat){
		"no": keptByBot, "absent": func(*wolkvox.Chat) {}, "garbled": withUnreadable(wolkvox.GoToAgent),
	} {
		t.Run(name, func(t *testing.T) {
			l := New(Options{MaxLabelSets: 10})
			chat := ended(1, 0, handoff)
			for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
				states(f, 0)(chat)
			}
			mustApply(t, l, chat, Polling, Counted)
			for m, s := range specified {
				want := uint64(1)
				if s.handedOff {
					want = 0
				}
				if have := collectFigures(t, l).Histograms[m].Count; have != want {
					t.Errorf("%v: want %d, have %d", s.field, want, have)
				}
			}
			// What was withheld is counted with the handoff.
			handedOff(chat)
			mustApply(t, l, chat, Polling, Completed)
			for m, s := range specified {
				if have := collectFigures(t, l).Histograms[m].Count; have != 1 {
					t.Errorf("%v: want 1, have %d", s.field, have)
				}
			}
		})
	}
}

func TestTransaction_CountsUnreadableFieldOnce(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	garbled := ended(1, 0, withUnreadable(wolkvox.ASA), withUnreadable(wolkvox.StartDate))
	mustApply(t, l, garbled, Polling, Counted)
	mustApply(t, l, garbled, Polling, Duplicate)
	mustApply(t, l, garbled, Reconciling, Duplicate)
	want := [wolkvox.FieldCount]uint64{wolkvox.ASA: 1, wolkvox.StartDate: 1}
	if have := l.View().Counts.FieldErrors; have != want {
		t.Errorf("want %v, have %v", want, have)
	}
	mustApply(t, l, ended(2, 0, withUnreadable(wolkvox.ASA)), Polling, Counted)
	want[wolkvox.ASA]++
	if have := l.View().Counts.FieldErrors; have != want {
		t.Errorf("want %v, have %v", want, have)
	}
}

func TestTransaction_CountsUnreadableEndOnce(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	for range 3 {
		mustApply(t, l, row(1, withUnreadable(wolkvox.EndDate), withUnreadable(wolkvox.ASA)), Polling, Invalid)
	}
	want := [wolkvox.FieldCount]uint64{wolkvox.ASA: 1, wolkvox.EndDate: 1}
	if have := l.View().Counts.FieldErrors; have != want {
		t.Errorf("want %v, have %v", want, have)
	}
	// It costs the chat nothing once its end can be read.
	mustApply(t, l, ended(1, 0, withUnreadable(wolkvox.ASA)), Polling, Counted)
	if have := l.View().Counts.FieldErrors; have != want {
		t.Errorf("want %v, have %v", want, have)
	}
	if have := collectFigures(t, l).Interactions; have != 1 {
		t.Errorf("want 1 chat, have %d", have)
	}
}

func TestTransaction_MakesNoLabelSetForUnreadableField(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0), Polling, Counted)
	mustApply(t, l, ended(1, 0, withUnreadable(wolkvox.ASA), under("8", "web")), Polling, Changed)
	if have := len(l.View().LabelSets); have != 1 {
		t.Errorf("want 1 label set, have %d", have)
	}
}

func TestTransaction_KnowsChatWhoseConnIDComesLater(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(2, 0), Polling, Counted)
	mustApply(t, l, ended(1, 0, without(2)), Polling, Duplicate)
	mustApply(t, l, ended(1, 0, without(2), handedOff), Polling, Completed)
	mustApply(t, l, ended(2, 0, handedOff), Polling, Duplicate)
	mustApply(t, l, ended(1, 0, without(2), handedOff), Polling, Duplicate)
	if have := l.View().Remembered; have != 1 {
		t.Errorf("want 1 chat remembered, have %d", have)
	}
	// A chat without an ID of that kind is not mistaken for another one.
	mustApply(t, l, ended(3, 0), Polling, Counted)
}
