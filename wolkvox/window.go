package wolkvox

import "time"

// Window is one request's range: date_ini and date_end exactly as they are
// sent. Nobody documents whether the API includes its ends, so a window only
// promises the seconds strictly between From and To under every reading; see
// [Windows] and [Window.Split] for how windows overlap to make up for it.
type Window struct {
	From, To LocalTime
}

// String formats w for a log line.
func (w Window) String() string { return w.From.String() + " to " + w.To.String() }

// Windows cuts the time from from to to into windows that the API accepts and
// that together show every chat of that time, whichever way the API reads a
// range:
//
//   - Each stays inside one calendar month of the operation's wall clock, and
//     so within the vendor's limit of 31 days.
//   - Together they are contiguous on that clock. When clocks go back, an hour
//     exists twice on the wall; the time before and the time after the change
//     are windows of their own, as their wall-clock ranges overlap. When clocks
//     go forward no such hour was, and none is left out either: a server with
//     other zone rules may have it.
//   - Each reaches one second further back than asked, because the API may not
//     include date_ini.
//
// Only the first and the last second of a calendar month can be out of reach:
// if the API excludes both ends, no window inside a month shows them.
func Windows(from, to time.Time, zone *time.Location) []Window {
	from, to = from.In(zone), to.In(zone)
	if !from.Before(to) {
		return nil
	}
	var windows []Window
	start := from
	for at := from; ; {
		change := nextChange(at)
		if change.IsZero() || change.After(to) {
			return appendMonths(windows, ToLocalTime(start)-1, ToLocalTime(to))
		}
		before := ToLocalTime(change.Add(-time.Second)) + 1
		if ToLocalTime(change) < before {
			windows = appendMonths(windows, ToLocalTime(start)-1, before)
			if to.Sub(change) < time.Second {
				return windows
			}
			start = change
		}
		at = change
	}
}

// nextChange is when the clocks of t's zone may change next, or zero if never.
func nextChange(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// On the last day of some leap years Go has an end that is past already
		// (golang/go#81583). Clocks change at whole quarters of an hour.
		const quarter = 15 * time.Minute
		return t.Truncate(quarter).Add(quarter)
	}
	return end
}

// appendMonths cuts from..to where a calendar month ends. A single second that
// is left of a month is an end that nobody asked for, so it is left out.
func appendMonths(windows []Window, from, to LocalTime) []Window {
	for from < to {
		end := min(from.monthEnd(), to)
		if from < end {
			windows = append(windows, Window{from, end})
		}
		from = end + 1
	}
	return windows
}

// Split halves a window whose response was cut, so that both halves together
// show what w would have shown. The halves overlap by a second, as neither may
// include its ends. A window of less than three seconds is narrowed to single
// seconds instead; these show anything only if the API includes the ends, so
// the caller compares their rows with w's. A single second cannot be split:
// the answer is nil.
func (w Window) Split() []Window {
	switch length := w.To - w.From; {
	case length >= 3:
		middle := w.From + (length+1)/2
		return []Window{{w.From, middle}, {middle - 1, w.To}}
	case length == 2:
		return []Window{{w.From, w.From + 1}, {w.From + 1, w.To}}
	case length == 1:
		return []Window{{w.From, w.From}, {w.To, w.To}}
	default:
		return nil
	}
}
