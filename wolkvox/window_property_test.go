package wolkvox

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// reading says which ends belong to a range.
type reading struct {
	name       string
	start, end bool
}

var readings = []reading{{"both inclusive", true, true}, {"start only", true, false}, {"neither", false, false}}

// shows reports whether the API would show a row of that date for w.
func (r reading) shows(w Window, date LocalTime) bool {
	return w.From < date && date < w.To || r.start && date == w.From || r.end && date == w.To
}

func (r reading) anyShows(windows []Window, date LocalTime) bool {
	for _, w := range windows {
		if r.shows(w, date) {
			return true
		}
	}
	return false
}

// drawRange draws a range that often contains a change of clocks or a month's end, sometimes
// at its ends.
func drawRange(t *rapid.T, loc *time.Location) (from, to time.Time) {
	point := time.Unix(rapid.Int64Range(0, 2_900_000_000).Draw(t, "point"), 0).In(loc)
	switch rapid.IntRange(0, 4).Draw(t, "near") {
	case 0, 1:
		if _, change := point.ZoneBounds(); !change.IsZero() {
			point = change
		}
	case 2, 3:
		point = time.Date(point.Year(), point.Month(), 1, 0, 0, 0, 0, loc)
	}
	before := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 2), rapid.IntRange(0, 2*3600)).Draw(t, "before")
	after := rapid.OneOf(rapid.Just(0), rapid.IntRange(0, 2), rapid.IntRange(0, 2*3600)).Draw(t, "after")
	fraction := rapid.SampledFrom([]time.Duration{0, 0, 1, time.Second - 1})
	from = point.Add(-time.Duration(before)*time.Second + fraction.Draw(t, "from's fraction"))
	to = point.Add(time.Duration(after)*time.Second + fraction.Draw(t, "to's fraction"))
	return from, to
}

func TestWindows_ShowEverySecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		loc, err := time.LoadLocation(rapid.SampledFrom([]string{
			"America/Bogota", "America/Santiago", "America/Mexico_City", "America/Asuncion", "America/Sao_Paulo",
			"America/Havana", "America/Caracas", "Europe/Madrid", "Europe/Lisbon", "Asia/Kathmandu", "Africa/Casablanca",
			"Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "Pacific/Kwajalein", "UTC",
		}).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		from, to := drawRange(t, loc)
		windows := Windows(from, to, loc)
		for _, w := range windows {
			if w.From > w.To || time.Duration(w.To-w.From)*time.Second > 31*24*time.Hour {
				t.Fatalf("%v is no range of 31 days", w)
			}
			if w.From.monthEnd() != w.To.monthEnd() {
				t.Fatalf("%v is in two months", w)
			}
		}
		requireAllSeconds(t, windows, from, to)
		requireNoExtraSeconds(t, windows, from, to)
	})
}

// requireAllSeconds checks that the windows contain every second of the range.
func requireAllSeconds(t *rapid.T, windows []Window, from, to time.Time) {
	t.Helper()
	for s := from.Truncate(time.Second); s.Before(to.Truncate(time.Second)); s = s.Add(time.Second) {
		date := ToLocalTime(s)
		first, last := (date-1).monthEnd() == date-1, date.monthEnd() == date
		for _, r := range readings {
			excused := !r.start && first || !r.end && last
			if !excused && !r.anyShows(windows, date) {
				t.Fatalf("%v to %v, ends %s: %v is in none of %v", from, to, r.name, date, windows)
			}
		}
	}
}

// requireNoExtraSeconds checks that the windows contain no other seconds, except those that
// a clock change skips.
func requireNoExtraSeconds(t *rapid.T, windows []Window, from, to time.Time) {
	t.Helper()
	asked := map[LocalTime]bool{}
	for s := from.Truncate(time.Second).Add(-time.Second); !s.After(to); s = s.Add(time.Second) {
		asked[ToLocalTime(s)] = true
		// A window may contain the second before or after a change of clocks.
		if begin, end := s.ZoneBounds(); s.Equal(begin) {
			asked[ToLocalTime(s)-1] = true
		} else if s.Add(time.Second).Equal(end) {
			asked[ToLocalTime(s)+1] = true
		}
	}
	for _, w := range windows {
		for date := w.From; date <= w.To; date++ {
			if asked[date] {
				continue
			}
			d := date.date()
			if exists := time.Date(d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute(), d.Second(), 0, from.Location()); ToLocalTime(exists) == date {
				t.Fatalf("%v to %v: %v of %v is outside the range", from, to, date, w)
			}
		}
	}
}

func TestSplit_HalvesShowTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := LocalTime(rapid.Int64Range(-5, maxLocalTime).Draw(t, "from"))
		length := LocalTime(rapid.OneOf(rapid.Int64Range(3, 12), rapid.Int64Range(3, 5000)).Draw(t, "length"))
		w := Window{from, from + length}
		halves := w.Split()
		for _, half := range halves {
			if half.From < w.From || half.To > w.To || half.To-half.From >= length || half.From >= half.To {
				t.Fatalf("%v of %v", half, w)
			}
		}
		if len(halves) != 2 || math.Abs(float64(halves[0].To-halves[0].From-halves[1].To+halves[1].From)) > 1 {
			t.Fatalf("%v are no halves of %v", halves, w)
		}
		for date := w.From; date <= w.To; date++ {
			for _, r := range readings {
				if r.shows(w, date) != r.anyShows(halves, date) {
					t.Fatalf("ends %s: %v of %v, in %v", r.name, date, w, halves)
				}
			}
		}
	})
}

func TestSplit_BelowThreeSeconds(t *testing.T) {
	for _, c := range []struct {
		w     Window
		want  []Window
		keeps int // readings under which they show what w showed
	}{
		{Window{10, 13}, []Window{{10, 12}, {11, 13}}, 3},
		{Window{10, 12}, []Window{{10, 11}, {11, 12}}, 2},
		{Window{10, 11}, []Window{{10, 10}, {11, 11}}, 1},
		{Window{10, 10}, nil, 0},
		{Window{10, 9}, nil, 0},
	} {
		have := c.w.Split()
		if len(have) != len(c.want) {
			t.Fatalf("%d to %d: have %d, want %d", c.w.From, c.w.To, have, c.want)
		}
		for i := range have {
			if have[i] != c.want[i] {
				t.Errorf("%d to %d: have %d, want %d", c.w.From, c.w.To, have, c.want)
			}
		}
		for _, r := range readings[:c.keeps] {
			for date := c.w.From; date <= c.w.To; date++ {
				if r.shows(c.w, date) != r.anyShows(have, date) {
					t.Errorf("ends %s: %d of %d to %d", r.name, date, c.w.From, c.w.To)
				}
			}
		}
	}
}

func TestSplit_Ends(t *testing.T) {
	queue := []Window{{0, 31 * 24 * 3600}}
	depth := 0
	for ; len(queue) > 0; depth++ {
		var next []Window
		for _, w := range queue[:min(len(queue), 64)] {
			next = append(next, w.Split()...)
		}
		queue = next
	}
	if depth > 25 {
		t.Errorf("have %d halvings of 31 days, want at most 25", depth)
	}
}
