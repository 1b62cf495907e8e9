// Package web serves what is not metrics: the landing page, health and
// readiness. It never calls the API, and quotes no error: anybody may ask.
package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
)

// Source gives how an operation fares now. It may be asked by several at a time.
type Source interface {
	Snapshot() poller.Snapshot
}

// Operation is an operation to tell of.
type Operation struct {
	Name   string
	Source Source
}

const (
	landingPath = "/"
	healthyPath = "/-/healthy"
	readyPath   = "/-/ready"
)

// Handler serves the landing page, /-/healthy and /-/ready, and metrics at
// telemetryPath, instead of what else would be there. It answers to GET and
// HEAD of exactly these paths.
func Handler(telemetryPath string, metrics http.Handler, operations []Operation, version string) http.Handler {
	telemetryPath = "/" + strings.TrimLeft(telemetryPath, "/")
	routes := map[string]http.Handler{
		landingPath: landing{telemetryPath, operations, version},
		healthyPath: http.HandlerFunc(healthy),
		readyPath:   ready(operations),
	}
	routes[telemetryPath] = metrics
	return router(routes)
}

// router finds a handler by the whole path. http.ServeMux would also redirect,
// and refuse some telemetry paths with a panic.
type router map[string]http.Handler

// ServeHTTP implements http.Handler.
func (r router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	handler, ok := r[request.URL.Path]
	if !ok {
		http.NotFound(w, request)
		return
	}
	if request.Method != http.MethodGet && request.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	handler.ServeHTTP(w, request)
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "wolkvox_exporter is healthy\n")
}

// ready answers 200 once a first poll of every operation has succeeded.
func ready(operations []Operation) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var missing strings.Builder
		now := time.Now()
		for _, o := range operations {
			if s := o.Source.Snapshot().Status; !s.Ready {
				fmt.Fprintf(&missing, "%q is not ready: %s\n", o.Name, whyNotReady(&s, now))
			}
		}
		if missing.Len() > 0 {
			answer(w, http.StatusServiceUnavailable, missing.String())
			return
		}
		answer(w, http.StatusOK, "wolkvox_exporter is ready\n")
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // Nobody is left to tell if it fails.
}
