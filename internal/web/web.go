// Package web serves what is not metrics: the landing page, health, readiness and
// reloading. It never calls the API, and quotes no error of it: anybody may ask.
package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	reloadPath  = "/-/reload"
)

// ErrReloading says that a configuration is being read, so that no other reload
// begins.
var ErrReloading = errors.New("a reload is under way")

// Options tell what to serve.
type Options struct {
	TelemetryPath string // of the metrics, instead of what else would be there
	Metrics       http.Handler
	Operations    func() []Operation // those that run now
	Reload        func() error       // reads the configuration again; nil if nobody may ask for it
	Version       string
}

// Handler serves the landing page, /-/healthy, /-/ready and the metrics to GET and
// HEAD of exactly these paths, and /-/reload to POST.
func Handler(o Options) http.Handler {
	o.TelemetryPath = "/" + strings.TrimLeft(o.TelemetryPath, "/")
	const read = "GET, HEAD"
	routes := map[string]route{
		landingPath: {read, landing(o)},
		healthyPath: {read, http.HandlerFunc(healthy)},
		readyPath:   {read, ready(o.Operations)},
		reloadPath:  {"POST", reload(o)},
	}
	routes[o.TelemetryPath] = route{read, o.Metrics}
	return router(routes)
}

// route is a handler and the methods that it takes.
type route struct {
	methods string
	handler http.Handler
}

// router finds a handler by the whole path. http.ServeMux would also redirect,
// and refuse some telemetry paths with a panic.
type router map[string]route

// ServeHTTP implements http.Handler.
func (r router) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	found, ok := r[request.URL.Path]
	if !ok {
		http.NotFound(w, request)
		return
	}
	if !slices.Contains(strings.Split(found.methods, ", "), request.Method) {
		header.Set("Allow", found.methods)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	found.handler.ServeHTTP(w, request)
}

func healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "wolkvox_exporter is healthy\n")
}

// ready answers 200 once a first poll of every operation has succeeded.
func ready(operations func() []Operation) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var missing strings.Builder
		now := time.Now()
		for _, o := range operations() {
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

// reload says what is wrong with a new configuration: whoever may ask for it may
// read it. A page of another site may not ask for it in its reader's name.
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
		for _, operation := range o.Operations() {
			if s := operation.Source.Snapshot().Status; s.NotLoaded != "" {
				body += fmt.Sprintf("%q is not ready: %s\n", operation.Name, whyNotReady(&s, now))
			}
		}
		answer(w, http.StatusOK, body)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // Nobody is left to tell if it fails.
}
