// Package status holds what an operation publishes after each step of polling: its counts and
// the status of polling.
package status

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Snapshot is what an operation has published at one moment. It never changes.
type Snapshot struct {
	Operation string         // its name, the value of the label operation
	Zone      *time.Location // of its wall clock
	View      *ledger.View   // its saved counts; nil until a state is loaded
	// Loaded holds the counts of the state that was loaded, and HeldSince is when polling
	// began after that; zero before. Loaded is nil after the zero-hold, and if there was no
	// state.
	Loaded    *ledger.View
	HeldSince time.Time
	Status    Status
}

// LastFailure is the time and the result of a failure. The result is empty if the API was not
// the cause. The zero value means that there was no failure.
type LastFailure struct {
	At     time.Time
	Result wolkvox.Result
}

// LoadFailure is the reason why an operation could not be loaded, as the value of a label.
type LoadFailure string

// The reasons why an operation cannot be loaded.
const (
	StateCorrupt    LoadFailure = "state_corrupt"    // truncated or damaged
	StateForeign    LoadFailure = "state_foreign"    // not a state of this program
	StateNewer      LoadFailure = "state_newer"      // of a newer version
	StateOlder      LoadFailure = "state_older"      // of a version that is no longer supported
	StateMissing    LoadFailure = "state_missing"    // only the previous generation exists
	StateUnreadable LoadFailure = "state_unreadable" // error of the file system
	StateBehind     LoadFailure = "state_behind"     // older than what was shown
	TokenFile       LoadFailure = "token_file"       // missing or without a token
	HTTPFile        LoadFailure = "http_file"        // a certificate, a key or a header
)

// Status is the status of polling since this process started.
type Status struct {
	// Started is when the process started to count.
	Started time.Time
	// NotLoaded is why the operation is not loaded and therefore not polled. It is empty
	// for a loaded operation.
	NotLoaded LoadFailure
	// Up is true if the last poll succeeded, Ready if any poll did.
	Up, Ready bool
	// StuckAfter is when polling counts as stuck unless it saves something or ends a poll
	// before. Zero before the first poll.
	StuckAfter time.Time
	// LastPoll is the time of the last successful poll, zero if there was none.
	LastPoll time.Time
	// LastReconcile is the time of the last complete reconcile, also of an earlier
	// process, or of the first start. Zero if reconciling is off.
	LastReconcile time.Time
	// NextPoll is when the next poll is due.
	NextPoll time.Time
	// Rows is the number of rows in the last successful poll and the reconcile after it,
	// by outcome.
	Rows [ledger.Outcomes]uint64
	// NewestEnd is the newest end among the rows of the last poll that had rows, on the
	// operation's wall clock. If it is far from now, a clock or the zone is wrong.
	NewestEnd time.Time
	// ZoneProbed is true if the hours ahead of the zone's clock could be read.
	// ZoneBehind is how far chats there show the zone to be behind the operation's,
	// rounded up to whole hours. It is 0 while the zone seems right.
	ZoneProbed bool
	ZoneBehind time.Duration
	// Failure is the current error of polling or reconciling in one line, empty if there
	// is none. Result is the API's result, empty if the API is not the cause.
	// FailingSince is when the failure began.
	Failure      string
	Result       wolkvox.Result
	FailingSince time.Time
	// LastFailure is the newest failure, whether it is over or not.
	LastFailure LastFailure
	// TruncatedWindows counts the windows that were truncated and split, TruncatedSeconds
	// those that could not be split far enough.
	TruncatedWindows, TruncatedSeconds uint64
	// UnreadableSeconds counts the seconds that were skipped because they are unreadable.
	UnreadableSeconds uint64
	// MissingKeys holds for each documented key whether the report's rows lack it. It is
	// nil before the first rows. The map never changes.
	MissingKeys map[wolkvox.Field]bool
	// Skipped is the time beyond the catch-up limit that was not read.
	Skipped time.Duration
	// RoutingPoints holds their names by rp_id: those of the options, and otherwise the
	// API's last ones. The map never changes.
	RoutingPoints map[string]string
	// TokenInfo is the API's last report of today's requests.
	TokenInfo wolkvox.TokenInfo
}

// IsStuck reports whether no poll has ended and nothing was saved for so long that
// the rest of the status is out of date.
func (s *Status) IsStuck(now time.Time) bool {
	return !s.StuckAfter.IsZero() && now.After(s.StuckAfter)
}

// IsUp reports whether the last poll succeeded, and the next is not stuck.
func (s *Status) IsUp(now time.Time) bool { return s.Up && !s.IsStuck(now) }
