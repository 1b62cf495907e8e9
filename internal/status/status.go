// Package status holds what an operation publishes after each step of polling: its
// figures, and how polling goes.
package status

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Snapshot is what an operation shows at one moment. It never changes.
type Snapshot struct {
	Operation string       // its name, the value of the label operation
	View      *ledger.View // its figures, all of them saved; nil until a state is loaded
	Status    Status
}

// LastFailure is a failure's class, empty if it was not the API's, and when it was;
// zero if there was none.
type LastFailure struct {
	At     time.Time
	Result wolkvox.Result
}

// LoadFailure is why an operation could not be loaded, as a label has it.
type LoadFailure string

// All that an operation can fail of before its first poll.
const (
	StateCorrupt    LoadFailure = "state_corrupt"    // cut or damaged
	StateForeign    LoadFailure = "state_foreign"    // no state of this program
	StateNewer      LoadFailure = "state_newer"      // of a newer version
	StateOlder      LoadFailure = "state_older"      // of a version that is no longer read
	StateMissing    LoadFailure = "state_missing"    // only the previous generation is there
	StateUnreadable LoadFailure = "state_unreadable" // the file system refuses
	TokenFile       LoadFailure = "token_file"       // missing or without a token
	HTTPFile        LoadFailure = "http_file"        // a certificate, a key or a header
)

// Status says how polling goes, since this process started.
type Status struct {
	// Started is when the counts below began.
	Started time.Time
	// NotLoaded is why the operation is not loaded, and so not polled. It is empty once
	// the operation is.
	NotLoaded LoadFailure
	// Up tells whether the last poll succeeded, Ready whether one ever did.
	Up, Ready bool
	// StuckAfter is the end of the time that polling has to save something or to end
	// a poll. Zero before [Poller.Run].
	StuckAfter time.Time
	// LastPoll is when the newest that succeeded asked; zero if none did.
	LastPoll time.Time
	// LastReconcile is the same of reconciles, but as the ledger has it: of an earlier
	// process if need be, or of the first start. Zero where reconciling is off.
	LastReconcile time.Time
	// NextPoll is when the next one is due.
	NextPoll time.Time
	// Rows are the rows of the last poll that succeeded, by outcome, those of a
	// reconcile after it included.
	Rows [ledger.Outcomes]uint64
	// NewestEnd is the newest end among the rows of the last poll that brought any,
	// on the operation's wall clock. Far from now it tells of a wrong clock or zone.
	NewestEnd time.Time
	// ZoneProbed reports whether the hours ahead of the zone's clock could be read.
	// ZoneBehind is how far chats there show the zone to be behind the operation's,
	// rounded up to whole hours. It is 0 while the zone seems right.
	ZoneProbed bool
	ZoneBehind time.Duration
	// Failure is what keeps polling or reconciling from success now, in one
	// line; empty when nothing does. Result is its class, empty for a failure
	// that is not the API's. FailingSince is when it began.
	Failure      string
	Result       wolkvox.Result
	FailingSince time.Time
	// LastFailure is the newest of all that there were, over or not.
	LastFailure LastFailure
	// TruncatedWindows counts the windows that were cut and split,
	// TruncatedSeconds those that could not be split far enough.
	TruncatedWindows, TruncatedSeconds uint64
	// UnreadableSeconds counts the seconds that were left out because no response that
	// holds them could be read.
	UnreadableSeconds uint64
	// MissingKeys says of each documented key whether the report's rows lack it. Nil before
	// there were rows; the map never changes.
	MissingKeys map[wolkvox.Field]bool
	// Skipped is the time beyond the catch-up limit that was never fetched.
	Skipped time.Duration
	// RoutingPoints are their names by rp_id: those of the options, and the others
	// as the API last told. The map never changes.
	RoutingPoints map[string]string
	// TokenInfo is what the API last told of today's requests.
	TokenInfo wolkvox.TokenInfo
}

// IsStuck reports whether no poll has ended and nothing was saved for so long that
// the rest of the status is out of date.
func (s *Status) IsStuck(now time.Time) bool {
	return !s.StuckAfter.IsZero() && now.After(s.StuckAfter)
}

// IsUp reports whether the last poll succeeded, and the next is not stuck.
func (s *Status) IsUp(now time.Time) bool { return s.Up && !s.IsStuck(now) }
