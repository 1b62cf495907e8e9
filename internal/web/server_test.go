package web

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener in memory: its deadlines use the test's clock.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.accepted:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// observed is a connection that reports when the server closes its side.
type observed struct {
	net.Conn
	closed func()
}

func (o *observed) Close() error {
	o.closed()
	return o.Conn.Close()
}

// dial returns the client's side of a connection, and a channel that is closed when the
// server closes its side.
func (p *pipes) dial(t *testing.T) (client net.Conn, closed chan struct{}) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { _ = client.Close() })
	closed = make(chan struct{})
	go func() { p.accepted <- &observed{server, sync.OnceFunc(func() { close(closed) })} }()
	synctest.Wait()
	return client, closed
}

// serve serves pages of a few bytes within limits until the test ends.
func serve(t *testing.T, limits Limits) *pipes {
	t.Helper()
	p := &pipes{make(chan net.Conn), make(chan struct{})}
	server := NewServer(handler(polled("wv0042")), limits)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(p) // It was closed.
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return p
}

func send(t *testing.T, client net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(client, text); err != nil {
		t.Fatal(err)
	}
}

// receive reads the header and the body of a response.
func receive(t *testing.T, client net.Conn) {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("have status %d and error %v", response.StatusCode, err)
	}
}

const (
	get  = "GET /metrics HTTP/1.1\r\nHost: exporter\r\n\r\n"
	half = "GET /metrics HTTP/1.1\r\nHost:"
)

func TestServer_ClosesStalledConnections(t *testing.T) {
	const withBody = "GET /metrics HTTP/1.1\r\nHost: exporter\r\nContent-Length: 9\r\n\r\n"
	for name, test := range map[string]struct {
		answered []string // requests whose responses are read
		rest     string   // sent after them
		want     time.Duration
	}{
		"sends nothing":         {nil, "", 10 * time.Second},
		"sends half a header":   {nil, half, 10 * time.Second},
		"does not send a body":  {[]string{withBody}, "", 30 * time.Second},
		"does not read":         {nil, get, time.Minute},
		"does not ask again":    {[]string{get, get}, "", 3 * time.Minute},
		"sends half the second": {[]string{get}, half, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, closed := serve(t, DefaultLimits).dial(t)
				start := time.Now()
				for _, request := range test.answered {
					send(t, client, request)
					receive(t, client)
				}
				if test.rest != "" {
					send(t, client, test.rest)
				}
				select {
				case <-closed:
				case <-time.After(time.Hour):
				}
				// The server waits for half a second if it has not read everything.
				if have := time.Since(start); have < test.want || have > test.want+time.Second {
					t.Errorf("closed after %s, want %s", have, test.want)
				}
			})
		})
	}
}

// A link of some bytes a second is slower than any that Prometheus would wait for.
func TestServer_CompletesSlowScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, _ := serve(t, DefaultLimits).dial(t)
		start := time.Now()
		for _, sign := range get[:len(get)-2] {
			time.Sleep(100 * time.Millisecond)
			send(t, client, string(sign))
		}
		send(t, client, get[len(get)-2:])
		var have strings.Builder
		for one := make([]byte, 8); !strings.HasSuffix(have.String(), "wolkvox_up 1\n"); {
			time.Sleep(time.Second)
			n, err := client.Read(one)
			if err != nil {
				t.Fatalf("after %s and %d bytes: %v", time.Since(start), have.Len(), err)
			}
			have.Write(one[:n])
		}
		if took := time.Since(start); took < 30*time.Second {
			t.Errorf("it took %s, which is not slow", took)
		}
	})
}

func TestServer_RefusesLongHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, closed := serve(t, DefaultLimits).dial(t)
		go func() {
			_, _ = io.WriteString(client, "GET / HTTP/1.1\r\nHost: a\r\nCookie: "+strings.Repeat("a", 32<<10))
		}()
		response, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("have status %d, want 431", response.StatusCode)
		}
		<-closed
	})
}

func TestServer_ConnectionWaitsAtLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits
		limits.Connections = 2
		p := serve(t, limits)
		first, _ := p.dial(t)
		p.dial(t)
		start := time.Now()
		third, _ := p.dial(t)
		time.AfterFunc(time.Second, func() { _ = first.Close() })
		send(t, third, get)
		receive(t, third)
		if waited := time.Since(start); waited != time.Second {
			t.Errorf("it waited for %s, want the second until another ended", waited)
		}
	})
}

// At the limit, a stalled client's connection is closed for a waiting client.
func TestServer_ClosesStaleConnectionAtLimit(t *testing.T) {
	for name, begun := range map[string]string{"idle": "", "slow header": half, "not reading": get} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				limits := DefaultLimits
				limits.Connections, limits.ReadHeader = 2, time.Hour
				p := serve(t, limits)
				stalled, closed := p.dial(t)
				if begun != "" {
					send(t, stalled, begun)
				}
				time.Sleep(limits.Stale - time.Second)
				used, _ := p.dial(t)
				send(t, used, get)
				receive(t, used)

				start := time.Now()
				next, _ := p.dial(t)
				send(t, next, get)
				receive(t, next)
				if waited := time.Since(start); waited != time.Second {
					t.Errorf("it waited for %s, want a second", waited)
				}
				<-closed
				send(t, used, get)
				receive(t, used)
			})
		})
	}
}

// A shutdown does not wait for a place to be free.
func TestServer_ShutsDownAtLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := DefaultLimits
		limits.Connections = 1
		p := &pipes{make(chan net.Conn), make(chan struct{})}
		server := NewServer(handler(), limits)
		done := make(chan error, 1)
		go func() { done <- server.Serve(p) }()
		for range 2 {
			client, _ := p.dial(t)
			go func() { _, _ = fmt.Fprint(client, get) }()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err == nil {
			t.Fatal("have no connection that stalls")
		}
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("have %v", err)
		}
	})
}
