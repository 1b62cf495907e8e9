package web

import (
	"fmt"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// stateOf tells in words how an operation fares, and how good that is: "good",
// "bad", or "" while nobody can say.
func stateOf(s *status.Status, now time.Time) (words, mood string) {
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

func whyNotReady(s *status.Status, now time.Time) string {
	switch {
	case s.IsStuck(now):
		return "it is stuck: " + stuckReason
	case s.Failure == "":
		return "its first poll has not ended yet"
	}
	since := momentOf(s.FailingSince, now, "the start")
	if s.NotLoaded != "" {
		return fmt.Sprintf("it is not loaded: %s, since %s (%s)", reason(s), since.At, since.Distance)
	}
	return fmt.Sprintf("its first poll has not succeeded: %s, since %s (%s)", reason(s), since.At, since.Distance)
}

// stuckReason explains that an operation is stuck.
const stuckReason = "no poll has ended and nothing was saved for too long, see its log"

// classOf names the class of a failure.
func classOf(result wolkvox.Result) string {
	if result == "" {
		return "the exporter itself"
	}
	return string(result)
}

// reason names the class of a failure and explains it. The failure's own line
// stays in the log: it may name addresses and paths.
func reason(s *status.Status) string {
	if s.NotLoaded != "" {
		return fmt.Sprintf("%s: %s", s.NotLoaded, loadFailures[s.NotLoaded])
	}
	if s.Result == "" {
		return "the exporter itself failed, see its log"
	}
	return fmt.Sprintf("%s: %s", s.Result, &wolkvox.Error{Result: s.Result})
}

// loadFailures explains why an operation is not loaded.
var loadFailures = map[status.LoadFailure]string{
	status.StateCorrupt:    "its state file is cut or damaged, see the log for what to do",
	status.StateForeign:    "its state file is not one of wolkvox_exporter, see the log for what to do",
	status.StateNewer:      "its state file was written by a newer version of wolkvox_exporter: run that version",
	status.StateOlder:      "its state file was written by a version that is no longer read, see the log for what to do",
	status.StateMissing:    "its state file is missing and the previous generation is there, see the log for what to do",
	status.StateUnreadable: "its state file cannot be read, see the log",
	status.TokenFile:       "its token file cannot be used, see the log",
	status.HTTPFile:        "a file of its http_config cannot be used, see the log",
}

// rowsOf lists the outcomes that occurred.
func rowsOf(rows [ledger.Outcomes]uint64) []string {
	var parts []string
	for outcome, count := range rows {
		if count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count, ledger.Outcome(outcome)))
		}
	}
	return parts
}

// moment is a time in UTC, and how far from now it is. The page keeps each of
// the two on one line.
type moment struct{ At, Distance string }

// momentOf is or, where there is no time.
func momentOf(t, now time.Time, or string) moment {
	if t.IsZero() {
		return moment{At: or}
	}
	return moment{t.UTC().Format("2006-01-02 15:04:05 UTC"), distance(t, now)}
}

// distance is good to the unit that says most.
func distance(t, now time.Time) string {
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
