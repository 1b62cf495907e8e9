// Package ledger counts chats. It is a pure state machine: no I/O, no clock, no goroutine.
//
// One mechanism counts every chat once. The ledger remembers the counted facts of each chat.
// Applying a row counts the facts that the row states and that are not yet remembered. So a
// repeated row adds nothing, a row that is completed later adds the missing facts, and a chat
// that must not be counted is remembered with all facts.
//
// The ledger also remembers a digest of the values. It changes no count: it shows which rows
// have other values than those that were counted.
package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Outcome is the result of applying a row.
type Outcome uint8

// Every row has one of these.
const (
	Counted    Outcome = iota // a chat not known before
	Completed                 // a known chat whose missing values arrived
	Changed                   // a known chat whose counted values have changed: they are not counted again
	Duplicate                 // a known chat, and nothing new
	Unfinished                // a chat without an end
	Seeded                    // remembered at the first start, not counted
	Expired                   // ended before the floor
	Invalid                   // not a chat that can be counted

	Outcomes = iota // how many there are
)

var outcomeNames = [Outcomes]string{"counted", "completed", "changed", "duplicate", "unfinished", "seeded", "expired", "invalid"}

// String returns the value of the outcome label.
func (o Outcome) String() string { return outcomeNames[o] }

// Progress is how far the report has been read. It is part of the ledger so that it is saved
// together with the counts. The poller changes it.
type Progress struct {
	// CompleteUntil is the time of the last complete poll: every chat that the report had
	// as ended before it is counted. Zero before the first poll.
	CompleteUntil time.Time
	// Reconciled is the time of the last complete reconcile, or of the first start.
	Reconciled time.Time
	// Began is the first start on the operation's wall clock. Seed is the time before it
	// that is still to be read; it is empty once that is done. Chats in it that ended by
	// Began are remembered and not counted.
	Began wolkvox.LocalTime
	Seed  Span
	// Zone is the time zone in which the report was read.
	Zone string
	// Keys are the keys that the report's rows have ever had.
	Keys wolkvox.Fields
	// Gaps are the unreadable windows between readable ones. The slice never changes.
	Gaps []Gap
}

// Gap is an unreadable window of the report.
type Gap struct {
	Window wolkvox.Window
	// Minimal is true if the window cannot be narrowed: it has no halves, or they can be
	// read because the API leaves out their ends. It then stands for one second.
	Minimal bool
	// Seeding is true if chats in it that ended by the first start are only remembered.
	Seeding bool
	// Polls is the number of polls in which it was unreadable and other windows were
	// readable. It is 0 before the gap itself was requested.
	Polls int
	// Skipped is true if polls no longer request it. Reconciles do.
	Skipped bool
}

// Span is a stretch of time.
type Span struct{ From, To time.Time }

// Ledger holds the counts and the remembered chats. One [Transaction] at a time changes it.
// Its views can be read by any goroutine.
type Ledger struct {
	options  Options
	progress Progress
	// floor is the end before which chats were forgotten.
	floor   wolkvox.LocalTime
	seen    map[wolkvox.ID]entry
	tallies map[Labels]*Tally
	agents  map[string]*AgentTally
	counts  Counts
	// restamped is true if the origin of a label set or an agent differs from the saved one.
	restamped bool
	// unknown is the part of the saved state under names that this version does not know.
	unknown stateV1
}

// Options describe what to count.
type Options struct {
	// MaxLabelSets limits the pairs of routing point and channel beside [Overflow], and
	// the agents beside [OverflowAgent].
	MaxLabelSets int
	// Agents also counts chats under their agents. Chats that were counted without this
	// option are not counted under an agent later.
	Agents bool
	// Bounds are the upper bounds of the classic buckets, ascending and without +Inf.
	// The default for a measure is [Measure.Bounds].
	Bounds [Measures][]float64
}

func (o *Options) bounds(m Measure) []float64 {
	if len(o.Bounds[m]) > 0 {
		return o.Bounds[m]
	}
	return m.Bounds()
}

// Counts are counters about rows.
type Counts struct {
	Records     [Outcomes]uint64
	FieldErrors [wolkvox.FieldCount]uint64
	Late        uint64 // counted only by a reconcile
	Overflowed  uint64 // counted under [Overflow] or [OverflowAgent] because of the limit
}

// entry is what is remembered of a chat: the counted facts, the wall-clock time until which
// it is kept, in 32 bits (2106), and a digest of the values.
type entry struct {
	facts  facts
	until  uint32
	digest uint16
}

// New returns an empty ledger.
func New(options Options) *Ledger {
	return &Ledger{
		options: options,
		seen:    map[wolkvox.ID]entry{},
		tallies: map[Labels]*Tally{},
		agents:  map[string]*AgentTally{},
	}
}

// Progress returns how far the report has been read.
func (l *Ledger) Progress() Progress { return l.progress }

// View is the content of a ledger at one moment. It never changes.
type View struct {
	Progress   Progress
	Counts     Counts
	Remembered int        // chats
	LabelSets  []LabelSet // sorted by their labels
	Agents     []AgentSet // sorted by agent; nil without [Options.Agents]
}

// View returns the ledger as it is now.
func (l *Ledger) View() *View {
	v := &View{Progress: l.progress, Counts: l.counts, Remembered: len(l.seen), LabelSets: make([]LabelSet, 0, len(l.tallies))}
	for labels, tally := range l.tallies {
		v.LabelSets = append(v.LabelSets, LabelSet{labels, tally})
	}
	slices.SortFunc(v.LabelSets, func(a, b LabelSet) int { return a.compare(b.Labels) })
	if !l.options.Agents {
		return v // Earlier counts of agents are kept, but not shown.
	}
	for _, agent := range slices.Sorted(maps.Keys(l.agents)) {
		v.Agents = append(v.Agents, AgentSet{agent, l.agents[agent]})
	}
	return v
}

// Tally returns the tally of a label set, or nil if a view has none. A nil view has none.
func (v *View) Tally(labels Labels) *Tally {
	if v == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(v.LabelSets, labels, func(set LabelSet, labels Labels) int { return set.compare(labels) })
	if !found {
		return nil
	}
	return v.LabelSets[i].Tally
}

// AgentTally returns the tally of an agent, or nil if a view has none. A nil view has none.
func (v *View) AgentTally(agent string) *AgentTally {
	if v == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(v.Agents, agent, func(set AgentSet, agent string) int { return cmp.Compare(set.Agent, agent) })
	if !found {
		return nil
	}
	return v.Agents[i].AgentTally
}

// forget drops the chats that ended before the floor. A chat that is kept too long costs
// memory. One that is dropped too early is not counted again, because of the floor.
func (l *Ledger) forget() {
	maps.DeleteFunc(l.seen, func(_ wolkvox.ID, e entry) bool { return e.isForgotten(l.floor) })
}

func (e entry) isForgotten(floor wolkvox.LocalTime) bool { return wolkvox.LocalTime(e.until) < floor }
