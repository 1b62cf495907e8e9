package wolkvox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestClient_RequestAsDocumented(t *testing.T) {
	var have string
	transport := newPipeTransport(t, func(head string, conn net.Conn) bool {
		have = head
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		return true
	})
	answer := askAt(t.Context(), t, wireBase, transport, WithServer("0042"), WithUserAgent("wolkvox_exporter/1.2.3"))
	if answer.err != nil || !slices.Contains(APIs(), answer.request.API) {
		t.Fatalf("have %v, observed as %q", answer.err, answer.request.API)
	}
	lines := strings.Split(strings.TrimSpace(have), "\r\n")
	if want := "GET /api/v2/reports_manager.php?api=chat_8&date_ini=20260119003431&date_end=20260119010207 HTTP/1.1"; lines[0] != want {
		t.Errorf("have %q\nwant %q", lines[0], want)
	}
	for _, want := range []string{
		"Host: wolkvox.test", "User-Agent: wolkvox_exporter/1.2.3", "Connection: close", "wolkvox-token: " + sampleToken, "wolkvox_server: 0042", "Accept: application/json", "Accept-Encoding: gzip",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("want the line %q in\n%s", want, have)
		}
	}
}

func TestWithServer_UnsetSendsNoHeader(t *testing.T) {
	ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		for name := range r.Header {
			if strings.Contains(strings.ToLower(name), "server") {
				t.Errorf("have the header %s", name)
			}
		}
		return newResponder(http.StatusNoContent, "")(r)
	}))
}

func TestNewClient_BaseURLWithPath(t *testing.T) {
	for base, want := range map[string]string{
		"https://wv0042.wolkvox.com":         "https://wv0042.wolkvox.com/api/v2/reports_manager.php",
		"https://wv0042.wolkvox.com/":        "https://wv0042.wolkvox.com/api/v2/reports_manager.php",
		"http://127.0.0.1:8080/proxy/wv0042": "http://127.0.0.1:8080/proxy/wv0042/api/v2/reports_manager.php",
		"http://[::1]:8080/p/":               "http://[::1]:8080/p/api/v2/reports_manager.php",
	} {
		parsed, err := url.Parse(base)
		if err != nil {
			t.Fatal(err)
		}
		askAt(t.Context(), t, parsed, roundTrip(func(r *http.Request) (*http.Response, error) {
			have := *r.URL
			have.RawQuery = ""
			if have.String() != want {
				t.Errorf("have %s, want %s", &have, want)
			}
			return newResponder(http.StatusNoContent, "")(r)
		}))
	}
}

func TestClient_ReadsTokenForEachRequest(t *testing.T) {
	var have []string
	turn := 0
	client := NewClient(anyBase, func() (string, error) { turn++; return fmt.Sprint("token-", turn), nil },
		WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
			have = append(have, requestToken(r))
			return newResponder(http.StatusNoContent, "")(r)
		})))
	chats := client.Chats(t.Context(), anyWindow)
	for range 2 { // A sequence may be read twice; each time is a request.
		for _, err := range chats {
			t.Fatal(err)
		}
	}
	if want := []string{"token-1", "token-2"}; !slices.Equal(have, want) {
		t.Errorf("have %q, want %q", have, want)
	}
}

func TestClient_NoRequestWithoutToken(t *testing.T) {
	broken := errors.New("no token today")
	client := NewClient(anyBase, func() (string, error) { return "", broken },
		WithObserver(func(Request) { t.Error("a request was observed") }),
		WithTransport(roundTrip(func(*http.Request) (*http.Response, error) {
			t.Error("a request was made")
			return nil, broken
		})))
	n := 0
	for _, err := range client.Chats(t.Context(), anyWindow) {
		if n++; !errors.Is(err, broken) {
			t.Errorf("have %v, want the token's error", err)
		}
	}
	if n != 1 {
		t.Errorf("have %d errors, want 1", n)
	}
}

// Bytes after a response on a kept connection are not the next response, and are not
// logged.
func TestClient_UsesConnectionOnce(t *testing.T) {
	var printed bytes.Buffer
	log.SetOutput(&printed)
	defer log.SetOutput(os.Stderr)
	body, other := report(rowWith()), report(rowWith(), rowWith())
	answer := func(body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for name, behind := range map[string]string{"nothing": "", "another response": answer(other), "garbage": sampleName + samplePhone} {
		connections := map[net.Conn]int{}
		transport := newPipeTransport(t, func(_ string, conn net.Conn) bool {
			connections[conn]++
			_, _ = io.WriteString(conn, answer(body)+behind)
			return true
		})
		for range 3 {
			if have := askAt(t.Context(), t, wireBase, transport); have.err != nil || len(have.chats) != 1 {
				t.Fatalf("%s: have %d chats, %v", name, len(have.chats), have.err)
			}
		}
		if len(connections) != 3 {
			t.Errorf("%s: have %d connections, want 3", name, len(connections))
		}
	}
	if printed.Len() > 0 {
		t.Errorf("net/http has printed %q", printed.String())
	}
}

func TestChats_CallerCanStop(t *testing.T) {
	rows := slices.Repeat([]string{rowWith(), `"bad"`}, 50)
	for stop := 1; stop < 5; stop++ {
		body := &closeRecorder{Reader: strings.NewReader(report(rows...))}
		var seen []Request
		client := NewClient(anyBase, StaticToken("t"), WithObserver(func(r Request) { seen = append(seen, r) }),
			WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Body: body, Request: r}, nil
			})))
		n := 0
		for _, err := range client.Chats(t.Context(), anyWindow) {
			if n++; n == stop || err != nil && !errors.Is(err, ErrBadRow) {
				break
			}
		}
		if !body.closed || len(seen) != 1 || seen[0].Result != OK {
			t.Errorf("after %d rows: have closed %v, observed %+v", n, body.closed, seen)
		}
	}
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}
