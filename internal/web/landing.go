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

// landing is the page at /.
type landing struct {
	telemetryPath string
	operations    []Operation
	version       string
}

// row is what the page tells of an operation.
type row struct {
	Name, State, Mood                 string
	Failure                           string // empty if nothing fails
	FailingSince                      moment
	LastPoll, CompleteUntil, NextPoll moment
	Rows                              []string
}

// ServeHTTP implements http.Handler.
func (l landing) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	rows := make([]row, 0, len(l.operations))
	for _, o := range l.operations {
		rows = append(rows, rowOf(o, now))
	}
	var body bytes.Buffer
	err := page.Execute(&body, map[string]any{
		"Style": template.CSS(style), //nolint:gosec // It is our own file.
		// Relative, for a proxy that serves the exporter below a path of its own.
		"Telemetry":     "./" + strings.TrimPrefix(l.telemetryPath, "/"),
		"TelemetryPath": l.telemetryPath,
		"Ready":         "." + readyPath,
		"Healthy":       "." + healthyPath,
		"Version":       l.version,
		"Now":           now.UTC().Format("2006-01-02 15:04:05 UTC"),
		"Operations":    rows,
	})
	if err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = body.WriteTo(w) // Nobody is left to tell if it fails.
}

func rowOf(o Operation, now time.Time) row {
	snapshot := o.Source.Snapshot()
	s := &snapshot.Status
	r := row{
		Name:          o.Name,
		FailingSince:  momentOf(s.FailingSince, now, "the start"),
		LastPoll:      momentOf(s.LastPoll, now, "none since the start"),
		CompleteUntil: moment{At: "never"},
		NextPoll:      moment{At: "now"},
		Rows:          rowsOf(s.Rows),
	}
	r.State, r.Mood = stateOf(s)
	if s.Failure != "" {
		r.Failure = reason(s)
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
