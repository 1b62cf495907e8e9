package ledger

import (
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// restarted returns a ledger that counts agents, after a restart.
func restarted(t *testing.T, l *Ledger) *Ledger {
	t.Helper()
	again, err := Unmarshal(mustMarshal(t, l), withAgents(10), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// onlyFigures returns what was counted, without the outcomes of rows.
func onlyFigures(l *Ledger) string {
	view := l.View()
	view.Counts.Records = [Outcomes]uint64{}
	return printed(view)
}

// Any value can change after it was counted (U13). The counted value stays.
func TestTransaction_ReportsEachChangedValue(t *testing.T) {
	changes := map[string]func(*wolkvox.Chat){
		"routing point": under("8", "whatsapp"),
		"channel":       under("7", "web"),
		"last sender":   lastWrote(wolkvox.Agent),
		"agent":         by("1202"),
	}
	for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
		changes[f.String()] = states(f, float64(11+f))
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			l := New(withAgents(10))
			mustApply(t, l, completeRow(), Polling, Counted)
			l = restarted(t, l)
			want := onlyFigures(l)
			mustApply(t, l, completeRow(change), Polling, Changed)
			mustApply(t, l, completeRow(change), Polling, Duplicate)
			l = restarted(t, l)
			mustApply(t, l, completeRow(change), Reconciling, Duplicate)
			// The row is compared with its last values, not with the counted ones.
			mustApply(t, l, completeRow(), Reconciling, Changed)
			mustApply(t, l, completeRow(), Reconciling, Duplicate)
			if have := onlyFigures(l); have != want {
				t.Errorf("want the figures\n%shave\n%s", want, have)
			}
		})
	}
}

// A row per session and day grows until midnight.
func TestTransaction_ReportsARowEachTimeItGrows(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, states(wolkvox.TimesChatted, 1)), Polling, Counted)
	for messages := 2.0; messages < 100; messages++ {
		mustApply(t, l, ended(1, 0, states(wolkvox.TimesChatted, messages)), Polling, Changed)
	}
	if have := collectFigures(t, l).Histograms[Messages]; have.Count != 1 || have.Sum != 1 {
		t.Errorf("want the first value only, have %+v", have)
	}
}

func TestTransaction_CountsWhatWasMissingInAChangedRow(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	both := ended(1, 0, states(wolkvox.TotalTime, 9), states(wolkvox.TimesChatted, 3))
	mustApply(t, l, both, Polling, Changed)
	mustApply(t, l, both, Polling, Duplicate)
	have := collectFigures(t, l)
	if have.Histograms[Duration].Sum != 5 || have.Histograms[Messages].Sum != 3 || have.Interactions != 1 {
		t.Errorf("want a duration of 5 and 3 messages, have %+v", have)
	}
	// What was added is compared from then on.
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 9), states(wolkvox.TimesChatted, 4)), Polling, Changed)
}

func TestTransaction_ComparesWhatWasCompleted(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0), Polling, Counted)
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Completed)
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5), handedOff), Polling, Completed)
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 6), handedOff), Polling, Changed)
}

func TestTransaction_ComparesNoRowThatStatesLess(t *testing.T) {
	for name, less := range map[string]func(*wolkvox.Chat){
		"no handoff":     keptByBot,
		"no last sender": func(chat *wolkvox.Chat) { chat.Present &^= 1 << wolkvox.LastSenderField },
		"no agent":       by(""),
		"garbled":        withUnreadable(wolkvox.TimeWithAgent),
	} {
		t.Run(name, func(t *testing.T) {
			l := New(withAgents(10))
			mustApply(t, l, completeRow(), Polling, Counted)
			mustApply(t, l, completeRow(states(wolkvox.TotalTime, 99), less), Polling, Duplicate)
			mustApply(t, l, completeRow(), Polling, Duplicate)
			mustApply(t, l, completeRow(states(wolkvox.TotalTime, 99)), Polling, Changed)
		})
	}
}

// What was unreadable has no value to be compared.
func TestTransaction_ComparesARowWhoseValuesBecameReadable(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, withUnreadable(wolkvox.ASA), states(wolkvox.TotalTime, 5)), Polling, Counted)
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Duplicate)
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 6)), Polling, Changed)
}

func TestTransaction_ComparesNoSeededChat(t *testing.T) {
	l := New(withAgents(10))
	begin := l.Begin(clock(noon))
	begin.Progress.Began = clock(noon)
	begin.Commit()
	mustApply(t, l, completeRow(), Seeding, Seeded)
	for range 2 {
		mustApply(t, l, completeRow(under("8", "web")), Seeding, Duplicate)
		mustApply(t, l, completeRow(states(wolkvox.TotalTime, 99)), Polling, Duplicate)
		l = restarted(t, l)
	}
}

// A chat is not compared before it is counted: its row is open or invalid.
func TestTransaction_ComparesNoChatThatIsNotCounted(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	for seconds := range 3 {
		mustApply(t, l, row(1, states(wolkvox.TotalTime, float64(seconds))), Polling, Unfinished)
		mustApply(t, l, row(1, states(wolkvox.TotalTime, float64(seconds)), withUnreadable(wolkvox.EndDate)), Polling, Invalid)
	}
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
}

// A chat whose conn_id comes later is compared with its counted values.
func TestTransaction_ComparesAChatWhoseConnIDComesLater(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(2, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	mustApply(t, l, ended(1, 0, without(2), states(wolkvox.TotalTime, 6)), Polling, Changed)
	mustApply(t, l, ended(1, 0, without(2), states(wolkvox.TotalTime, 6)), Polling, Duplicate)
}

// A dropped transaction does not change what rows are compared with.
func TestTransaction_ComparesWithCommittedValues(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Counted)
	dropped := l.Begin(clock(noon))
	for _, want := range []Outcome{Changed, Duplicate} {
		if have := applied(dropped, ended(1, 0, states(wolkvox.TotalTime, 6)), Polling); have != want {
			t.Errorf("want %v, have %v", want, have)
		}
	}
	mustApply(t, l, ended(1, 0, states(wolkvox.TotalTime, 5)), Polling, Duplicate)
}
