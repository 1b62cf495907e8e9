package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// overview is the landing page as JSON. Unknown times are absent.
type overview struct {
	Version    string              `json:"version"`
	Now        time.Time           `json:"now"`
	Operations []operationOverview `json:"operations"`
}

type operationOverview struct {
	Name          string            `json:"name"`
	TimeZone      string            `json:"time_zone,omitempty"`
	State         string            `json:"state"`
	Up            bool              `json:"up"`
	Ready         bool              `json:"ready"`
	LastPoll      time.Time         `json:"last_poll,omitzero"`
	CompleteUntil time.Time         `json:"complete_until,omitzero"`
	NextPoll      time.Time         `json:"next_poll,omitzero"`
	Rows          map[string]uint64 `json:"rows"` // of the last poll that succeeded, by outcome
	Failure       *failureOverview  `json:"failure,omitempty"`
	LastFailure   *lastFailure      `json:"last_failure,omitempty"`
}

// lastFailure is the newest failure, whether it is over or not. The result is absent if it
// was not a request that failed.
type lastFailure struct {
	At     time.Time      `json:"at"`
	Result wolkvox.Result `json:"result,omitempty"`
}

// failureOverview is a failure that is not over. The result is absent if it is not a request
// that fails.
type failureOverview struct {
	Result      wolkvox.Result `json:"result,omitempty"`
	Explanation string         `json:"explanation"`
	Since       time.Time      `json:"since"`
}

func writeOverview(w http.ResponseWriter, o Options) {
	all := overview{Version: o.Version, Now: toSecond(time.Now()), Operations: []operationOverview{}}
	for _, s := range o.Snapshots() {
		all.Operations = append(all.Operations, newOperationOverview(&s))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all) // On an error, the client has closed the connection.
}

func newOperationOverview(snapshot *status.Snapshot) operationOverview {
	s := &snapshot.Status
	now := time.Now()
	state, _ := describeState(s, now)
	overview := operationOverview{
		Name: snapshot.Operation, State: state, Up: s.IsUp(now), Ready: s.Ready,
		LastPoll: toSecond(s.LastPoll), NextPoll: toSecond(s.NextPoll), Rows: map[string]uint64{},
	}
	for outcome, n := range s.Rows {
		overview.Rows[ledger.Outcome(outcome).String()] = n
	}
	switch {
	case s.IsStuck(now):
		overview.Failure = &failureOverview{"", stuckReason, toSecond(s.StuckAfter)}
	case s.Failure != "":
		overview.Failure = &failureOverview{s.Result, describeFailure(s), toSecond(s.FailingSince)}
	}
	if last := s.LastFailure; !last.At.IsZero() {
		overview.LastFailure = &lastFailure{toSecond(last.At), last.Result}
	}
	if snapshot.Zone != nil {
		overview.TimeZone = snapshot.Zone.String()
	}
	if snapshot.View != nil {
		overview.CompleteUntil = toSecond(snapshot.View.Progress.CompleteUntil)
	}
	return overview
}

// toSecond returns a time in UTC, truncated to the second. The zero time stays zero.
func toSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
