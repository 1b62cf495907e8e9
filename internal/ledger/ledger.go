// Package ledger holds what was counted. It is a pure state machine: no I/O, no clock,
// no goroutine.
//
// One mechanism counts every chat once. The ledger remembers, per chat, which facts of
// it have been counted. Applying a row counts the facts that the row states and that are
// not yet remembered. So a row that comes again adds nothing, a row that was filled in
// later adds what was missing, and a chat that must not be counted is remembered with
// all facts.
//
// A digest of the values is remembered beside the facts. It changes no figure: it shows
// which rows have other values than those that were counted.
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

// Progress is how far the report has been read. The ledger keeps it so that it is saved
// with what was counted; only the reader of the report changes it.
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

// Ledger is what was counted, and what is remembered of it. One [Transaction] at a time
// changes it. Its views may be read by any goroutine.
type Ledger struct {
	options  Options
	progress Progress
	// floor is up to when chats were forgotten, by the date of their end.
	floor   wolkvox.LocalTime
	seen    map[wolkvox.ID]entry
	tallies map[Labels]*Tally
	agents  map[string]*AgentTally
	counts  Counts
	// unknown is the part of the saved state that this version has no name for.
	unknown stateV1
}

// Options say what to count.
type Options struct {
	// MaxLabelSets limits the pairs of routing point and channel beside [Overflow], and
	// the agents beside [OverflowAgent].
	MaxLabelSets int
	// Agents counts chats under their agents, too. Chats that were counted
	// without it are not counted under an agent later.
	Agents bool
	// Bounds are the upper bounds of the classic buckets, ascending and without +Inf.
	// A measure without them has those of [Measure.Bounds].
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

// entry is what is remembered of a chat: what was counted, until when it matters on the
// operation's wall clock, in 32 bits (2106), and a digest of the values.
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

// View is a ledger as it was at one moment. It never changes.
type View struct {
	Progress   Progress
	Counts     Counts
	Remembered int        // chats
	LabelSets  []LabelSet // sorted by their labels
	Agents     []AgentSet // likewise; none if they are not counted
}

// View returns the ledger as it is now.
func (l *Ledger) View() *View {
	v := &View{Progress: l.progress, Counts: l.counts, Remembered: len(l.seen), LabelSets: make([]LabelSet, 0, len(l.tallies))}
	for labels, tally := range l.tallies {
		v.LabelSets = append(v.LabelSets, LabelSet{labels, tally})
	}
	slices.SortFunc(v.LabelSets, func(a, b LabelSet) int {
		return cmp.Or(cmp.Compare(a.RoutingPoint, b.RoutingPoint), cmp.Compare(a.Channel, b.Channel))
	})
	if !l.options.Agents {
		return v // What was counted of agents is kept.
	}
	for _, agent := range slices.Sorted(maps.Keys(l.agents)) {
		v.Agents = append(v.Agents, AgentSet{agent, l.agents[agent]})
	}
	return v
}

// forget drops what ended before the floor. A chat that is kept too long costs memory.
// One that is dropped too early is not counted again, because of the floor.
func (l *Ledger) forget() {
	maps.DeleteFunc(l.seen, func(_ wolkvox.ID, e entry) bool { return e.forgotten(l.floor) })
}

func (e entry) forgotten(floor wolkvox.LocalTime) bool { return wolkvox.LocalTime(e.until) < floor }
