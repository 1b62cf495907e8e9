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

// Server is a wolkvox server. Its methods may be called from several goroutines.
type Server struct {
	cfg    Config
	book   book
	desk   desk
	faults faults

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

// NewServer starts a server on a free port of 127.0.0.1. It panics when there
// is none, as net/http/httptest does.
func NewServer(cfg Config) *Server {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(fmt.Sprintf("wolkvoxtest: %v", err))
	}
	var d net.Dialer
	return start(cfg, l, "http://"+l.Addr().String(), d.DialContext)
}

// NewPipeServer starts a server whose connections are pipes in memory. It can
// live in a testing/synctest bubble, where a socket would hold the clock. Only
// [Server.Transport] and [Server.DialContext] reach it, by any host name.
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
	s.book.cfg = &s.cfg
	s.rowLimit.Store(int64(s.cfg.Limits.Rows))
	s.keys.Store(&s.cfg.Readings.Keys)
	s.desk.cfg = &s.cfg
	s.desk.token = s.cfg.Token
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

// URL is the base URL, without a slash at its end; the API is below its /api/v2/.
func (s *Server) URL() string { return s.url }

// Transport reaches the server; it is the same one each time. Close closes its
// idle connections.
func (s *Server) Transport() *http.Transport { return s.transport }

// DialContext connects to the server, whatever the address, for a client that
// brings a transport of its own.
func (s *Server) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	return s.dial(ctx, network, s.url[len("http://"):])
}

// Add enters chats. The report shows them as the readings say: a chat whose end
// is in the future is an open one until then.
func (s *Server) Add(chats ...Chat) { s.book.add(chats) }

// Update puts chats in the place of those with the same ConnID, SessionID and
// Start, to end a chat that had no end, or to correct one.
func (s *Server) Update(chats ...Chat) { s.book.update(chats) }

// SetDateOffset puts the Date header of the answers from now on ahead of the
// server's clock, or behind it.
func (s *Server) SetDateOffset(d time.Duration) { s.dateOffset.Store(int64(d)) }

// SetRowLimit makes another number the most rows of a response from now on, as
// an update of the vendor's may do. It reads n as Limits.Rows is read.
func (s *Server) SetRowLimit(n int) { s.rowLimit.Store(int64(limit(n, maxRows))) }
