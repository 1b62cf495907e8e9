package wolkvox

import (
	"fmt"
	"net/http"
	"testing"
)

// redirecting answers requests for the API with a redirect, and any other with
// one row.
func redirecting(t *testing.T, status int, location string, asked *[]string) roundTrip {
	t.Helper()
	return func(r *http.Request) (*http.Response, error) {
		*asked = append(*asked, r.URL.Scheme+"://"+r.URL.Host)
		if r.Header.Get("wolkvox-token") != canaryToken {
			t.Error("the token got lost")
		}
		if r.URL.Path == "/api/v2/reports_manager.php" {
			return responding(status, "moved", "Location", location)(r)
		}
		return responding(http.StatusOK, report(rowWith()))(r)
	}
}

func TestARedirectOnTheSameHostIsFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{"/v3/x.php?a=b", "https://wv0042.wolkvox.com/v3", "//wv0042.wolkvox.com/v3"} {
			var asked []string
			have := ask(t, redirecting(t, status, location, &asked))
			if have.err != nil || len(have.chats) != 1 || len(asked) != 2 {
				t.Errorf("%d to %s: have %d chats, %v, by way of %v", status, location, len(have.chats), have.err, asked)
			}
		}
	}
}

func TestTheTokenIsNeverSentElsewhere(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, location := range []string{
			"https://example.com/v3", "//example.com/v3", "http://wv0042.wolkvox.com/v3", "https://wv0042.wolkvox.com:8443/v3",
			"https://evil.wv0042.wolkvox.com/v3", "https://wolkvox.com/v3", "https://wv0042.wolkvox.com.example.com/v3",
			"https://wv0042.wolkvox.com@example.com/v3",
		} {
			var asked []string
			have := ask(t, redirecting(t, status, location, &asked))
			if have.failure() != Redirected || len(asked) != 1 {
				t.Errorf("%d to %s: have %v, by way of %v", status, location, have.err, asked)
			}
		}
	}
}

func TestALoopOfRedirectsEnds(t *testing.T) {
	n := 0
	have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
		n++
		return responding(http.StatusFound, "", "Location", fmt.Sprintf("/%d", n))(r)
	}))
	if have.failure() != Redirected || n != maxRedirects+1 {
		t.Errorf("have %v after %d requests", have.err, n)
	}
}

func TestARedirectToNowhereIsARedirect(t *testing.T) {
	for _, status := range []int{300, 301, 302, 304, 305} {
		if have := ask(t, responding(status, "moved")); have.failure() != Redirected {
			t.Errorf("%d: have %v", status, have.err)
		}
	}
}
