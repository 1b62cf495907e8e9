package wolkvox

import "time"

// LocalTime is a second on the operation's wall clock, counted from 1970-01-01
// 00:00:00 on that clock. It carries no zone: the report speaks wall-clock time
// only, so two rows can be compared, and a chat recognised again, without ever
// knowing which zone that clock is in. The zero value means "no date".
type LocalTime int64

// LocalTimeOf reads the wall clock of t's location, cut to the second.
func LocalTimeOf(t time.Time) LocalTime {
	_, offset := t.Zone()
	return LocalTime(t.Unix() + int64(offset))
}

// LatestLocalTimeOf is the latest time that the clocks of t's location have shown by
// t: in the night when they go back it is not the newest.
func LatestLocalTimeOf(t time.Time) LocalTime {
	latest := LocalTimeOf(t)
	if change, _ := t.ZoneBounds(); !change.IsZero() {
		latest = max(latest, LocalTimeOf(change.Add(-time.Second).In(t.Location())))
	}
	return latest
}

// In is a moment when the clocks of zone show l: one of two in the night when
// they go back.
func (l LocalTime) In(zone *time.Location) time.Time {
	year, month, day := l.date().Date()
	hour, minute, second := l.date().Clock()
	return time.Date(year, month, day, hour, minute, second, 0, zone)
}

// LastIn is the last moment when the clocks of zone show l: the second one in the
// night when they go back.
func (l LocalTime) LastIn(zone *time.Location) time.Time {
	t := l.In(zone)
	_, change := t.ZoneBounds()
	if change.IsZero() {
		return t
	}
	_, before := t.Zone()
	_, after := change.Zone()
	if again := t.Add(time.Duration(before-after) * time.Second); again.After(t) && LocalTimeOf(again) == l {
		return again
	}
	return t
}

// String formats l as the report does: 2006-01-02 15:04:05.
func (l LocalTime) String() string { return l.date().Format(time.DateTime) }

// param formats l as the API's parameters want it: YYYYmmddHHiiss.
func (l LocalTime) param() string { return l.date().Format("20060102150405") }

// date lends time.Time's calendar to l. The location is a stand-in.
func (l LocalTime) date() time.Time { return time.Unix(int64(l), 0).UTC() }

// monthEnd is the last second of l's calendar month.
func (l LocalTime) monthEnd() LocalTime {
	year, month, _ := l.date().Date()
	return LocalTime(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).Unix() - 1)
}

// parseLocalTime reads the three spellings users have met: with a space, with
// a T, and the compact one of the parameters.
func parseLocalTime(text []byte) (LocalTime, bool) {
	starts := [...]int{0, 5, 8, 11, 14, 17}
	switch len(text) {
	case 14:
		starts = [...]int{0, 4, 6, 8, 10, 12}
	case 19:
		if text[4] != '-' || text[7] != '-' || text[10] != ' ' && text[10] != 'T' || text[13] != ':' || text[16] != ':' {
			return 0, false
		}
	default:
		return 0, false
	}
	var parts [len(starts)]int
	length := 4 // of the year
	for i, start := range starts {
		for _, c := range text[start : start+length] {
			if !isDigit(c) {
				return 0, false
			}
			parts[i] = parts[i]*10 + int(c-'0')
		}
		length = 2
	}
	year, month, day := parts[0], time.Month(parts[1]), parts[2]
	hour, minute, second := parts[3], parts[4], parts[5]
	if month < time.January || month > time.December || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	date := time.Date(year, month, day, hour, minute, second, 0, time.UTC)
	// time.Date normalises the 31st of April; the report must not contain one.
	if date.Day() != day || date.Unix() <= 0 || date.Unix() > maxLocalTime {
		return 0, false
	}
	return LocalTime(date.Unix()), true
}

// maxLocalTime lets whoever remembers many dates keep each in 32 bits (2106).
const maxLocalTime = 1<<32 - 1
