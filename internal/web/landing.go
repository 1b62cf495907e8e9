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
var landingTemplate string

//go:embed landing.css
var style string

var page = template.Must(template.New("landing").Parse(landingTemplate))

// contentSecurityPolicy lets a browser load nothing and only apply our own style.
var contentSecurityPolicy = func() string {
	hash := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// landingHandler serves the page at /, or the same as JSON to clients that accept JSON.
func landingHandler(o Options) http.HandlerFunc {
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

// pageRow is an operation on the page.
type pageRow struct {
	Name, Zone, State, StateClass     string
	Failure                           string // empty if nothing fails
	FailingSince                      pageTime
	LastPoll, CompleteUntil, NextPoll pageTime
	Rows                              []string
	LastFailure                       string // empty if there was none
	LastFailed                        pageTime
}

func writePage(w http.ResponseWriter, o Options) {
	now := time.Now()
	var rows []pageRow
	for _, s := range o.Snapshots() {
		rows = append(rows, newPageRow(&s, now))
	}
	var body bytes.Buffer
	err := page.Execute(&body, map[string]any{
		"Style": template.CSS(style), //nolint:gosec // The style is our own file.
		// Relative, for a proxy that serves the exporter below a path.
		"Telemetry":     "./" + strings.TrimPrefix(o.TelemetryPath, "/"),
		"TelemetryPath": o.TelemetryPath,
		"Ready":         "." + readyPath,
		"Healthy":       "." + HealthyPath,
		"Version":       o.Version,
		"Now":           newPageTime(now, now, nil, ""),
		"Operations":    rows,
	})
	if err != nil {
		http.Error(w, "rendering the page failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = body.WriteTo(w) // On an error, the client has closed the connection.
}

func newPageRow(snapshot *status.Snapshot, now time.Time) pageRow {
	s := &snapshot.Status
	at := func(t time.Time, fallback string) pageTime { return newPageTime(t, now, snapshot.Zone, fallback) }
	r := pageRow{
		Name:          snapshot.Operation,
		FailingSince:  at(s.FailingSince, "the start"),
		LastPoll:      at(s.LastPoll, "none since the start"),
		CompleteUntil: pageTime{At: "never"},
		NextPoll:      pageTime{At: "now"},
		Rows:          describeRows(s.Rows),
		LastFailed:    at(s.LastFailure.At, "none since the start"),
	}
	if snapshot.Zone != nil {
		r.Zone = snapshot.Zone.String()
	}
	r.State, r.StateClass = describeState(s, now)
	switch {
	case s.IsStuck(now):
		r.Failure, r.FailingSince = stuckReason, at(s.StuckAfter, "")
	case s.Failure != "":
		r.Failure = describeFailure(s)
	}
	if !s.LastFailure.At.IsZero() {
		r.LastFailure = describeResult(s.LastFailure.Result)
	}
	if snapshot.View != nil {
		r.CompleteUntil = at(snapshot.View.Progress.CompleteUntil, "never")
	}
	// A poll that is due, or the first one, has started.
	if s.NextPoll.After(now) {
		r.NextPoll = at(s.NextPoll, "")
	}
	return r
}
