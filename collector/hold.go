package collector

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// tally holds the figures of a label set or of an agent.
type tally[T any] interface {
	comparable
	// Empty returns a tally without figures.
	Empty() T
}

// shown returns the tally of a label set or an agent that is shown at a time, and when another
// one follows; zero if none does before the next poll. A base is shown for the zero-hold, so
// that increase() sees the rise from it: an empty tally after the first chats, and the loaded
// one after a start. loaded is the zero value if there was none.
func shown[T tally[T]](options *Options, current, loaded T, origin ledger.Origin, heldSince, now time.Time) (base T, until time.Time) {
	var none T
	switch {
	case !origin.Initial && options.isHeld(origin.Born, now):
		return current.Empty(), origin.Born.Add(options.ZeroHold)
	case loaded != none && loaded != current && options.isHeld(heldSince, now):
		return loaded, heldSince.Add(options.ZeroHold)
	default:
		return current, time.Time{}
	}
}

// isHeld reports whether a base that is shown since a time is still shown. That time may be
// after now, by the instant between reading the clock and reading the snapshot. It is never
// further ahead, as it is on this process's monotonic clock, so a change of the wall clock
// does not change how long the base is shown.
func (options *Options) isHeld(since, now time.Time) bool {
	return options.ZeroHold > 0 && now.Sub(since) < options.ZeroHold
}

func (options *Options) shownLabelSet(s *status.Snapshot, set ledger.LabelSet, now time.Time) (*ledger.Tally, time.Time) {
	return shown(options, set.Tally, s.Loaded.Tally(set.Labels), set.Origin, s.HeldSince, now)
}

func (options *Options) shownAgent(s *status.Snapshot, set ledger.AgentSet, now time.Time) (*ledger.AgentTally, time.Time) {
	return shown(options, set.AgentTally, s.Loaded.AgentTally(set.Agent), set.Origin, s.HeldSince, now)
}

// heldUntil returns when the next hold in an operation ends, and so its figures change. It is
// zero if nothing is held.
func (options *Options) heldUntil(s *status.Snapshot, now time.Time) (next time.Time) {
	update := func(until time.Time) {
		if !until.IsZero() && (next.IsZero() || until.Before(next)) {
			next = until
		}
	}
	for _, set := range s.View.LabelSets {
		_, until := options.shownLabelSet(s, set, now)
		update(until)
	}
	for _, agent := range s.View.Agents {
		_, until := options.shownAgent(s, agent, now)
		update(until)
	}
	return next
}
