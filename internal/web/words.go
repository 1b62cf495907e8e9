package web

import (
	"fmt"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// describeState describes the state of an operation, and returns its CSS class: "good", "bad",
// or "" before the first poll has ended.
func describeState(s *status.Status, now time.Time) (state, class string) {
	switch {
	case s.NotLoaded != "":
		return "not loaded", "bad"
	case s.IsStuck(now):
		return "stuck", "bad"
	case s.Up && s.Failure == "":
		return "up", "good"
	case s.Up:
		return "up, but reconciling fails", "bad"
	case s.Ready:
		return "failing", "bad"
	case s.Failure != "":
		return "failing since the start", "bad"
	default:
		return "first poll under way", ""
	}
}

func describeNotReady(s *status.Status, now time.Time) string {
	switch {
	case s.IsStuck(now):
		return "it is stuck: " + stuckReason
	case s.Failure == "":
		return "its first poll has not ended yet"
	}
	since := newPageTime(s.FailingSince, now, nil, "the start")
	if s.NotLoaded != "" {
		return fmt.Sprintf("it is not loaded: %s, since %s (%s)", describeFailure(s), since.At, since.Distance)
	}
	return fmt.Sprintf("its first poll has not succeeded: %s, since %s (%s)", describeFailure(s), since.At, since.Distance)
}

// stuckReason explains why an operation is stuck.
const stuckReason = "no poll has ended and nothing was saved for too long, see the log"

// describeResult returns the result of a failure.
func describeResult(result wolkvox.Result) string {
	if result == "" {
		return "the exporter itself"
	}
	return string(result)
}

// describeFailure returns the result of a failure and explains it. It does not quote the
// error, which can contain addresses and paths.
func describeFailure(s *status.Status) string {
	if s.NotLoaded != "" {
		return fmt.Sprintf("%s: %s", s.NotLoaded, loadFailures[s.NotLoaded])
	}
	if s.Result == "" {
		return "the exporter itself failed, see the log"
	}
	return fmt.Sprintf("%s: %s", s.Result, &wolkvox.Error{Result: s.Result})
}

// loadFailures explains why an operation is not loaded.
var loadFailures = map[status.LoadFailure]string{
	status.StateCorrupt:    "its saved state is truncated or corrupt, see the log for what to do",
	status.StateForeign:    "its state file is not one of wolkvox_exporter, see the log for what to do",
	status.StateNewer:      "its saved state was written by a newer version of wolkvox_exporter: run that version",
	status.StateOlder:      "its saved state was written by a version that is not supported any more, see the log for what to do",
	status.StateMissing:    "its state file is missing but the previous generation exists, see the log for what to do",
	status.StateUnreadable: "its saved state cannot be read, see the log",
	status.StateBehind:     "an older state has replaced its saved state, see the log for what to do",
	status.TokenFile:       "its token file cannot be used, see the log",
	status.HTTPFile:        "a file of its http_config cannot be used, see the log",
}

// describeRows returns the number of rows of each outcome that occurred.
func describeRows(rows [ledger.Outcomes]uint64) []string {
	var texts []string
	for outcome, count := range rows {
		if count > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", count, ledger.Outcome(outcome)))
		}
	}
	return texts
}

// pageTime is a time as the page shows it.
type pageTime struct {
	At       string // in UTC, or words if there was no such time
	Local    string // on the operation's clock; empty if that shows UTC
	Machine  string // for programs; empty if there was no such time
	Distance string // from now
}

const timeFormat = "2006-01-02 15:04:05 MST"

// newPageTime returns a time for the page, or fallback if t is zero. A nil zone is UTC.
func newPageTime(t, now time.Time, zone *time.Location, fallback string) pageTime {
	if t.IsZero() {
		return pageTime{At: fallback}
	}
	t = t.UTC()
	p := pageTime{At: t.Format(timeFormat), Machine: t.Format(time.RFC3339), Distance: formatDistance(t, now)}
	if zone != nil {
		if local := t.In(zone).Format(timeFormat); local != p.At {
			p.Local = local
		}
	}
	return p
}

// formatDistance returns the distance between two times in its largest unit.
func formatDistance(t, now time.Time) string {
	d := t.Sub(now)
	format := "in %s"
	if d < 0 {
		d, format = -d, "%s ago"
	}
	switch {
	case d < time.Second:
		return "now"
	case d < time.Minute:
		return fmt.Sprintf(format, plural(d/time.Second, "second"))
	case d < time.Hour:
		return fmt.Sprintf(format, plural(d/time.Minute, "minute"))
	case d < 48*time.Hour:
		return fmt.Sprintf(format, plural(d/time.Hour, "hour"))
	default:
		return fmt.Sprintf(format, plural(d/(24*time.Hour), "day"))
	}
}

func plural(n time.Duration, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}
