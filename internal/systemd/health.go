package systemd

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// Describe returns a line about all operations, such as "polling 3 operations, 1 failing".
func Describe(snapshots []status.Snapshot, now time.Time) string {
	var failing, notLoaded, stuck int
	for _, s := range snapshots {
		switch {
		case s.Status.NotLoaded != "":
			notLoaded++
		case s.Status.IsStuck(now):
			stuck++
		case s.Status.Failure != "":
			failing++
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "polling %d operations", len(snapshots))
	if len(snapshots) == 1 {
		text.Reset()
		text.WriteString("polling 1 operation")
	}
	for _, part := range []struct {
		count int
		what  string
	}{{failing, "failing"}, {notLoaded, "not loaded"}, {stuck, "stuck"}} {
		if part.count > 0 {
			fmt.Fprintf(&text, ", %d %s", part.count, part.what)
		}
	}
	return text.String()
}

// hasStuck reports whether polling of an operation has stopped: no poll has ended, whether it
// failed or not, and nothing was saved for too long.
func hasStuck(snapshots []status.Snapshot, now time.Time) bool {
	for _, s := range snapshots {
		if s.Status.IsStuck(now) {
			return true
		}
	}
	return false
}

// answers reports whether a handler answers a path with 200.
func answers(ctx context.Context, h http.Handler, path string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if err != nil {
		return false
	}
	w := &statusWriter{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(w, request)
	return w.status == http.StatusOK
}

// statusWriter keeps the status of a response only.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header          { return w.header }
func (*statusWriter) Write(body []byte) (int, error) { return len(body), nil }
func (w *statusWriter) WriteHeader(status int)       { w.status = status }
