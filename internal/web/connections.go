package web

import (
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

// connections limits the open connections of a server. At the limit, a new connection waits
// until another one ends, or until another one has not changed its state for some time and
// is closed. So idle clients do not keep others out.
type connections struct {
	slots        chan struct{} // one for each open connection
	staleTimeout time.Duration
	shutdown     chan struct{} // closed when the server no longer accepts connections

	mu          sync.Mutex
	lastChanges map[net.Conn]time.Time
}

func newConnections(limit int, staleTimeout time.Duration) *connections {
	return &connections{
		slots: make(chan struct{}, limit), staleTimeout: staleTimeout,
		shutdown: make(chan struct{}), lastChanges: map[net.Conn]time.Time{},
	}
}

// onStateChange is the ConnState function of a server. The server calls it with a new
// connection before it accepts the next one.
func (c *connections) onStateChange(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.admit()
		c.recordChange(conn)
	case http.StateClosed, http.StateHijacked:
		c.forget(conn)
	default:
		c.recordChange(conn)
	}
}

// stopWaiting admits a waiting connection: the server waits for it before it shuts down.
func (c *connections) stopWaiting() { close(c.shutdown) }

// admit waits for a slot.
func (c *connections) admit() {
	for {
		select {
		case c.slots <- struct{}{}:
			return
		default:
		}
		wait := time.NewTimer(c.closeStale())
		select {
		case c.slots <- struct{}{}:
			wait.Stop()
			return
		case <-c.shutdown:
			wait.Stop()
			return
		case <-wait.C:
		}
	}
}

// closeStale closes the connection with the oldest change if it is stale. It returns when to
// call it again.
func (c *connections) closeStale() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	var oldest net.Conn
	for conn, changed := range c.lastChanges {
		if oldest == nil || changed.Before(c.lastChanges[oldest]) {
			oldest = conn
		}
	}
	if oldest == nil {
		return c.staleTimeout
	}
	if left := c.staleTimeout - time.Since(c.lastChanges[oldest]); left > 0 {
		return left
	}
	delete(c.lastChanges, oldest)
	// Closing a tls.Conn would wait for its client.
	if tlsConn, ok := oldest.(*tls.Conn); ok {
		oldest = tlsConn.NetConn()
	}
	_ = oldest.Close() // It may already be closed.
	return c.staleTimeout
}

func (c *connections) recordChange(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastChanges[conn] = time.Now()
}

func (c *connections) forget(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.lastChanges, conn)
	select {
	case <-c.slots:
	default: // It was admitted during the shutdown, without a slot.
	}
}
