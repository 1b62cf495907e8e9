package wolkvox

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// newRedirect answers requests for the API with a redirect, and others with one row.
func newRedirect(t *testing.T, status int, location string, asked *[]string) roundTrip {
	t.Helper()
	return func(r *http.Request) (*http.Response, error) {
		*asked = append(*asked, r.URL.Scheme+"://"+r.URL.Host)
		if requestToken(r) != sampleToken {
			t.Error("the token got lost")
		}
		if r.URL.Path == "/api/v2/reports_manager.php" {
			return newResponder(status, "moved", "Location", location)(r)
		}
		return newResponder(http.StatusOK, report(rowWith()))(r)
	}
}

func TestClient_FollowsRedirectOnSameHost(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"/v3/x.php?a=b", "https://wv0042.wolkvox.com/v3", "//wv0042.wolkvox.com/v3"} {
			var asked []string
			have := ask(t, newRedirect(t, status, location, &asked))
			if have.err != nil || len(have.chats) != 1 || len(asked) != 2 {
				t.Errorf("%d to %s: have %d chats, %v, by way of %v", status, location, len(have.chats), have.err, asked)
			}
		}
	}
}

func TestClient_SendsTokenToNoOtherHost(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{
			"https://example.com/v3", "//example.com/v3", "http://wv0042.wolkvox.com/v3", "https://wv0042.wolkvox.com:8443/v3",
			"https://evil.wv0042.wolkvox.com/v3", "https://wolkvox.com/v3", "https://wv0042.wolkvox.com.example.com/v3",
			"https://wv0042.wolkvox.com@example.com/v3",
		} {
			var asked []string
			have := ask(t, newRedirect(t, status, location, &asked))
			if have.failure() != Redirected || len(asked) != 1 {
				t.Errorf("%d to %s: have %v, by way of %v", status, location, have.err, asked)
			}
		}
	}
}

func TestClient_EndsRedirectLoop(t *testing.T) {
	n := 0
	have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		n++
		return newResponder(http.StatusFound, "", "Location", fmt.Sprintf("/%d", n))(r)
	}))
	if have.failure() != Redirected || n != maxRedirects+1 {
		t.Errorf("have %v after %d requests", have.err, n)
	}
}

func TestClient_FollowsNoLoop(t *testing.T) {
	const page = "/api/v2/reports_manager.php?api=chat_8&date_ini=20260119003431&date_end=20260119010207"
	for name, c := range map[string]struct {
		locations map[string]string
		requests  int
	}{
		"to itself":        {map[string]string{page: page}, 1},
		"there and back":   {map[string]string{page: "/v3", "/v3": page}, 2},
		"there, to itself": {map[string]string{page: "/v3", "/v3": "/v3"}, 2},
	} {
		n := 0
		have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			n++
			return newResponder(http.StatusFound, "", "Location", c.locations[r.URL.RequestURI()])(r)
		}))
		if have.failure() != Redirected || n != c.requests {
			t.Errorf("%s: have %v after %d requests, want %d", name, have.err, n, c.requests)
		}
	}
}

func TestClient_RedirectKeepsTheSpellingOfHeaders(t *testing.T) {
	var heads []string
	have := askAt(t.Context(), t, wireBase, newPipeTransport(t, func(head string, conn net.Conn) bool {
		if heads = append(heads, head); len(heads) == 1 {
			_, _ = io.WriteString(conn, "HTTP/1.1 302 Found\r\nLocation: /v3\r\nContent-Length: 0\r\n\r\n")
		} else {
			_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
		}
		return true
	}), WithServer("0042"), WithUserAgent("agent/1"))
	if have.err != nil || len(heads) != 2 {
		t.Fatalf("have %v after %d requests", have.err, len(heads))
	}
	for _, want := range []string{"wolkvox-token: " + sampleToken, "wolkvox_server: 0042", "User-Agent: agent/1", "Connection: close"} {
		if !strings.Contains(heads[1], "\r\n"+want+"\r\n") {
			t.Errorf("want the line %q in\n%s", want, heads[1])
		}
	}
}

func TestClient_RedirectWithoutLocation(t *testing.T) {
	for _, status := range []int{300, 301, 302, 304, 305} {
		if have := ask(t, newResponder(status, "moved")); have.failure() != Redirected {
			t.Errorf("%d: have %v", status, have.err)
		}
	}
}
