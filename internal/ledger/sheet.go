package ledger

import (
	"maps"
	"time"
)

// account is a tally of any kind.
type account[T any] interface {
	clone() T
	// stamp dates what is new in it: it is there to be shown from now on.
	stamp(now time.Time)
}

// sheet is what a transaction does to the book's tallies of one kind: its own
// copies of those that it changes, and new ones.
type sheet[K comparable, T account[T]] struct {
	book     map[K]T
	changed  map[K]T
	born     int // of the changed ones, those that the book does not have
	limit    int // of the tallies, without overflow's
	overflow K   // takes what is beyond
}

func newSheet[K comparable, T account[T]](book map[K]T, limit int, overflow K) sheet[K, T] {
	return sheet[K, T]{book: book, changed: map[K]T{}, limit: limit, overflow: overflow}
}

// tally is the one to count under key, or under overflow if there is no room for
// another one. It may be changed.
func (s *sheet[K, T]) tally(key K, made func() T) (tally T, overflowed bool) {
	if tally, ok := s.existing(key); ok {
		return tally, false
	}
	if key != s.overflow && s.own() >= s.limit {
		key, overflowed = s.overflow, true
		if tally, ok := s.existing(key); ok {
			return tally, true
		}
	}
	s.changed[key] = made()
	s.born++
	return s.changed[key], overflowed
}

// existing is the tally of a key that has one.
func (s *sheet[K, T]) existing(key K) (T, bool) {
	if tally, ok := s.changed[key]; ok {
		return tally, true
	}
	tally, ok := s.book[key]
	if ok {
		tally = tally.clone()
		s.changed[key] = tally
	}
	return tally, ok
}

// own counts the tallies that the limit is for.
func (s *sheet[K, T]) own() int {
	n := len(s.book) + s.born
	_, committed := s.book[s.overflow]
	_, changed := s.changed[s.overflow]
	if committed || changed {
		n--
	}
	return n
}

// stamp dates what is new in the changed ones.
func (s *sheet[K, T]) stamp(now time.Time) {
	for _, tally := range s.changed {
		tally.stamp(now)
	}
}

// all are the tallies as they will be after the transaction.
func (s *sheet[K, T]) all() map[K]T {
	all := maps.Clone(s.book)
	maps.Copy(all, s.changed)
	return all
}

// commit makes the changes the book's.
func (s *sheet[K, T]) commit() { maps.Copy(s.book, s.changed) }
