package web

import (
	"net/http"
	"sync"
	"time"
)

// Limits limits what clients can use, and for how long.
type Limits struct {
	ReadHeader  time.Duration // for a request's header
	Read        time.Duration // for a request with its body
	Write       time.Duration // for a response, from the request's header on
	Idle        time.Duration // between two requests of a connection
	HeaderBytes int
	Connections int           // open at the same time; others wait
	Stale       time.Duration // time without a change after which a connection can be closed for a waiting one
}

// DefaultLimits are limits that no normal client reaches. By default, Prometheus gives a
// scrape 10 seconds, and it rarely waits for more than 2 minutes between two scrapes. There
// are more connections than concurrent scrapes, so that health checks are still answered.
var DefaultLimits = Limits{
	ReadHeader:  10 * time.Second,
	Read:        30 * time.Second,
	Write:       time.Minute,
	Idle:        3 * time.Minute,
	HeaderBytes: 16 << 10,
	Connections: 2500,
	Stale:       10 * time.Second,
}

// NewServer returns a server with limits.
func NewServer(handler http.Handler, limits Limits) *http.Server {
	connections := newConnections(limits.Connections, limits.Stale)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: limits.ReadHeader,
		ReadTimeout:       limits.Read,
		WriteTimeout:      limits.Write,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    limits.HeaderBytes,
		ConnState:         connections.onStateChange,
		// Scrapers and our pages need no more. A connection counts once, whatever the number
		// of its requests.
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 4, WriteByteTimeout: limits.Write},
	}
	server.RegisterOnShutdown(sync.OnceFunc(connections.stopWaiting))
	return server
}
