package wolkvox

import (
	"bytes"
	"time"
)

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

// parseDate reads a date as a row has it: one that parseLocalTime reads, with a
// fraction of a second or an offset behind it too. An offset makes it an instant, which
// is read off the clocks of zone. MySQL's zero date is an absent one.
func parseDate(text []byte, zone *time.Location) (LocalTime, bool) {
	date, rest := text, []byte(nil)
	if len(text) > len(time.DateTime) {
		date, rest = text[:len(time.DateTime)], text[len(time.DateTime):]
	}
	if len(rest) > 0 && rest[0] == '.' {
		fraction := len(rest) - len(bytes.TrimLeft(rest[1:], "0123456789"))
		if fraction == 1 {
			return 0, false
		}
		rest = rest[fraction:]
	}
	offset, ok := parseOffset(rest)
	if len(rest) > 0 && !ok {
		return 0, false
	}
	switch string(date) {
	case "0000-00-00 00:00:00", "0000-00-00T00:00:00", "00000000000000", "0000-00-00":
		return 0, true
	}
	local, ok := parseLocalTime(date)
	if ok && len(rest) > 0 && zone != nil {
		local = LocalTimeOf(time.Unix(int64(local)-offset, 0).In(zone))
		ok = local > 0 && local <= maxLocalTime
	}
	return local, ok
}

// parseOffset reads seconds east of Greenwich: Z, -05:00, -0500 or -05, with a space
// before it or without.
func parseOffset(text []byte) (seconds int64, ok bool) {
	text = bytes.TrimPrefix(text, []byte(" "))
	if string(text) == "Z" {
		return 0, true
	}
	if len(text) < len("-05") || text[0] != '-' && text[0] != '+' {
		return 0, false
	}
	hours, okHours := parseDigits(text[1:3])
	minutes, okMinutes := 0.0, true
	if rest := bytes.TrimPrefix(text[3:], []byte(":")); len(text) > len("-05") {
		minutes, okMinutes = parseDigits(rest)
		okMinutes = okMinutes && len(rest) == 2
	}
	seconds = int64(hours*3600 + minutes*60)
	if text[0] == '-' {
		seconds = -seconds
	}
	return seconds, okHours && okMinutes && hours <= 15 && minutes < 60
}

// maxLocalTime lets whoever remembers many dates keep each in 32 bits (2106).
const maxLocalTime = 1<<32 - 1
