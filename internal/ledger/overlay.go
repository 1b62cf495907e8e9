package ledger

import (
	"maps"
	"time"
)

// overlayValue is the interface of [Tally] and [AgentTally] to an overlay.
type overlayValue[T any] interface {
	clone() T
	// stamp sets the time of what is new in it.
	stamp(now time.Time)
}

// overlay holds the changes of a transaction to the ledger's tallies of one kind: copies of
// changed tallies, and new ones.
type overlay[K comparable, T overlayValue[T]] struct {
	committed map[K]T
	changed   map[K]T
	added     int // number of new ones among changed
	limit     int // of the number of tallies, except that of overflow
	overflow  K   // key of the tally for all keys beyond the limit
}

func newOverlay[K comparable, T overlayValue[T]](committed map[K]T, limit int, overflow K) overlay[K, T] {
	return overlay[K, T]{committed: committed, changed: map[K]T{}, limit: limit, overflow: overflow}
}

// getOrCreate returns the tally of a key, or that of overflow if the key is new and the limit
// is reached. The caller may change it.
func (o *overlay[K, T]) getOrCreate(key K, create func() T) (tally T, overflowed bool) {
	if tally, ok := o.get(key); ok {
		return tally, false
	}
	if key != o.overflow && o.limitedCount() >= o.limit {
		key, overflowed = o.overflow, true
		if tally, ok := o.get(key); ok {
			return tally, true
		}
	}
	o.changed[key] = create()
	o.added++
	return o.changed[key], overflowed
}

// get returns the tally of a key if there is one. The caller may change it.
func (o *overlay[K, T]) get(key K) (T, bool) {
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

// limitedCount returns the number of tallies that count towards the limit.
func (o *overlay[K, T]) limitedCount() int {
	n := len(o.committed) + o.added
	_, committed := o.committed[o.overflow]
	_, changed := o.changed[o.overflow]
	if committed || changed {
		n--
	}
	return n
}

// stamp sets the time of what is new.
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
