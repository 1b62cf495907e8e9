package wolkvox

import (
	"bytes"
	"time"
)

// LocalTime is a second on the operation's wall clock, counted from 1970-01-01 00:00:00 on that
// clock. It has no zone, as the report has none: rows can be compared without knowing the zone.
// The zero value means "no date".
type LocalTime int64

// ToLocalTime returns what the clocks of t's location show at t, cut to the second.
func ToLocalTime(t time.Time) LocalTime {
	_, offset := t.Zone()
	return LocalTime(t.Unix() + int64(offset))
}

// ToLatestLocalTime returns the latest time that the clocks of t's location have shown by t. In
// the night when they go back it is not that of t.
func ToLatestLocalTime(t time.Time) LocalTime {
	latest := ToLocalTime(t)
	if change, _ := t.ZoneBounds(); !change.IsZero() {
		latest = max(latest, ToLocalTime(change.Add(-time.Second).In(t.Location())))
	}
	return latest
}

// In returns a moment when the clocks of zone show l: one of two in the night when they go back.
func (l LocalTime) In(zone *time.Location) time.Time {
	year, month, day := l.date().Date()
	hour, minute, second := l.date().Clock()
	return time.Date(year, month, day, hour, minute, second, 0, zone)
}

// LastIn returns the last moment when the clocks of zone show l: the second of two in the night
// when they go back.
func (l LocalTime) LastIn(zone *time.Location) time.Time {
	t := l.In(zone)
	_, change := t.ZoneBounds()
	_, before := t.Zone()
	_, after := change.Zone()
	again := t.Add(time.Duration(before-after) * time.Second)
	if !change.IsZero() && again.After(t) && ToLocalTime(again) == l {
		return again
	}
	return t
}

// String returns l as the report writes it: 2006-01-02 15:04:05.
func (l LocalTime) String() string { return l.date().Format(time.DateTime) }

// param returns l as the API's parameters are written: YYYYmmddHHiiss.
func (l LocalTime) param() string { return l.date().Format("20060102150405") }

// date returns a time whose calendar is that of l. Its location is a stand-in.
func (l LocalTime) date() time.Time { return time.Unix(int64(l), 0).UTC() }

// monthEnd returns the last second of l's calendar month.
func (l LocalTime) monthEnd() LocalTime {
	year, month, _ := l.date().Date()
	return LocalTime(time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).Unix() - 1)
}

// parseLocalTime reads a date with a space, with a T, or as in the API's parameters. It takes a
// quarter of the time of time.Parse.
func parseLocalTime(text []byte) (LocalTime, bool) {
	layout := "9999-99-99 99:99:99"
	if len(text) == len("99999999999999") {
		layout = "99999999999999"
	}
	if len(text) != len(layout) {
		return 0, false
	}
	var digits int64 // more than an int of 32 bits holds
	for i, c := range text {
		switch want := layout[i]; {
		case want == '9' && isDigit(c):
			digits = digits*10 + int64(c-'0')
		case want == '9' || want != c && (want != ' ' || c != 'T'):
			return 0, false
		}
	}
	day, clock := int(digits/1e6), int(digits%1e6)
	year, month, day := day/1e4, day/1e2%100, day%100
	hour, minute, second := clock/1e4, clock/1e2%100, clock%100
	date := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	// time.Date accepts the 31st of April.
	if month < 1 || month > 12 || date.Day() != day || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return checkRange(LocalTime(date.Unix()))
}

// maxLocalTime is what 32 bits have room for (2106).
const maxLocalTime = 1<<32 - 1

// checkRange returns l, or zero if it is out of range.
func checkRange(l LocalTime) (LocalTime, bool) {
	if l <= 0 || l > maxLocalTime {
		return 0, false
	}
	return l, true
}

// parseDate reads a date of a row, which can have a fraction of a second and an offset. A date
// with an offset is read off the clocks of zone, if that is not nil. MySQL's zero date is an
// absent one.
func parseDate(text []byte, zone *time.Location) (LocalTime, bool) {
	date := text[:min(len(text), len(time.DateTime))]
	local, ok := parseLocalTime(date)
	if zero := len(date) >= len(time.DateOnly) && len(bytes.Trim(date, "0-: T")) == 0; !ok && zero {
		local, ok = 0, true
	}
	if !ok || len(date) == len(text) {
		return local, ok
	}
	offset, hasOffset, ok := parseOffset(string(text[len("2006-01-02 15:04:"):]))
	switch {
	case !ok:
		return 0, false
	case !hasOffset || local == 0 || zone == nil:
		return local, true
	default:
		return checkRange(ToLocalTime(time.Unix(int64(local)-offset, 0).In(zone)))
	}
}

// parseOffset reads seconds with a fraction or an offset, and returns that in seconds east of
// Greenwich.
func parseOffset(text string) (offset int64, hasOffset, ok bool) {
	const maxOffset = 16 * 60 * 60
	for i, layout := range []string{"05", "05Z07:00", "05Z0700", "05Z07", "05 Z07:00", "05 Z0700", "05 Z07"} {
		if t, err := time.Parse(layout, text); err == nil {
			_, east := t.Zone()
			return int64(east), i > 0, east > -maxOffset && east < maxOffset
		}
	}
	return 0, false, false
}
