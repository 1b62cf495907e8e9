package ledger

import (
	"cmp"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Labels are the labels of a [Tally].
type Labels struct {
	RoutingPoint, Channel string
}

// Overflow holds the labels of all chats beyond the limit of label sets.
var Overflow = Labels{"other", "other"}

func (l Labels) compare(other Labels) int {
	return cmp.Or(cmp.Compare(l.RoutingPoint, other.RoutingPoint), cmp.Compare(l.Channel, other.Channel))
}

// Origin describes the first appearance of a label set or an agent.
type Origin struct {
	// Born is when its counts were first published.
	Born time.Time
	// Initial is true if its first chats were counted by the first poll, so that its
	// series need not begin at zero.
	Initial bool

	// unknown is what was saved under names that this version does not know, or nil.
	unknown *setV1
}

func (o *Origin) stamp(now time.Time) {
	if o.Born.IsZero() {
		o.Born = now
	}
}

// Tally holds the counts of one label set. Once it is in a [View], it does not change.
type Tally struct {
	Origin

	Interactions uint64
	Handoffs     uint64
	LastSender   [wolkvox.SenderCount]uint64
	Histograms   [Measures]Histogram
}

// LabelSet is a tally and its labels.
type LabelSet struct {
	Labels
	*Tally
}

func newTally(options *Options, initial bool) *Tally {
	t := &Tally{Origin: Origin{Initial: initial}}
	for m := range Measure(Measures) {
		t.Histograms[m] = newHistogram(options.bounds(m))
	}
	return t
}

// Empty returns a tally with the same origin and buckets and without counts.
func (t *Tally) Empty() *Tally {
	empty := &Tally{Origin: t.Origin}
	for m := range t.Histograms {
		empty.Histograms[m] = newHistogram(t.Histograms[m].shown)
	}
	return empty
}

func (t *Tally) stamp(now time.Time) {
	t.Origin.stamp(now)
	for m := range t.Histograms {
		t.Histograms[m].stamp(now)
	}
}

func (t *Tally) clone() *Tally {
	c := *t
	for m := range t.Histograms {
		c.Histograms[m] = t.Histograms[m].clone()
	}
	return &c
}

// observe counts the given facts of a chat.
func (t *Tally) observe(chat *wolkvox.Chat, counted facts) {
	if counted&interaction != 0 {
		t.Interactions++
	}
	if counted&handoff != 0 {
		t.Handoffs++
	}
	if counted&lastSender != 0 {
		t.LastSender[chat.LastSender]++
	}
	for m := range measures {
		if counted&measures[m].fact == 0 {
			continue
		}
		value := chat.Numbers[measures[m].field]
		t.Histograms[m].observe(value)
		if chat.ConnID != "" {
			t.Histograms[m].setExemplar(value, chat.ConnID)
		}
	}
}
