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
	var digits [14]byte
	switch len(text) {
	case 14:
		copy(digits[:], text)
	case 19:
		if text[4] != '-' || text[7] != '-' || text[10] != ' ' && text[10] != 'T' || text[13] != ':' || text[16] != ':' {
			return 0, false
		}
		part := digits[:0]
		for _, at := range [...][2]int{{0, 4}, {5, 7}, {8, 10}, {11, 13}, {14, 16}, {17, 19}} {
			part = append(part, text[at[0]:at[1]]...)
		}
	default:
		return 0, false
	}
	var fields [6]int
	for i, at := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 12}, {12, 14}} {
		for _, c := range digits[at[0]:at[1]] {
			if c < '0' || c > '9' {
				return 0, false
			}
			fields[i] = fields[i]*10 + int(c-'0')
		}
	}
	date := time.Date(fields[0], time.Month(fields[1]), fields[2], fields[3], fields[4], fields[5], 0, time.UTC)
	// time.Date normalises the 31st of April; the report must not contain one.
	if date.Day() != fields[2] || date.Month() != time.Month(fields[1]) || date.Hour() != fields[3] ||
		date.Minute() != fields[4] || date.Second() != fields[5] || date.Unix() <= 0 || date.Unix() > maxLocalTime {
		return 0, false
	}
	return LocalTime(date.Unix()), true
}

// maxLocalTime lets whoever remembers many dates keep each in 32 bits (2106).
const maxLocalTime = 1<<32 - 1
