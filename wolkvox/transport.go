package wolkvox

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
)

// ErrProxy is the cause of an [Error] whose response came from a proxy: the API
// has not seen the request.
var ErrProxy = errors.New("the proxy refused")

var defaultTransport = NewTransport()

// NewTransport returns a copy of net/http's default transport that reports a
// proxy's refusal to connect as an [Error] with the proxy's status. net/http's own
// error is the text that the proxy chose.
func NewTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
		if response.StatusCode == http.StatusOK {
			return nil
		}
		return refusedByProxy(response)
	}
	return transport
}

// refusedByProxy returns the error of a proxy's response.
func refusedByProxy(response *http.Response) *Error {
	return &Error{
		Result:     Network,
		Status:     response.StatusCode,
		RetryAfter: retryAfter(response.Header.Get("Retry-After")),
		Err:        ErrProxy,
	}
}

// connTrace records where the newest request of a context connects to.
type connTrace struct{ hop atomic.Pointer[string] }

func (t *connTrace) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(hop string) { t.hop.Store(&hop) }})
}

// isFromProxy reports whether an error response is a proxy's. Over https a proxy
// answers to CONNECT only. Over http its responses look like the API's, apart from
// the envelope.
func (t *connTrace) isFromProxy(response *http.Response, target *url.URL, envelope bool) bool {
	switch response.StatusCode {
	case http.StatusProxyAuthRequired:
		return true
	case http.StatusForbidden, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		hop := t.hop.Load()
		proxied := hop != nil && *hop != net.JoinHostPort(target.Hostname(), cmp.Or(target.Port(), "80"))
		return target.Scheme == "http" && proxied && !envelope
	default:
		return false
	}
}
