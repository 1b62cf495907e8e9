package ledger

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// The tests happen around noon in Bogota.
var (
	bogota = time.FixedZone("-05", -5*60*60)
	noon   = time.Date(2026, time.January, 20, 12, 0, 0, 0, bogota)
	// afterwards is when a saved book is loaded.
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

func garbles(f wolkvox.Field) func(*wolkvox.Chat) {
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

// applied books a row in a transaction that is to be committed, and answers
// with what became of it.
func applied(t *Transaction, chat *wolkvox.Chat, reading Reading) Outcome {
	before := t.Counts().Records
	t.Apply(chat, reading)
	for outcome, n := range t.Counts().Records {
		if n != before[outcome] {
			return Outcome(outcome)
		}
	}
	return Outcomes
}

// booked books a row in a transaction of its own.
func booked(b *Book, chat *wolkvox.Chat, reading Reading) Outcome {
	transaction := b.Begin(clock(noon))
	outcome := applied(transaction, chat, reading)
	transaction.Commit()
	return outcome
}

func mustBook(t *testing.T, b *Book, chat *wolkvox.Chat, reading Reading, want Outcome) {
	t.Helper()
	if have := booked(b, chat, reading); have != want {
		t.Fatalf("want %v, have %v", want, have)
	}
}

// forget lets go of the chats that ended before that long after noon.
func forget(b *Book, after time.Duration) {
	transaction := b.Begin(clock(noon))
	transaction.Forget(clock(noon.Add(after)))
	transaction.Commit()
}

// figuresOf is what was counted under routing point 7 on whatsapp.
func figuresOf(t *testing.T, b *Book) *Tally {
	t.Helper()
	return tallyOf(t, b, Labels{"7", "whatsapp"})
}

func tallyOf(t *testing.T, b *Book, labels Labels) *Tally {
	t.Helper()
	for _, set := range b.View().LabelSets {
		if set.Labels == labels {
			return set.Tally
		}
	}
	t.Fatalf("want a label set %v, have none", labels)
	return nil
}

// reloaded is the book after a restart.
func reloaded(t *testing.T, b *Book, maxLabelSets int) *Book {
	t.Helper()
	again, err := Unmarshal(mustMarshal(t, b), Options{MaxLabelSets: maxLabelSets}, afterwards)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func mustMarshal(t testing.TB, b *Book) []byte {
	t.Helper()
	saved, err := b.Begin(clock(noon)).Marshal(noon)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}
