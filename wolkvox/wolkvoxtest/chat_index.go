package wolkvoxtest

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// localTime is a time on the operation's clock: the digits YYYYmmddHHiiss as one number. It
// has no offset, and sorts as the vendor's strings do. If clocks are put back, 02:30 occurs
// twice and is one localTime.
type localTime int64

func toLocalTime(t time.Time, loc *time.Location) localTime {
	t = t.In(loc)
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return localTime(year)*1e10 + localTime(month)*1e8 + localTime(day)*1e6 +
		localTime(hour)*1e4 + localTime(minute)*1e2 + localTime(second)
}

// time returns one of the times when loc's clocks show w.
func (w localTime) time(loc *time.Location) time.Time {
	part := func(div localTime) int { return int(w / div % 100) }
	return time.Date(int(w/1e10), time.Month(part(1e8)), part(1e6), part(1e4), part(1e2), part(1), 0, loc)
}

// moments returns bounds of the times when loc's clocks show w. They are one second apart,
// except near a change of the clocks.
func (w localTime) moments(loc *time.Location) (from, to time.Time) {
	const change = 3 * time.Hour // more than any clock is put forward or back
	t := w.time(loc)
	from, to = t, t.Add(time.Second)
	begin, end := t.ZoneBounds()
	if !begin.IsZero() && t.Sub(begin) < change || !end.IsZero() && end.Sub(t) < change {
		from, to = from.Add(-change), to.Add(change)
	}
	return from, to
}

// listing is a chat as a response of the report shows it.
type listing struct {
	date  localTime // the one it was selected on
	state state
	chat  *Chat
	first *Chat // as it is first shown
}

// chatIndex holds the added chats and finds those of a range.
type chatIndex struct {
	cfg *Config

	mu       sync.Mutex
	byStart  []*entry
	byEnd    []*entry // those that have an end
	unsorted bool     // entries were added since both were last sorted
}

// entry is immutable once it is in the index.
type entry struct {
	version
	start, end localTime
}

func (b *chatIndex) add(chats []Chat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range chats {
		b.addLocked(c)
	}
}

func (b *chatIndex) addLocked(c Chat) {
	for v := range b.cfg.Readings.versions(c) {
		e := &entry{version: v, start: toLocalTime(c.Start, b.cfg.Location)}
		b.byStart = append(b.byStart, e)
		if !c.End.IsZero() {
			e.end = toLocalTime(v.chat.End, b.cfg.Location)
			b.byEnd = append(b.byEnd, e)
		}
	}
	b.unsorted = true
}

// update replaces earlier states of chats.
func (b *chatIndex) update(chats []Chat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range chats {
		earlier := func(e *entry) bool { return e.first.sameRecord(&c) }
		b.byStart = slices.DeleteFunc(b.byStart, earlier)
		b.byEnd = slices.DeleteFunc(b.byEnd, earlier)
		b.addLocked(c)
	}
}

func (b *chatIndex) each(do func(*version)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.byStart {
		do(&e.version)
	}
}

// find calls do with every listing of the range. Added chats with the same date are in the
// order in which they were added.
func (b *chatIndex) find(from, to localTime, now time.Time, do func(listing)) {
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
		b.findGenerated(from, to, now, do)
	}
}

func (b *chatIndex) findAdded(from, to localTime, now time.Time, do func(listing)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unsorted {
		slices.SortStableFunc(b.byStart, func(x, y *entry) int { return cmp.Compare(x.start, y.start) })
		slices.SortStableFunc(b.byEnd, func(x, y *entry) int { return cmp.Compare(x.end, y.end) })
		b.unsorted = false
	}
	readings := &b.cfg.Readings
	onEnd := readings.SelectOn == End

	first, _ := slices.BinarySearchFunc(b.byStart, from, func(e *entry, w localTime) int { return cmp.Compare(e.start, w) })
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
	first, _ = slices.BinarySearchFunc(b.byEnd, from, func(e *entry, w localTime) int { return cmp.Compare(e.end, w) })
	for _, e := range b.byEnd[first:] {
		if e.end > to {
			break
		}
		if st := readings.versionState(&e.version, now); st == unfilled || st == complete {
			do(listing{e.end, st, e.chat, e.first})
		}
	}
}

// findGenerated gets the chats that may be in the range from the Source, and compares local times.
func (b *chatIndex) findGenerated(from, to localTime, now time.Time, do func(listing)) {
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
			if w := toLocalTime(date, loc); from <= w && w <= to {
				do(listing{w, st, v.chat, v.first})
			}
		}
	}
}

// rowLimiter sorts listings and keeps as many as a response may have. It holds at most twice
// that many.
type rowLimiter struct {
	limit int
	cut   Cut
	rows  []listing
	found int
}

func (p *rowLimiter) add(l listing) {
	p.found++
	p.rows = append(p.rows, l)
	if len(p.rows)/2 >= p.limit {
		p.truncate()
	}
}

func (p *rowLimiter) truncate() {
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
