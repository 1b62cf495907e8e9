package ledger

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Mode is why a row was fetched. It decides what becomes of an unknown chat.
type Mode uint8

// The modes.
const (
	// Polling counts what is not known.
	Polling Mode = iota
	// Reconciling does, too, and notes that polling had missed it.
	Reconciling
	// Starting is the very first window: it counts whatever its rows' dates.
	Starting
	// Seeding remembers what had ended before the first start.
	Seeding
)

// Transaction collects changes to a ledger. The ledger stays as it is until
// [Transaction.Commit]; a transaction that is dropped has not happened.
//
// [Transaction.Stamp] follows the last row. Then [Transaction.Marshal] returns what is to
// be saved, and Commit makes it the ledger's.
type Transaction struct {
	// Progress is the ledger's, to be changed.
	Progress Progress

	ledger  *Ledger
	now     wolkvox.LocalTime
	floor   wolkvox.LocalTime
	seen    map[wolkvox.ID]entry
	tallies overlay[Labels, *Tally]
	agents  overlay[string, *AgentTally]
	counts  Counts
}

// Begin starts a transaction. now is the operation's wall clock.
func (l *Ledger) Begin(now wolkvox.LocalTime) *Transaction {
	return &Transaction{
		Progress: l.progress,
		ledger:   l,
		now:      now,
		floor:    l.floor,
		seen:     map[wolkvox.ID]entry{},
		tallies:  newOverlay(l.tallies, l.options.MaxLabelSets, Overflow),
		agents:   newOverlay(l.agents, l.options.MaxLabelSets, OverflowAgent),
		counts:   l.counts,
	}
}

// Counts returns the ledger's counts as they will be after the transaction.
func (t *Transaction) Counts() Counts { return t.counts }

// Forget drops the chats that ended before the given time. From then on, an unknown row
// that ended before it is never counted.
func (t *Transaction) Forget(before wolkvox.LocalTime) { t.floor = max(t.floor, before) }

// Reject counts a row that could not be decoded.
func (t *Transaction) Reject() { t.counts.Records[Invalid]++ }

// Apply counts a row.
func (t *Transaction) Apply(chat *wolkvox.Chat, mode Mode) {
	outcome := t.apply(chat, mode)
	t.counts.Records[outcome]++
	if outcome == Counted && mode == Reconciling {
		t.counts.Late++
	}
}

func (t *Transaction) apply(chat *wolkvox.Chat, mode Mode) Outcome {
	id, known := t.lookup(chat)
	counted := known.facts&interaction != 0
	switch {
	case chat.Malformed.Has(wolkvox.EndDate):
		t.count(chat, mode, malformedFacts(chat), id, known)
		return Invalid
	case !chat.Ended():
		return Unfinished
	case !counted && mode == Seeding && chat.End <= t.Progress.Began:
		known.facts = allFacts
		t.remember(id, known, chat.End)
		return Seeded
	case !counted && mode != Starting && chat.End < t.floor:
		return Expired
	}
	missing, changed := t.count(chat, mode, statedFacts(chat), id, known)
	switch {
	case !counted:
		return Counted
	case changed:
		return Changed
	case missing&^unreadableFacts != 0:
		return Completed
	default:
		return Duplicate
	}
}

// lookup returns what is remembered of a chat, and under which ID. A chat whose
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
	e, ok := t.ledger.seen[id]
	return e, ok
}

// count counts those of a row's stated facts that are missing in what is known, and
// reports whether known facts have other values now. shown leaves out what is not shown
// anywhere.
func (t *Transaction) count(chat *wolkvox.Chat, mode Mode, stated facts, id wolkvox.ID, known entry) (shown facts, changed bool) {
	missing := stated &^ known.facts
	digest := known.compare(chat, stated)
	changed = digest != known.digest
	if missing&labelSetFacts != 0 {
		t.tally(chat, mode).observe(chat, missing)
	}
	shown = missing &^ agentFacts
	if t.ledger.options.Agents {
		t.countAgent(chat, mode, missing&agentFacts)
		shown = missing
	}
	t.countUnreadable(missing)
	// An end that was put off puts off the chat's being forgotten.
	if missing != 0 || changed || chat.End > wolkvox.LocalTime(known.until) {
		known.facts |= missing
		known.digest = digest ^ missing.digest(chat)
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

// tally returns the tally to count a chat under.
func (t *Transaction) tally(chat *wolkvox.Chat, mode Mode) *Tally {
	tally, overflowed := t.tallies.tally(Labels{chat.RoutingPoint, chat.Channel}, func() *Tally {
		return newTally(&t.ledger.options, mode == Starting)
	})
	if overflowed {
		t.counts.Overflowed++
	}
	return tally
}

// countAgent counts missing facts of a chat under its agent, whose name may be new even
// where nothing else is.
func (t *Transaction) countAgent(chat *wolkvox.Chat, mode Mode, missing facts) {
	if missing != 0 {
		tally, overflowed := t.agents.tally(chat.Agent, func() *AgentTally {
			return &AgentTally{Origin: Origin{Initial: mode == Starting}}
		})
		if overflowed {
			t.counts.Overflowed++
		}
		tally.observe(chat, missing)
	}
	t.rename(chat.Agent, chat.AgentName)
}

func (t *Transaction) countUnreadable(missing facts) {
	if missing&unreadableFacts == 0 {
		return
	}
	for f, fact := range unreadable {
		if missing&fact != 0 {
			t.counts.FieldErrors[f]++
		}
	}
}

// Stamp sets the birth of the label sets and agents that are new, and the time of new
// exemplars. They are born now, and not when their first chats were asked for: the
// requests since then may have taken longer than new series are held at zero.
func (t *Transaction) Stamp(now time.Time) {
	t.tallies.stamp(now)
	t.agents.stamp(now)
}

// Commit makes the changes the ledger's.
func (t *Transaction) Commit() {
	l := t.ledger
	l.progress, l.counts = t.Progress, t.counts
	t.tallies.commit()
	t.agents.commit()
	if t.floor != l.floor {
		l.floor = t.floor
		l.forget()
	}
	for id, e := range t.seen {
		if !e.forgotten(l.floor) {
			l.seen[id] = e
		}
	}
}
