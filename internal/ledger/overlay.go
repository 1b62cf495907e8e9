package ledger

import (
	"maps"
	"time"
)

// tally is a [Tally] or an [AgentTally].
type tally[T any] interface {
	clone() T
	// stamp sets the birth of what is new in it.
	stamp(now time.Time)
}

// overlay holds what a transaction changes in the ledger's tallies of one kind: its own
// copies of those that it changes, and new ones.
type overlay[K comparable, T tally[T]] struct {
	committed map[K]T
	changed   map[K]T
	added     int // of the changed ones, those that are not committed
	limit     int // of the tallies, without overflow's
	overflow  K   // takes what is beyond
}

func newOverlay[K comparable, T tally[T]](committed map[K]T, limit int, overflow K) overlay[K, T] {
	return overlay[K, T]{committed: committed, changed: map[K]T{}, limit: limit, overflow: overflow}
}

// tally returns the one to count under key, or under overflow if there is no room for
// another one. The caller may change it.
func (o *overlay[K, T]) tally(key K, create func() T) (tally T, overflowed bool) {
	if tally, ok := o.existing(key); ok {
		return tally, false
	}
	if key != o.overflow && o.limited() >= o.limit {
		key, overflowed = o.overflow, true
		if tally, ok := o.existing(key); ok {
			return tally, true
		}
	}
	o.changed[key] = create()
	o.added++
	return o.changed[key], overflowed
}

// existing returns the tally of a key that has one.
func (o *overlay[K, T]) existing(key K) (T, bool) {
	if tally, ok := o.changed[key]; ok {
		return tally, true
	}
	tally, ok := o.committed[key]
	if ok {
		tally = tally.clone()
		o.changed[key] = tally
	}
	return tally, ok
}

// limited returns the number of tallies that the limit is for.
func (o *overlay[K, T]) limited() int {
	n := len(o.committed) + o.added
	_, committed := o.committed[o.overflow]
	_, changed := o.changed[o.overflow]
	if committed || changed {
		n--
	}
	return n
}

// stamp sets the birth of what is new.
func (o *overlay[K, T]) stamp(now time.Time) {
	for _, tally := range o.changed {
		tally.stamp(now)
	}
}

// all returns the tallies as they will be after the transaction.
func (o *overlay[K, T]) all() map[K]T {
	all := maps.Clone(o.committed)
	maps.Copy(all, o.changed)
	return all
}

func (o *overlay[K, T]) commit() { maps.Copy(o.committed, o.changed) }
