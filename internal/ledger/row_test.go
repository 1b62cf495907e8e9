package ledger

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// The tests happen around noon in Bogota.
var (
	bogota = time.FixedZone("-05", -5*60*60)
	noon   = time.Date(2026, time.January, 20, 12, 0, 0, 0, bogota)
	// afterwards is when a saved ledger is loaded.
	afterwards = noon.AddDate(1, 0, 0)
)

func clock(t time.Time) wolkvox.LocalTime { return wolkvox.ToLocalTime(t.In(bogota)) }

// row is how the report shows a chat of routing point 7 on whatsapp.
func row(id wolkvox.ID, changes ...func(*wolkvox.Chat)) *wolkvox.Chat {
	chat := &wolkvox.Chat{ID: id, RoutingPoint: "7", Channel: "whatsapp"}
	for _, change := range changes {
		change(chat)
	}
	return chat
}

// ended is the row of a chat that ended that long after noon.
func ended(id wolkvox.ID, after time.Duration, changes ...func(*wolkvox.Chat)) *wolkvox.Chat {
	chat := row(id, changes...)
	chat.End = clock(noon.Add(after))
	return chat
}

func handedOff(chat *wolkvox.Chat) {
	chat.Present |= 1 << wolkvox.GoToAgent
	chat.HandedOff = true
}

func keptByBot(chat *wolkvox.Chat) {
	chat.Present |= 1 << wolkvox.GoToAgent
	chat.HandedOff = false
}

func states(f wolkvox.Field, value float64) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) {
		chat.Present |= 1 << f
		chat.Malformed &^= 1 << f
		chat.Numbers[f] = value
	}
}

func lastWrote(sender wolkvox.LastSender) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) {
		chat.Present |= 1 << wolkvox.LastSenderField
		chat.LastSender = sender
	}
}

func withUnreadable(f wolkvox.Field) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) {
		chat.Present &^= 1 << f
		chat.Malformed |= 1 << f
	}
}

func under(routingPoint, channel string) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) { chat.RoutingPoint, chat.Channel = routingPoint, channel }
}

// without is the ID that the chat has while its row shows no conn_id.
func without(anonymous wolkvox.ID) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) { chat.FallbackID = anonymous }
}

// applied applies a row in a transaction and returns its outcome.
func applied(t *Transaction, chat *wolkvox.Chat, mode Mode) Outcome {
	before := t.Counts().Records
	t.Apply(chat, mode)
	for outcome, n := range t.Counts().Records {
		if n != before[outcome] {
			return Outcome(outcome)
		}
	}
	return Outcomes
}

// applyOne applies a row in a transaction of its own.
func applyOne(l *Ledger, chat *wolkvox.Chat, mode Mode) Outcome {
	transaction := l.Begin(clock(noon))
	outcome := applied(transaction, chat, mode)
	transaction.Commit()
	return outcome
}

func mustApply(t *testing.T, l *Ledger, chat *wolkvox.Chat, mode Mode, want Outcome) {
	t.Helper()
	if have := applyOne(l, chat, mode); have != want {
		t.Fatalf("want %v, have %v", want, have)
	}
}

// forget forgets the chats that ended earlier than that long after noon.
func forget(l *Ledger, after time.Duration) {
	transaction := l.Begin(clock(noon))
	transaction.Forget(clock(noon.Add(after)))
	transaction.Commit()
}

// collectFigures returns what was counted under routing point 7 on whatsapp.
func collectFigures(t *testing.T, l *Ledger) *Tally {
	t.Helper()
	return findTally(t, l, Labels{"7", "whatsapp"})
}

func findTally(t *testing.T, l *Ledger, labels Labels) *Tally {
	t.Helper()
	for _, set := range l.View().LabelSets {
		if set.Labels == labels {
			return set.Tally
		}
	}
	t.Fatalf("want a label set %v, have none", labels)
	return nil
}

// reloaded returns the ledger after a restart.
func reloaded(t *testing.T, l *Ledger, maxLabelSets int) *Ledger {
	t.Helper()
	again, err := Unmarshal(mustMarshal(t, l), Options{MaxLabelSets: maxLabelSets}, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func mustMarshal(t rapid.TB, l *Ledger) []byte {
	t.Helper()
	saved, err := l.Begin(clock(noon)).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return saved
}
