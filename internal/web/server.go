package web

import (
	"net/http"
	"sync"
	"time"
)

// Limits bound what clients can hold, and for how long.
type Limits struct {
	ReadHeader  time.Duration // for a request's header
	Read        time.Duration // for a request with its body
	Write       time.Duration // for a response, from the request's header on
	Idle        time.Duration // between two requests of a connection
	HeaderBytes int
	Connections int           // open at once; more wait until one ends
	Stale       time.Duration // after which a connection gives way to one that waits
}

// DefaultLimits are limits that no honest client meets. Prometheus gives a scrape 10
// seconds unless its configuration says otherwise, and seldom waits for more than 2
// minutes between two of them. The connections are some more than the scrapes that are
// answered at once, so that health can be asked for beside them.
var DefaultLimits = Limits{
	ReadHeader:  10 * time.Second,
	Read:        30 * time.Second,
	Write:       time.Minute,
	Idle:        3 * time.Minute,
	HeaderBytes: 16 << 10,
	Connections: 2500,
	Stale:       10 * time.Second,
}

// NewServer returns a server of a handler within limits.
func NewServer(handler http.Handler, limits Limits) *http.Server {
	connections := newConnections(limits.Connections, limits.Stale)
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: limits.ReadHeader,
		ReadTimeout:       limits.Read,
		WriteTimeout:      limits.Write,
		IdleTimeout:       limits.Idle,
		MaxHeaderBytes:    limits.HeaderBytes,
		ConnState:         connections.changed,
		// No scraper and no page of ours needs more. A connection counts once, however
		// many requests it has.
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 4, WriteByteTimeout: limits.Write},
	}
	server.RegisterOnShutdown(sync.OnceFunc(connections.shutDown))
	return server
}
