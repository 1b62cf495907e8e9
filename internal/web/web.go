// Package web serves the metrics, the landing page, health, readiness and reloading. It
// never calls the API, and quotes none of its errors: the pages need no password.
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

const (
	landingPath = "/"
	healthyPath = "/-/healthy"
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
	Reload        func() error             // reads the configuration again; nil if that is off
	Version       string
}

// Handler serves the landing page, /-/healthy, /-/ready and the metrics to GET and HEAD,
// and /-/reload to POST. It panics if the telemetry path is one that
// [CheckTelemetryPath] refuses.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+exactly(o.TelemetryPath), o.Metrics)
	if o.TelemetryPath != landingPath {
		mux.Handle("GET "+exactly(landingPath), landing(o))
	}
	mux.HandleFunc("GET "+healthyPath, healthy)
	mux.Handle("GET "+readyPath, ready(o.Snapshots))
	mux.Handle("POST "+reloadPath, reload(o))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

// exactly returns the pattern that matches a path and nothing below it.
func exactly(path string) string {
	if strings.HasSuffix(path, "/") {
		return path + "{$}"
	}
	return path
}

// CheckTelemetryPath returns an error for a path that cannot be the one of the metrics.
func CheckTelemetryPath(p string) error {
	if clean := path.Clean(p); p == "" || p[0] != '/' || p == "//" || p != clean && p != clean+"/" ||
		strings.HasPrefix(p, "/-/") || strings.ContainsAny(p, "{} ?#%") {
		return errors.New("use a plain path outside of /-/, such as /metrics")
	}
	return nil
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "wolkvox_exporter is healthy\n")
}

// ready answers 200 once a first poll of every operation has succeeded.
func ready(snapshots func() []status.Snapshot) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var missing strings.Builder
		now := time.Now()
		for _, s := range snapshots() {
			if !s.Status.Ready {
				fmt.Fprintf(&missing, "%q is not ready: %s\n", s.Operation, whyNotReady(&s.Status, now))
			}
		}
		if missing.Len() > 0 {
			answer(w, http.StatusServiceUnavailable, missing.String())
			return
		}
		answer(w, http.StatusOK, "wolkvox_exporter is ready\n")
	}
}

// reload quotes what is wrong with the configuration: a client that may reload it may
// read it. Requests that a page of another site makes a browser send are refused.
func reload(o Options) http.HandlerFunc {
	sameOrigin := http.NewCrossOriginProtection()
	return func(w http.ResponseWriter, r *http.Request) {
		if err := sameOrigin.Check(r); err != nil {
			answer(w, http.StatusForbidden, "reloading for a page of another site is refused\n")
			return
		}
		if o.Reload == nil {
			answer(w, http.StatusForbidden, "reloading by HTTP is off: start with --web.enable-lifecycle\n")
			return
		}
		err := o.Reload()
		if errors.Is(err, ErrReloading) {
			answer(w, http.StatusConflict, ErrReloading.Error()+"\n")
			return
		}
		if err != nil {
			answer(w, http.StatusInternalServerError, fmt.Sprintf("reloading failed: %s\n", err))
			return
		}
		body, now := "reloaded\n", time.Now()
		for _, s := range o.Snapshots() {
			if s.Status.NotLoaded != "" {
				body += fmt.Sprintf("%q is not ready: %s\n", s.Operation, whyNotReady(&s.Status, now))
			}
		}
		answer(w, http.StatusOK, body)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // The client has gone if it fails.
}
