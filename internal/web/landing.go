package web

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

//go:embed landing.html
var pageSource string

//go:embed landing.css
var style string

var page = template.Must(template.New("landing").Parse(pageSource))

// policy lets a browser load nothing at all and apply our own style only.
var policy = func() string {
	hash := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// landing serves the page at /, or the same as JSON to clients that accept it.
func landing(o Options) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Vary", "Accept")
		if strings.Contains(r.Header.Get("Accept"), "application/json") {
			writeOverview(w, o)
			return
		}
		writePage(w, o)
	}
}

// row is an operation on the page.
type row struct {
	Name, State, Mood                 string
	Failure                           string // empty if nothing fails
	FailingSince                      moment
	LastPoll, CompleteUntil, NextPoll moment
	Rows                              []string
	LastFailure                       string // empty if there was none
	LastFailed                        moment
}

func writePage(w http.ResponseWriter, o Options) {
	now := time.Now()
	var rows []row
	for _, s := range o.Snapshots() {
		rows = append(rows, newRow(&s, now))
	}
	var body bytes.Buffer
	err := page.Execute(&body, map[string]any{
		"Style": template.CSS(style), //nolint:gosec // It is our own file.
		// Relative, for a proxy that serves the exporter below a path of its own.
		"Telemetry":     "./" + strings.TrimPrefix(o.TelemetryPath, "/"),
		"TelemetryPath": o.TelemetryPath,
		"Ready":         "." + readyPath,
		"Healthy":       "." + healthyPath,
		"Version":       o.Version,
		"Now":           now.UTC().Format("2006-01-02 15:04:05 UTC"),
		"Operations":    rows,
	})
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = body.WriteTo(w) // The client has gone if it fails.
}

func newRow(snapshot *status.Snapshot, now time.Time) row {
	s := &snapshot.Status
	r := row{
		Name:          snapshot.Operation,
		FailingSince:  momentOf(s.FailingSince, now, "the start"),
		LastPoll:      momentOf(s.LastPoll, now, "none since the start"),
		CompleteUntil: moment{At: "never"},
		NextPoll:      moment{At: "now"},
		Rows:          rowsOf(s.Rows),
		LastFailed:    momentOf(s.LastFailure.At, now, "none since the start"),
	}
	r.State, r.Mood = stateOf(s, now)
	switch {
	case s.IsStuck(now):
		r.Failure, r.FailingSince = stuckReason, momentOf(s.StuckAfter, now, "")
	case s.Failure != "":
		r.Failure = reason(s)
	}
	if !s.LastFailure.At.IsZero() {
		r.LastFailure = classOf(s.LastFailure.Result)
	}
	if snapshot.View != nil {
		r.CompleteUntil = momentOf(snapshot.View.Progress.CompleteUntil, now, "never")
	}
	// A poll that is due has begun, and so has the first one.
	if s.NextPoll.After(now) {
		r.NextPoll = momentOf(s.NextPoll, now, "")
	}
	return r
}
