package ledger

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Mode is why a row was fetched. It decides how an unknown chat is counted.
type Mode uint8

// The modes.
const (
	// Polling counts unknown chats.
	Polling Mode = iota
	// Reconciling counts them too, and counts them as late.
	Reconciling
	// Starting is the mode of the first window: rows are counted whatever their dates.
	Starting
	// Seeding remembers chats that ended before the first start, without counting them.
	Seeding
)

// Transaction collects changes to a ledger. [Transaction.Commit] applies them. A transaction
// without Commit changes nothing.
//
// Call [Transaction.Stamp] after the last row, then save the result of [Transaction.Marshal],
// then call Commit.
type Transaction struct {
	// Progress is the ledger's progress after the transaction. The caller changes it.
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

// lookup returns what is remembered of a chat, and its ID. A chat whose first row had no
// conn_id keeps the ID of that row.
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

// count counts the stated facts of a row that are not known, and reports whether known facts
// have other values now. shown are the counted facts that some metric shows.
func (t *Transaction) count(chat *wolkvox.Chat, mode Mode, stated facts, id wolkvox.ID, known entry) (shown facts, changed bool) {
	missing := stated &^ known.facts
	digest := known.updatedDigest(chat, stated)
	changed = digest != known.digest
	if missing&labelSetFacts != 0 {
		t.tallyFor(chat, mode).observe(chat, missing)
	}
	shown = missing &^ agentFacts
	if t.ledger.options.Agents {
		t.countAgent(chat, mode, missing&agentFacts)
		shown = missing
	}
	t.countUnreadable(missing)
	// A chat with a later end is kept longer.
	if missing != 0 || changed || chat.End > wolkvox.LocalTime(known.until) {
		known.facts |= missing
		known.digest = digest ^ missing.digest(chat)
		// If the report's clock and ours differ, rows of the chat may still come some
		// time after it was counted, whatever its end.
		t.remember(id, known, max(chat.End, t.now))
	}
	return shown, changed
}

// remember keeps the entry of a chat at least until until, and no shorter than before.
func (t *Transaction) remember(id wolkvox.ID, e entry, until wolkvox.LocalTime) {
	e.until = max(e.until, uint32(until)) //nolint:gosec // wolkvox keeps dates within 32 bits.
	t.seen[id] = e
}

// tallyFor returns the tally under which a chat is counted.
func (t *Transaction) tallyFor(chat *wolkvox.Chat, mode Mode) *Tally {
	tally, overflowed := t.tallies.getOrCreate(Labels{chat.RoutingPoint, chat.Channel}, func() *Tally {
		return newTally(&t.ledger.options, mode == Starting)
	})
	if overflowed {
		t.counts.Overflowed++
	}
	return tally
}

// countAgent counts missing facts of a chat under its agent, and updates the agent's name.
func (t *Transaction) countAgent(chat *wolkvox.Chat, mode Mode, missing facts) {
	if missing != 0 {
		tally, overflowed := t.agents.getOrCreate(chat.Agent, func() *AgentTally {
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

// Stamp sets when new label sets and agents were born, and the time of new exemplars. It is
// called after the last request, because requests may take longer than the zero-hold.
func (t *Transaction) Stamp(now time.Time) {
	t.tallies.stamp(now)
	t.agents.stamp(now)
}

// Commit applies the changes to the ledger.
func (t *Transaction) Commit() {
	l := t.ledger
	l.progress, l.counts, l.restamped = t.Progress, t.counts, false
	t.tallies.commit()
	t.agents.commit()
	if t.floor != l.floor {
		l.floor = t.floor
		l.forget()
	}
	for id, e := range t.seen {
		if !e.isForgotten(l.floor) {
			l.seen[id] = e
		}
	}
}
