//go:build unix

package postgrestest

import (
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Proxy stands between an exporter and a server and can break the connection.
type Proxy struct {
	Port int
	// What it does to what is sent from now on.
	Swallow atomic.Bool  // drops the server's answers and ends the connection
	Hole    atomic.Bool  // forwards nothing
	Delay   atomic.Int64 // nanoseconds before each answer

	target   string
	listener net.Listener
	mu       sync.Mutex
	conns    map[net.Conn]bool
	done     sync.WaitGroup
}

// StartProxy starts a proxy before the server.
func (s *Server) StartProxy() (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It does not wait.
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		Port:   listener.Addr().(*net.TCPAddr).Port,
		target: fmt.Sprintf("127.0.0.1:%d", s.Port), listener: listener, conns: map[net.Conn]bool{},
	}
	p.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(client) })
		}
	})
	return p, nil
}

// Close ends the proxy and all connections.
func (p *Proxy) Close() {
	_ = p.listener.Close()
	p.Cut()
	p.done.Wait()
}

// Cut ends all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	clear(p.conns)
}

func (p *Proxy) add(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = true
}

func (p *Proxy) serve(client net.Conn) {
	p.add(client)
	server, err := net.Dial("tcp", p.target) //nolint:noctx // It is on loopback.
	if err != nil {
		_ = client.Close()
		return
	}
	p.add(server)
	p.done.Go(func() {
		p.forward(server, client, false)
		_ = server.Close()
	})
	p.forward(client, server, true)
	_ = client.Close()
}

func (p *Proxy) forward(to io.Writer, from io.Reader, isAnswer bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if p.Hole.Load() {
			continue
		}
		if isAnswer {
			if p.Swallow.Load() {
				return
			}
			<-time.After(time.Duration(p.Delay.Load()))
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// URL returns the URL of a role through the proxy.
func (p *Proxy) URL(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", role, p.Port, database)
}
