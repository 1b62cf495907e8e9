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

// wireBase is the URL of the server of newPipeTransport.
var wireBase = &url.URL{Scheme: "http", Host: "wolkvox.test"}

// newPipeTransport returns a transport over pipes to a server. serve gets the text of each
// request and writes the response. The connection is closed when it returns false.
func newPipeTransport(t *testing.T, serve func(head string, conn net.Conn) (more bool)) *http.Transport {
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

// newRawTransport returns a transport whose server answers every request with the same bytes
// and closes the connection.
func newRawTransport(t *testing.T, text string) *http.Transport {
	t.Helper()
	return newPipeTransport(t, func(_ string, conn net.Conn) bool {
		_, _ = io.WriteString(conn, text)
		return false
	})
}

// requestToken returns the token of a request that a client hands to its transport.
func requestToken(r *http.Request) string {
	return strings.Join(r.Header["wolkvox-token"], ", ") //nolint:staticcheck // The spelling is what the test is about.
}
