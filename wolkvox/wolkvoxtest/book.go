package wolkvoxtest

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// wall is a moment on the operation's clock, the digits YYYYmmddHHiiss read as
// one number: it has no offset, and orders as the vendor's strings do. The two
// 02:30s of the night the clocks go back are one wall.
type wall int64

func wallOf(t time.Time, loc *time.Location) wall {
	t = t.In(loc)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return wall(year)*1e10 + wall(month)*1e8 + wall(day)*1e6 +
		wall(hour)*1e4 + wall(minute)*1e2 + wall(second)
}

// time is one of the moments when loc's clocks show w.
func (w wall) time(loc *time.Location) time.Time {
	part := func(div wall) int { return int(w / div % 100) }
	return time.Date(int(w/1e10), time.Month(part(1e8)), part(1e6), part(1e4), part(1e2), part(1), 0, loc)
}

// moments bounds all those when loc's clocks show w: they are one second,
// except near a change of the clocks.
func (w wall) moments(loc *time.Location) (from, to time.Time) {
	const change = 3 * time.Hour // more than any clock is put forward or back
	t := w.time(loc)
	from, to = t, t.Add(time.Second)
	begin, end := t.ZoneBounds()
	if !begin.IsZero() && t.Sub(begin) < change || !end.IsZero() && end.Sub(t) < change {
		from, to = from.Add(-change), to.Add(change)
	}
	return from, to
}

// listing is a chat as one answer of the report shows it.
type listing struct {
	date  wall // the one it was selected on
	state state
	chat  *Chat
	first *Chat // as it is first shown
}

// book holds the chats and finds those of a range.
type book struct {
	cfg *Config

	mu      sync.Mutex
	byStart []*entry
	byEnd   []*entry // those that have an end
	unread  bool     // entries were added since both were last sorted
}

// entry is not changed once it is in the book.
type entry struct {
	version
	start, end wall
}

func (b *book) add(chats []Chat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range chats {
		b.addLocked(c)
	}
}

func (b *book) addLocked(c Chat) {
	for v := range b.cfg.Readings.versions(c) {
		e := &entry{version: v, start: wallOf(c.Start, b.cfg.Location)}
		b.byStart = append(b.byStart, e)
		if !c.End.IsZero() {
			e.end = wallOf(v.chat.End, b.cfg.Location)
			b.byEnd = append(b.byEnd, e)
		}
	}
	b.unread = true
}

// update puts chats in the place of their earlier states.
func (b *book) update(chats []Chat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range chats {
		earlier := func(e *entry) bool { return e.first.sameRecord(&c) }
		b.byStart = slices.DeleteFunc(b.byStart, earlier)
		b.byEnd = slices.DeleteFunc(b.byEnd, earlier)
		b.addLocked(c)
	}
}

func (b *book) each(do func(*version)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.byStart {
		do(&e.version)
	}
}

// find calls do with every listing of the range; those of the chats added come
// in the order they were added where their dates are equal.
func (b *book) find(from, to wall, now time.Time, do func(listing)) {
	switch b.cfg.Readings.Ends {
	case BothInclusive:
	case StartInclusive:
		to--
	case BothExclusive:
		from++
		to--
	}
	if from > to {
		return
	}
	b.findAdded(from, to, now, do)
	if b.cfg.Source != nil {
		b.findMade(from, to, now, do)
	}
}

func (b *book) findAdded(from, to wall, now time.Time, do func(listing)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unread {
		slices.SortStableFunc(b.byStart, func(x, y *entry) int { return cmp.Compare(x.start, y.start) })
		slices.SortStableFunc(b.byEnd, func(x, y *entry) int { return cmp.Compare(x.end, y.end) })
		b.unread = false
	}
	readings := &b.cfg.Readings
	onEnd := readings.SelectOn == End

	first, _ := slices.BinarySearchFunc(b.byStart, from, func(e *entry, w wall) int { return cmp.Compare(e.start, w) })
	for _, e := range b.byStart[first:] {
		if e.start > to {
			break
		}
		st := readings.versionState(&e.version, now)
		if st == hidden || onEnd && st != open {
			continue
		}
		do(listing{e.start, st, e.chat, e.first})
	}
	if !onEnd {
		return
	}
	first, _ = slices.BinarySearchFunc(b.byEnd, from, func(e *entry, w wall) int { return cmp.Compare(e.end, w) })
	for _, e := range b.byEnd[first:] {
		if e.end > to {
			break
		}
		if st := readings.versionState(&e.version, now); st == unfilled || st == complete {
			do(listing{e.end, st, e.chat, e.first})
		}
	}
}

// findMade asks the Source for what may be in the range, and compares walls.
func (b *book) findMade(from, to wall, now time.Time, do func(listing)) {
	readings, loc, source := &b.cfg.Readings, b.cfg.Location, b.cfg.Source
	begin, _ := from.moments(loc)
	_, end := to.moments(loc)
	if readings.SelectOn == End {
		begin = begin.Add(-source.Longest())
		if readings.GrowEnd {
			begin = begin.Add(-maxGrowth)
		}
	}
	if later := now.Add(1); end.After(later) {
		end = later
	}
	for c := range source.Started(begin, end) {
		for v := range readings.versions(c) {
			st := readings.versionState(&v, now)
			if st == hidden {
				continue
			}
			date := v.chat.Start
			if readings.SelectOn == End && st != open {
				date = v.chat.End
			}
			if w := wallOf(date, loc); from <= w && w <= to {
				do(listing{w, st, v.chat, v.first})
			}
		}
	}
}

// picker sorts listings and keeps as many as a response may have; it never
// holds more than twice that, however full the range.
type picker struct {
	limit int
	cut   Cut
	rows  []listing
	found int
}

func (p *picker) add(l listing) {
	p.found++
	p.rows = append(p.rows, l)
	if len(p.rows)/2 >= p.limit {
		p.settle()
	}
}

func (p *picker) settle() {
	slices.SortStableFunc(p.rows, func(x, y listing) int { return cmp.Compare(x.date, y.date) })
	excess := len(p.rows) - p.limit
	if excess <= 0 {
		return
	}
	if p.cut == Last {
		p.rows = append(p.rows[:0], p.rows[excess:]...)
	} else {
		p.rows = p.rows[:p.limit]
	}
}
