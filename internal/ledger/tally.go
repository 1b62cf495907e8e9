package ledger

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Labels tell one tally from another.
type Labels struct {
	RoutingPoint, Channel string
}

// Overflow are the labels of all chats beyond the limit of label sets.
var Overflow = Labels{"other", "other"}

// Tally is what was counted under one label set. One that is in a [View] does
// not change any more.
type Tally struct {
	// Born is when the label set was first there to be shown.
	Born time.Time
	// Initial tells that the set need not be seen without its first chats: they
	// were in the very first poll.
	Initial bool

	Interactions uint64
	Handoffs     uint64
	LastSender   [wolkvox.SenderCount]uint64
	Histograms   [Measures]Histogram
}

func newTally(options *Options, initial bool) *Tally {
	t := &Tally{Initial: initial}
	for m := range Measure(Measures) {
		t.Histograms[m] = newHistogram(options.bounds(m))
	}
	return t
}

// Empty is a tally of the same buckets that nothing has been counted in.
func (t *Tally) Empty() *Tally {
	empty := &Tally{Born: t.Born, Initial: t.Initial}
	for m := range t.Histograms {
		empty.Histograms[m] = newHistogram(t.Histograms[m].shown)
	}
	return empty
}

func (t *Tally) load(options *Options, now time.Time) {
	t.Born, t.Initial = loadBirth(t.Born, t.Initial, now)
	for m := range Measure(Measures) {
		t.Histograms[m].show(options.bounds(m))
	}
}

// loadBirth makes a tally's age one of now's clock. One that is born in the future
// was there before the wall clock was set back: it has been seen long ago.
func loadBirth(born time.Time, initial bool, now time.Time) (time.Time, bool) {
	return now.Add(born.Sub(now)), initial || born.After(now)
}

// stamp dates what is new: it is there to be shown from now on.
func (t *Tally) stamp(now time.Time) {
	if t.Born.IsZero() {
		t.Born = now
	}
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

// observe counts the given parts of a chat.
func (t *Tally) observe(chat *wolkvox.Chat, parts parts) {
	if parts&interaction != 0 {
		t.Interactions++
	}
	if parts&handoff != 0 {
		t.Handoffs++
	}
	if parts&lastSender != 0 {
		t.LastSender[chat.LastSender]++
	}
	for m := range Measure(Measures) {
		if parts&measured(m) == 0 {
			continue
		}
		value := chat.Numbers[measures[m].field]
		t.Histograms[m].observe(value)
		if chat.ConnID != "" {
			t.Histograms[m].exemplify(value, chat.ConnID)
		}
	}
}
