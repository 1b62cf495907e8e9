package ledger

import (
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Reading is why a row was fetched, which decides how an unknown chat is taken.
type Reading uint8

// The reasons to read.
const (
	// Polling counts what is not known.
	Polling Reading = iota
	// Reconciling does, too, and notes that polling had missed it.
	Reconciling
	// Starting is the very first window: it counts whatever its rows' dates.
	Starting
	// Seeding remembers what had ended before the first start.
	Seeding
)

// Transaction collects changes to a book. The book stays as it is until
// [Transaction.Commit]; a transaction that is dropped has not happened.
type Transaction struct {
	// Progress is the book's, to be changed.
	Progress Progress

	book    *Book
	now     wolkvox.LocalTime
	floor   wolkvox.LocalTime
	seen    map[wolkvox.ID]entry
	tallies sheet[Labels, *Tally]
	agents  sheet[string, *AgentTally]
	counts  Counts
}

// Begin starts a transaction. now is the operation's wall clock.
func (b *Book) Begin(now wolkvox.LocalTime) *Transaction {
	return &Transaction{
		Progress: b.progress,
		book:     b,
		now:      now,
		floor:    b.floor,
		seen:     map[wolkvox.ID]entry{},
		tallies:  newSheet(b.tallies, b.options.MaxLabelSets, Overflow),
		agents:   newSheet(b.agents, b.options.MaxLabelSets, OverflowAgent),
		counts:   b.counts,
	}
}

// Counts are the book's as they will be after the transaction.
func (t *Transaction) Counts() Counts { return t.counts }

// Forget lets go of chats that ended before that. From then on, a row that
// ended before it and is not known is never counted.
func (t *Transaction) Forget(before wolkvox.LocalTime) { t.floor = max(t.floor, before) }

// Reject books a row that could not be decoded.
func (t *Transaction) Reject() { t.counts.Records[Invalid]++ }

// Apply books a row.
func (t *Transaction) Apply(chat *wolkvox.Chat, reading Reading) {
	outcome := t.apply(chat, reading)
	t.counts.Records[outcome]++
	if outcome == Counted && reading == Reconciling {
		t.counts.Late++
	}
}

func (t *Transaction) apply(chat *wolkvox.Chat, reading Reading) Outcome {
	id, known := t.lookup(chat)
	counted := known.parts&interaction != 0
	switch {
	case chat.Malformed.Has(wolkvox.EndDate):
		t.count(chat, reading, partsOf(chat)&unreadables, id, known)
		return Invalid
	case !chat.Ended():
		return Unfinished
	case !counted && reading == Seeding && chat.End <= t.Progress.Began:
		known.parts = everything
		t.remember(id, known, chat.End)
		return Seeded
	case !counted && reading != Starting && chat.End < t.floor:
		return Expired
	}
	missing, changed := t.count(chat, reading, partsOf(chat), id, known)
	switch {
	case !counted:
		return Counted
	case changed:
		return Changed
	case missing&^unreadables != 0:
		return Completed
	default:
		return Duplicate
	}
}

// lookup finds what is remembered of a chat, and under which ID. A chat whose
// row had no conn_id at first keeps the ID it had then.
func (t *Transaction) lookup(chat *wolkvox.Chat) (wolkvox.ID, entry) {
	if e, ok := t.entry(chat.ID); ok {
		return chat.ID, e
	}
	if e, ok := t.entry(chat.FallbackID); ok && chat.FallbackID != 0 {
		return chat.FallbackID, e
	}
	return chat.ID, entry{}
}

func (t *Transaction) entry(id wolkvox.ID) (entry, bool) {
	if e, ok := t.seen[id]; ok {
		return e, true
	}
	e, ok := t.book.seen[id]
	return e, ok
}

// count counts which of a row's parts are missing in what is known, and reports
// whether those that are known have other values now. shown leaves out what is not
// shown anywhere.
func (t *Transaction) count(chat *wolkvox.Chat, reading Reading, has parts, id wolkvox.ID, known entry) (shown parts, changed bool) {
	missing := has &^ known.parts
	digest := known.compare(chat, has)
	changed = digest != known.digest
	if missing&ofLabelSet != 0 {
		t.tally(chat, reading).observe(chat, missing)
	}
	shown = missing &^ ofAgent
	if t.book.options.Agents {
		t.countAgent(chat, reading, missing&ofAgent)
		shown = missing
	}
	t.countUnreadable(missing)
	// An end that was put off puts off the chat's being forgotten.
	if missing != 0 || changed || chat.End > wolkvox.LocalTime(known.until) {
		known.parts |= missing
		known.digest = digest ^ digestOf(chat, missing)
		// Where the report's clock and ours disagree, what is still to come of a chat
		// is shown as long as it is recent that it was counted.
		t.remember(id, known, max(chat.End, t.now))
	}
	return shown, changed
}

// remember keeps what has been counted of a chat, no shorter than it was kept before.
func (t *Transaction) remember(id wolkvox.ID, e entry, until wolkvox.LocalTime) {
	e.until = max(e.until, uint32(until)) //nolint:gosec // wolkvox keeps dates within 32 bits.
	t.seen[id] = e
}

// tally is the one to count a chat under.
func (t *Transaction) tally(chat *wolkvox.Chat, reading Reading) *Tally {
	tally, overflowed := t.tallies.tally(Labels{chat.RoutingPoint, chat.Channel}, func() *Tally {
		return newTally(&t.book.options, reading == Starting)
	})
	if overflowed {
		t.counts.Overflowed++
	}
	return tally
}

// countAgent counts parts of a chat under its agent, whose name may be new even
// where nothing else is.
func (t *Transaction) countAgent(chat *wolkvox.Chat, reading Reading, missing parts) {
	if missing != 0 {
		tally, overflowed := t.agents.tally(chat.Agent, func() *AgentTally {
			return &AgentTally{Initial: reading == Starting}
		})
		if overflowed {
			t.counts.Overflowed++
		}
		tally.observe(chat, missing)
	}
	t.rename(chat.Agent, chat.AgentName)
}

func (t *Transaction) countUnreadable(missing parts) {
	for f := range wolkvox.Field(wolkvox.FieldCount) {
		if missing&unreadable(f) != 0 {
			t.counts.FieldErrors[f]++
		}
	}
}

// Commit makes the changes the book's.
func (t *Transaction) Commit() {
	b := t.book
	b.progress, b.counts = t.Progress, t.counts
	t.tallies.commit()
	t.agents.commit()
	if t.floor != b.floor {
		b.floor = t.floor
		b.forget()
	}
	for id, e := range t.seen {
		if !e.forgotten(b.floor) {
			b.seen[id] = e
		}
	}
}
