package wolkvox

import "time"

// Window is the range of one request: date_ini and date_end as they are sent. The API may
// include or exclude its ends, so a window promises only the seconds strictly between From and
// To; [Windows] and [Window.Split] make windows overlap to make up for that.
type Window struct {
	From, To LocalTime
}

// String returns w for a log line.
func (w Window) String() string { return w.From.String() + " to " + w.To.String() }

// Windows returns windows that the API accepts and that together show each chat between from
// and to, whether the API includes the ends of a range or not:
//
//   - Each is inside one calendar month of the operation's wall clock, and so within the
//     vendor's limit of 31 days.
//   - Together they are contiguous on that clock. When clocks go back, the time before the
//     change and the time after it are separate windows, as they overlap on the clock. When
//     clocks go forward, the missing hour is requested too: the server's rules can differ.
//   - Each begins one second early, as the API may exclude date_ini.
//
// If the API excludes both ends, no window shows the first and last second of a month.
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

// nextChange returns when the clocks of t's zone may change next; zero if never.
func nextChange(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// On the last day of some leap years Go returns an end in the past
		// (golang/go#81583). Clocks change at whole quarters of an hour.
		const quarter = 15 * time.Minute
		return t.Truncate(quarter).Add(quarter)
	}
	return end
}

// appendMonths cuts from..to where a calendar month ends. It leaves out a single second of a
// month, which is only an end.
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

// Split returns the two halves of a window whose response was cut. They overlap by a second,
// as the API may exclude their ends. A window of less than three seconds is split into its
// seconds, which show rows only if the API includes the ends: compare them with those of w. A
// single second cannot be split: Split returns nil.
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
