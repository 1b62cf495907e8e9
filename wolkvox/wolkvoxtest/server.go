package wolkvoxtest

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a fake wolkvox server. Its methods may be called from several goroutines.
type Server struct {
	cfg       Config
	chats     chatIndex
	admission admission
	faults    faults

	dateOffset atomic.Int64 // in nanoseconds
	rowLimit   atomic.Int64
	keys       atomic.Pointer[Keys]
	poison     atomic.Pointer[func(Chat) Poison]

	url       string
	dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	transport *http.Transport
	http      *http.Server

	closing chan struct{}
	close   func()
	served  chan struct{}
	conns   sync.WaitGroup
}

// NewServer starts a server on a free port of 127.0.0.1. It panics if there is none, as
// net/http/httptest does.
func NewServer(cfg Config) *Server {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("wolkvoxtest: %v", err))
	}
	var d net.Dialer
	return start(cfg, l, "http://"+l.Addr().String(), d.DialContext)
}

// NewPipeServer starts a server whose connections are pipes in memory. It works in a
// testing/synctest bubble, where a socket would stop the clock. Only [Server.Transport]
// and [Server.DialContext] connect to it, with any host name.
func NewPipeServer(cfg Config) *Server {
	l := newPipeListener()
	return start(cfg, l, "http://wolkvox.test", l.dial)
}

func start(cfg Config, l net.Listener, url string, dial func(context.Context, string, string) (net.Conn, error)) *Server {
	s := &Server{
		cfg:       cfg.withDefaults(),
		url:       url,
		dial:      dial,
		transport: &http.Transport{DialContext: dial},
		closing:   make(chan struct{}),
		served:    make(chan struct{}),
	}
	s.chats.cfg = &s.cfg
	s.rowLimit.Store(int64(s.cfg.Limits.Rows))
	s.keys.Store(&s.cfg.Readings.Keys)
	s.admission.cfg = &s.cfg
	s.admission.token = s.cfg.Token
	s.http = &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: time.Minute,
		ConnState:         s.track,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	s.close = sync.OnceFunc(s.shutdown)
	go func() {
		defer close(s.served)
		// It returns when the listener is closed, and for no other reason.
		_ = s.http.Serve(l)
	}()
	return s
}

// track counts connections, so that Close can wait for their goroutines, and
// closes one that was accepted while Close was closing the others.
func (s *Server) track(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.conns.Add(1)
		select {
		case <-s.closing:
			_ = c.Close()
		default:
		}
	case http.StateClosed, http.StateHijacked:
		s.conns.Done()
	default:
	}
}

// Close drops every connection and waits until all goroutines have ended.
func (s *Server) Close() { s.close() }

func (s *Server) shutdown() {
	close(s.closing)
	_ = s.http.Close()
	<-s.served
	s.conns.Wait()
	s.transport.CloseIdleConnections()
}

// URL returns the base URL without a trailing slash. The API is below its /api/v2/.
func (s *Server) URL() string { return s.url }

// Transport returns the server's transport, the same one each time. Close closes its
// idle connections.
func (s *Server) Transport() *http.Transport { return s.transport }

// DialContext connects to the server, whatever the address, for a client with its own
// transport.
func (s *Server) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return s.dial(ctx, network, s.url[len("http://"):])
}

// Add adds chats. The report shows them as the readings say: a chat whose end is in the
// future is open until then.
func (s *Server) Add(chats ...Chat) { s.chats.add(chats) }

// Update replaces the chats with the same ConnID, SessionID and Start, to end an open
// chat or to correct one.
func (s *Server) Update(chats ...Chat) { s.chats.update(chats) }

// SetDateOffset sets by how much the Date header of responses is ahead of the server's
// clock; a negative offset is behind.
func (s *Server) SetDateOffset(d time.Duration) { s.dateOffset.Store(int64(d)) }

// SetRowLimit changes the largest number of rows of a response, as an update of the
// vendor may do. n has the meaning of Limits.Rows.
func (s *Server) SetRowLimit(n int) { s.rowLimit.Store(int64(limit(n, maxRows))) }
