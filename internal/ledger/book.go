// Package ledger is the book of what was counted. It is a pure state machine:
// no I/O, no clock, no goroutine.
//
// One mechanism counts every chat once. The book remembers, per chat, which
// parts of it have been counted. Applying a row counts the parts that it states
// and that are not yet remembered. So a row that comes again adds nothing, a row
// that was filled in later adds what was missing, and a chat that must not be
// counted is remembered as if everything had been.
//
// A digest of the values is remembered beside the parts. It changes no figure: it
// shows which rows have other values than those that were counted.
package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Outcome is what became of a row.
type Outcome uint8

// Every row has one of these.
const (
	Counted    Outcome = iota // a chat not known before
	Completed                 // a known chat whose missing values arrived
	Changed                   // a known chat whose counted values are other ones now: they are not counted again
	Duplicate                 // a known chat, and nothing new
	Unfinished                // not shown as ended
	Seeded                    // remembered at the first start, not counted
	Expired                   // ended before what is remembered
	Invalid                   // no chat that could be counted

	Outcomes = iota // how many there are
)

var outcomeNames = [Outcomes]string{"counted", "completed", "changed", "duplicate", "unfinished", "seeded", "expired", "invalid"}

// String is the value of the outcome label.
func (o Outcome) String() string { return outcomeNames[o] }

// Progress is how far the report has been read. The book keeps it for whoever
// reads the report, so that it is saved with what was counted.
type Progress struct {
	// CompleteUntil is when the newest poll asked: every chat that the API
	// showed as ended before is counted. Zero before the first poll.
	CompleteUntil time.Time
	// Reconciled is when the newest reconcile asked, or the first start.
	Reconciled time.Time
	// Began is the first start on the operation's wall clock, and Seed the time
	// before it that is still to be read; empty when that is done. What it shows
	// as ended by Began is only remembered.
	Began wolkvox.LocalTime
	Seed  Span
	// Zone is the operation's time zone that all this was read in.
	Zone string
	// Keys are those that the report's rows ever had.
	Keys wolkvox.Fields
	// Gaps are the windows that could not be read, while those around them could. The
	// slice never changes.
	Gaps []Gap
}

// Gap is a window of the report that no response could be read of.
type Gap struct {
	Window wolkvox.Window
	// Minimal says that the window cannot be narrowed: its halves can be read, as the
	// API leaves out their ends, or it has none. It stands for one second then.
	Minimal bool
	// Seeding says that what it holds is only remembered if it had ended by the first start.
	Seeding bool
	// Polls is how many polls found it unreadable while other windows were readable; 0
	// before it was asked for by itself.
	Polls int
	// Skipped says that it is left out: only reconciles read it again.
	Skipped bool
}

// Span is a stretch of time.
type Span struct{ From, To time.Time }

// Book is what was counted, and what is remembered of it. It is changed by one
// [Transaction] at a time. Its views may be read by anybody.
type Book struct {
	options  Options
	progress Progress
	// floor is up to when chats were forgotten, by the date of their end.
	floor   wolkvox.LocalTime
	seen    map[wolkvox.ID]entry
	tallies map[Labels]*Tally
	agents  map[string]*AgentTally
	counts  Counts
}

// Options tell a book what to count.
type Options struct {
	// MaxLabelSets is how many pairs of routing point and channel there may be
	// beside [Overflow], and how many agents beside [OverflowAgent].
	MaxLabelSets int
	// Agents counts chats under their agents, too. Chats that were counted
	// without it are not counted under an agent later.
	Agents bool
	// Bounds are the upper bounds of the classic buckets, ascending and without
	// +Inf, where a measure is to have others than [Measure.Bounds].
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
	Overflowed  uint64 // counted under [Overflow] or [OverflowAgent] for want of a label set
}

// entry is what is remembered of a chat: what was counted, a digest of the values,
// and until when it matters on the operation's wall clock, in 32 bits (2106).
type entry struct {
	parts  parts
	until  uint32
	digest uint16
}

// New is an empty book.
func New(options Options) *Book {
	return &Book{
		options: options,
		seen:    map[wolkvox.ID]entry{},
		tallies: map[Labels]*Tally{},
		agents:  map[string]*AgentTally{},
	}
}

// Progress is how far the report has been read.
func (b *Book) Progress() Progress { return b.progress }

// View is a book as it was at one moment. It never changes.
type View struct {
	Progress   Progress
	Counts     Counts
	Remembered int        // chats
	LabelSets  []LabelSet // sorted by their labels
	Agents     []AgentSet // likewise; none if they are not counted
}

// LabelSet is a tally and its labels.
type LabelSet struct {
	Labels
	*Tally
}

// View is the book as it is now.
func (b *Book) View() *View {
	sets := make([]LabelSet, 0, len(b.tallies))
	for labels, tally := range b.tallies {
		sets = append(sets, LabelSet{labels, tally})
	}
	slices.SortFunc(sets, func(a, b LabelSet) int {
		return cmp.Or(cmp.Compare(a.RoutingPoint, b.RoutingPoint), cmp.Compare(a.Channel, b.Channel))
	})
	return &View{Progress: b.progress, Counts: b.counts, Remembered: len(b.seen), LabelSets: sets, Agents: b.agentSets()}
}

// agentSets are those to be shown. The figures of a time when agents were counted
// are kept while they are not.
func (b *Book) agentSets() []AgentSet {
	if !b.options.Agents {
		return nil
	}
	sets := make([]AgentSet, 0, len(b.agents))
	for agent, tally := range b.agents {
		sets = append(sets, AgentSet{agent, tally})
	}
	slices.SortFunc(sets, func(a, b AgentSet) int { return cmp.Compare(a.Agent, b.Agent) })
	return sets
}

// forget drops what ended before the floor. What is kept too long costs
// memory; what is dropped too early costs nothing either, as the floor keeps it
// from being counted again.
func (b *Book) forget() {
	maps.DeleteFunc(b.seen, func(_ wolkvox.ID, e entry) bool { return e.forgotten(b.floor) })
}

func (e entry) forgotten(floor wolkvox.LocalTime) bool { return wolkvox.LocalTime(e.until) < floor }
