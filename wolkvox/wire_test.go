package wolkvox

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// wireBase is where a wire leads to.
var wireBase = &url.URL{Scheme: "http", Host: "wolkvox.test"}

// wire is a transport over pipes to a server that gets the text of each request
// and answers with bytes of its own. The connection is closed when it has
// answered false.
func wire(t *testing.T, serve func(head string, conn net.Conn) (more bool)) *http.Transport {
	t.Helper()
	var connections sync.WaitGroup
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		connections.Go(func() {
			defer far.Close()
			from := bufio.NewReader(far)
			for {
				head, ok := readHead(from)
				if !ok || !serve(head, far) {
					return
				}
			}
		})
		return near, nil
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		connections.Wait()
	})
	return transport
}

func readHead(from *bufio.Reader) (string, bool) {
	var head strings.Builder
	for !strings.HasSuffix(head.String(), "\r\n\r\n") {
		line, err := from.ReadString('\n')
		if err != nil {
			return "", false
		}
		head.WriteString(line)
	}
	return head.String(), true
}

// saying answers every request with the same bytes and hangs up.
func saying(t *testing.T, text string) *http.Transport {
	t.Helper()
	return wire(t, func(_ string, conn net.Conn) bool {
		_, _ = io.WriteString(conn, text)
		return false
	})
}

// tokenOf returns the token of a request that a client hands to its transport.
func tokenOf(r *http.Request) string {
	return strings.Join(r.Header["wolkvox-token"], ", ") //nolint:staticcheck // The spelling is what the test is about.
}
