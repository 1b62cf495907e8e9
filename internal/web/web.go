// Package web serves the metrics, the landing page, health, readiness and reloading. It
// never calls the API. The pages need no password, so they do not quote errors.
package web

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// HealthyPath is the path that is answered with 200 while the process works.
const HealthyPath = "/-/healthy"

const (
	landingPath = "/"
	readyPath   = "/-/ready"
	reloadPath  = "/-/reload"
)

// ErrReloading is the error of a reload while another one is under way.
var ErrReloading = errors.New("a reload is under way")

// Options holds what the handler needs.
type Options struct {
	TelemetryPath string // of the metrics; it replaces the landing page if it is "/"
	Metrics       http.Handler
	Snapshots     func() []status.Snapshot // of the operations that run now
	Reload        func() error             // reads the configuration again; nil if disabled
	Version       string
}

// Handler serves the landing page, /-/healthy, /-/ready and the metrics to GET and HEAD,
// and /-/reload to POST. It panics if the telemetry path is one that
// [CheckTelemetryPath] refuses.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+exactPattern(o.TelemetryPath), o.Metrics)
	if o.TelemetryPath != landingPath {
		mux.Handle("GET "+exactPattern(landingPath), landingHandler(o))
	}
	mux.HandleFunc("GET "+HealthyPath, handleHealthy)
	mux.Handle("GET "+readyPath, readyHandler(o.Snapshots))
	mux.Handle("POST "+reloadPath, reloadHandler(o))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", contentSecurityPolicy)
		header.Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

// exactPattern returns the pattern that matches a path and nothing below it.
func exactPattern(path string) string {
	if strings.HasSuffix(path, "/") {
		return path + "{$}"
	}
	return path
}

// CheckTelemetryPath returns an error for a path that cannot be the path of the metrics.
func CheckTelemetryPath(p string) error {
	if clean := path.Clean(p); p == "" || p[0] != '/' || p == "//" || p != clean && p != clean+"/" ||
		strings.HasPrefix(p, "/-/") || strings.ContainsAny(p, "{} ?#%") {
		return errors.New("must be a plain path outside of /-/ (example: /metrics)")
	}
	return nil
}

func handleHealthy(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, "wolkvox_exporter is healthy\n")
}

// readyHandler answers 200 once the first poll of every operation has succeeded.
func readyHandler(snapshots func() []status.Snapshot) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var notReady strings.Builder
		now := time.Now()
		for _, s := range snapshots() {
			if !s.Status.Ready {
				fmt.Fprintf(&notReady, "%q is not ready: %s\n", s.Operation, describeNotReady(&s.Status, now))
			}
		}
		if notReady.Len() > 0 {
			respond(w, http.StatusServiceUnavailable, notReady.String())
			return
		}
		respond(w, http.StatusOK, "wolkvox_exporter is ready\n")
	}
}

// reloadHandler quotes errors of the configuration: a client that may reload it may read it.
// It refuses requests that a page of another site makes a browser send.
func reloadHandler(o Options) http.HandlerFunc {
	sameOrigin := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin.Check(r); err != nil {
			respond(w, http.StatusForbidden, "reloading by a page of another site is not allowed\n")
			return
		}
		if o.Reload == nil {
			respond(w, http.StatusForbidden, "reloading by HTTP is disabled: start with --web.enable-lifecycle\n")
			return
		}
		err := o.Reload()
		if errors.Is(err, ErrReloading) {
			respond(w, http.StatusConflict, ErrReloading.Error()+"\n")
			return
		}
		if err != nil {
			respond(w, http.StatusInternalServerError, fmt.Sprintf("reloading failed: %s\n", err))
			return
		}
		body, now := "reloaded\n", time.Now()
		for _, s := range o.Snapshots() {
			if s.Status.NotLoaded != "" {
				body += fmt.Sprintf("%q is not ready: %s\n", s.Operation, describeNotReady(&s.Status, now))
			}
		}
		respond(w, http.StatusOK, body)
	}
}

func respond(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // On an error, the client has closed the connection.
}
