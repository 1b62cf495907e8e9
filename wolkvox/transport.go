package wolkvox

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
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

// redact returns an error of the transport without what it quotes: net/http and crypto/x509
// quote the response and the certificate in some of theirs.
func redact(err error, host string) error {
	if failure := handshakeFailure(err, host); failure != nil {
		return failure
	}
	var operation, inner *net.OpError
	switch {
	case errors.As(err, &operation) && (operation.Op != "proxyconnect" || errors.As(operation.Err, &inner)):
		return operation
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("closed by the server before the end of the response")
	default:
		return errors.New("the HTTP exchange broke")
	}
}

// handshakeFailure returns why a TLS handshake failed; nil for any other error. Errors of
// crypto/x509 quote names of a certificate that was not verified.
func handshakeFailure(err error, host string) error {
	if operation, ok := errors.AsType[*net.OpError](err); ok && operation.Op == "proxyconnect" {
		host = "the proxy"
	}
	var (
		authority   x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		return errors.New("the certificate of " + host + " is of an authority that is not trusted")
	case errors.As(err, &name):
		return errors.New("the certificate is not one of " + host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("the certificate of " + host + " has expired or is not valid yet")
	case errors.As(err, &invalid), errors.As(err, &certificate):
		return errors.New("the certificate of " + host + " is not valid for this use")
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return errors.New("the server does not speak TLS")
	case IsOldTLS(err):
		return errors.New("the TLS version of " + host + " is too old")
	default:
		return nil
	}
}

// IsOldTLS reports whether a handshake failed because the server has no TLS version that is
// accepted: TLS 1.2, or what the configuration requires. crypto/tls has no type for that.
func IsOldTLS(err error) bool {
	const alertProtocolVersion = tls.AlertError(70)
	text := err.Error()
	return strings.Contains(text, "remote error: "+alertProtocolVersion.Error()) ||
		strings.Contains(text, "tls: server selected unsupported protocol version")
}
