package wolkvox

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// newProxyTransport returns a transport with a proxy that answers all requests alike.
func newProxyTransport(t *testing.T, status int, body string, headers ...string) *http.Transport {
	t.Helper()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(proxy.Close)
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := NewTransport()
	transport.Proxy = http.ProxyURL(address)
	return transport
}

func TestClient_NamesRefusingProxy(t *testing.T) {
	page := "<html><h1>Access denied for " + sampleName + "</h1></html>"
	for _, scheme := range []string{"http", "https"} {
		base := &url.URL{Scheme: scheme, Host: "wolkvox.test"}
		for _, status := range []int{403, 407, 502, 503, 504} {
			for _, body := range []string{page, "", "Forbidden for " + sampleName} {
				have := askAt(t.Context(), t, base, newProxyTransport(t, status, body, "Proxy-Authenticate", `Basic realm="`+sampleName+`"`))
				if have.failure() != Network || !errors.Is(have.err, ErrProxy) {
					t.Errorf("%s, %d %q: have %s (%v)", scheme, status, body, have.failure(), have.err)
				}
				wantNoPersonalData(t, have.err)
			}
		}
	}
	have := askAt(t.Context(), t, anyBase, newProxyTransport(t, 407, page, "Retry-After", "120"))
	if want := "the connection failed (status 407): the proxy refused"; have.err.Error() != want {
		t.Errorf("have %q, want %q", have.err, want)
	}
	if failure, ok := errors.AsType[*Error](have.err); !ok || failure.RetryAfter.Seconds() != 120 {
		t.Errorf("have %+v, want its Retry-After", have.err)
	}
}

// Errors of the API behind a proxy, and of a proxy that is not configured, are reported as
// the API's.
func TestClient_BlamesNoProxyForAPI(t *testing.T) {
	plain := &url.URL{Scheme: "http", Host: "wolkvox.test"}
	have := askAt(t.Context(), t, plain, newProxyTransport(t, 403, `{"code":403,"msg":"PLEASE VALIDATE TOKEN","data":[]}`))
	if have.failure() != TokenRejected {
		t.Errorf("through a proxy: have %v", have.err)
	}
	have = askAt(t.Context(), t, plain, newProxyTransport(t, 500, ""))
	if have.failure() != ServerError {
		t.Errorf("a 500 through a proxy: have %v", have.err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer server.Close()
	for _, address := range []string{server.URL, strings.Replace(server.URL, "127.0.0.1", "localhost", 1)} {
		base, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if have := askAt(t.Context(), t, base, NewTransport()); have.failure() != ServerError {
			t.Errorf("%s: have %v", address, have.err)
		}
	}
}
