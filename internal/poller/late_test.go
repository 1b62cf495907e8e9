package poller

import (
	"fmt"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// unseen returns the chats that no poll can have found: when the report had them as ended,
// the next poll read only the time after the date under which the report has them.
func (s *simulation) unseen(start time.Time) (unseen, seen []wolkvoxtest.Chat) {
	tick := offset(s.options.Operation, s.options.Interval)
	for _, c := range s.chats {
		date, shown := c.Start, c.End
		if s.readings.SelectOn == wolkvoxtest.End {
			date = c.End
		}
		if s.readings.Lateness != nil {
			shown = shown.Add(s.readings.Lateness(c))
		}
		// The second poll is at the first tick, later ones an interval apart.
		next := nextTick(start, s.options.Interval, tick)
		before := start
		for next.Before(shown) {
			before, next = next, next.Add(s.options.Interval)
		}
		first := before.Truncate(time.Second).Add(-s.options.Overlap)
		if s.readings.Ends != wolkvoxtest.BothExclusive {
			first = first.Add(-time.Second) // Windows begin a second earlier.
		}
		if date.Truncate(time.Second).Before(first) {
			unseen = append(unseen, c)
		} else {
			seen = append(seen, c)
		}
	}
	return unseen, seen
}

func TestPoller_CountsLateRecordsThatNoPollShowed(t *testing.T) {
	after := func(d time.Duration) func(wolkvoxtest.Chat) time.Duration {
		return func(c wolkvoxtest.Chat) time.Duration { return d * time.Duration(c.Messages%2) }
	}
	tests := []struct {
		readings wolkvoxtest.Readings
		late     bool // some chats are
	}{
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.Start}, true},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.Start, Ends: wolkvoxtest.StartInclusive, ListOpen: wolkvoxtest.EmptyEnd}, true},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.Start, Ends: wolkvoxtest.BothExclusive, Lateness: after(29 * time.Minute)}, true},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.Start, Lateness: after(3 * time.Hour)}, true},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.End}, false},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.End, Ends: wolkvoxtest.BothExclusive, ListOpen: wolkvoxtest.DashEnd}, false},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.End, Lateness: after(29 * time.Minute)}, false},
		{wolkvoxtest.Readings{SelectOn: wolkvoxtest.End, Lateness: after(3 * time.Hour)}, true},
	}
	for i, tt := range tests {
		for _, reconciling := range []bool{true, false} {
			if !reconciling && !tt.late || !sampled(i) {
				continue // It would be the same, or enough.
			}
			t.Run(fmt.Sprintf("%d reconciling=%v", i, reconciling), func(t *testing.T) {
				t.Parallel()
				start := places[0].start
				s := newSimulation(uint64(i), places[0].zone)
				s.readings = tt.readings
				s.chats = s.makeChats(150, start.Add(time.Second), start.Add(day), places[0].matters)
				if !reconciling {
					s.options.ReconcileInterval = 0
				}
				s.live(t, start, day+8*time.Hour)

				unseen, counted := s.unseen(start)
				if (len(unseen) > 0) != tt.late {
					t.Fatalf("have %d chats that no poll can have shown, want some: %v", len(unseen), tt.late)
				}
				late := uint64(0)
				if reconciling {
					late, counted = uint64(len(unseen)), s.chats
				}
				s.wantAll(t, counted)
				have := newPoller(t, nil, &s.kept, s.options).Snapshot().View.Counts.Late
				if have != late {
					t.Errorf("late records: have %d, want %d", have, late)
				}
				t.Logf("of %d chats, polls cannot have shown %d; late records: %d", len(s.chats), len(unseen), have)
			})
		}
	}
}

// Without an overlap, polls share only the second by which each window begins early.
func TestPoller_MissesNoSecondBetweenPolls(t *testing.T) {
	for i, place := range places {
		for _, ends := range []wolkvoxtest.Ends{wolkvoxtest.BothInclusive, wolkvoxtest.StartInclusive, wolkvoxtest.BothExclusive} {
			if !torture && int(ends) != i%3 || !sampled(i) {
				continue
			}
			t.Run(fmt.Sprintf("place %d, ends %d", i, ends), func(t *testing.T) {
				t.Parallel()
				start := place.matters.Add(-22 * time.Minute) // of the chats
				s := newSimulation(1, place.zone)
				s.readings = wolkvoxtest.Readings{SelectOn: wolkvoxtest.End, Ends: ends}
				s.options.Overlap, s.options.ReconcileInterval, s.prompt = 0, 0, true
				for n := range 45 * 60 {
					end := start.Add(time.Duration(n+1) * time.Second)
					if ends != wolkvoxtest.BothInclusive && s.besideAMonthsEnd(end) {
						continue // No window shows these two.
					}
					s.chats = append(s.chats, s.makeChat(n, end.Add(-time.Minute), end))
				}
				s.live(t, start.Add(-3*time.Hour), 4*time.Hour)
				s.wantAll(t, s.chats)
			})
		}
	}
}
