package web

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections bounds the open connections of a server. At the limit, a new one waits
// until another ends; one that has not changed its state for some time is closed for it.
// So clients that do nothing do not keep others out.
type connections struct {
	places   chan struct{} // one for each open connection
	stale    time.Duration
	shutdown chan struct{} // closed when the server does not accept any more

	mu    sync.Mutex
	since map[net.Conn]time.Time // when each began to be as it is
}

func newConnections(limit int, stale time.Duration) *connections {
	return &connections{places: make(chan struct{}, limit), stale: stale, shutdown: make(chan struct{}), since: map[net.Conn]time.Time{}}
}

// changed is called by a server whenever a connection changes its state. It is called
// with a new one before the next is accepted.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.admit()
		c.note(conn)
	case http.StateClosed, http.StateHijacked:
		c.forget(conn)
	default:
		c.note(conn)
	}
}

// shutDown lets the last connection in: the server waits for it before it closes any.
func (c *connections) shutDown() { close(c.shutdown) }

// admit waits for a place.
func (c *connections) admit() {
	for {
		select {
		case c.places <- struct{}{}:
			return
		default:
		}
		wait := time.NewTimer(c.closeStale())
		select {
		case c.places <- struct{}{}:
			wait.Stop()
			return
		case <-c.shutdown:
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// closeStale closes the connection that has been as it is for longest, if that is long
// enough, and returns after what time it is worth trying again.
func (c *connections) closeStale() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var oldest net.Conn
	for conn, since := range c.since {
		if oldest == nil || since.Before(c.since[oldest]) {
			oldest = conn
		}
	}
	if oldest == nil {
		return c.stale
	}
	if left := c.stale - time.Since(c.since[oldest]); left > 0 {
		return left
	}
	delete(c.since, oldest)
	// Closing a TLS connection would wait for its client.
	if encrypted, ok := oldest.(*tls.Conn); ok {
		oldest = encrypted.NetConn()
	}
	_ = oldest.Close() // It may have ended by itself.
	return c.stale
}

func (c *connections) note(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.since[conn] = time.Now()
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.since, conn)
	select {
	case <-c.places:
	default: // It came during the shutdown and had none.
	}
}
