package check

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// connTrace records how the connection of a request is made. The transport reports each
// step, so that the proxies and certificates are those of the exporter's own requests.
type connTrace struct {
	mu sync.Mutex

	firstHop  string // host and port of the API or the proxy
	host      string // name that is looked up
	addresses []string
	lookupErr error

	connecting, connected string // addresses
	connectErr            error

	handshakeStarted bool
	tlsState         *tls.ConnectionState
	handshakeErr     error

	requestErr error // nil if the request succeeded

	hasConn bool // the request has a connection
	reused  bool
}

// attach returns a context whose first request is recorded.
func (t *connTrace) attach(ctx context.Context) context.Context {
	// A dial can continue after its request has timed out, or after another dial has
	// succeeded.
	record := func(update func()) {
		t.mu.Lock()
		defer t.mu.Unlock()
		if !t.hasConn {
			update()
		}
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(hop string) { record(func() { t.firstHop = hop }) },
		DNSStart:     func(info httptrace.DNSStartInfo) { record(func() { t.host = info.Host }) },
		ConnectStart: func(_, address string) { record(func() { t.connecting = address }) },
		DNSDone: func(info httptrace.DNSDoneInfo) {
			record(func() {
				t.lookupErr = info.Err
				for _, address := range info.Addrs {
					t.addresses = append(t.addresses, address.String())
				}
			})
		},
		ConnectDone: func(_, address string, err error) {
			record(func() {
				if t.connectErr = err; err == nil {
					t.connected = address
				}
			})
		},
		TLSHandshakeStart: func() { record(func() { t.handshakeStarted, t.tlsState = true, nil }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			record(func() {
				if t.handshakeErr = err; err == nil {
					t.tlsState = &state
				}
			})
		},
		GotConn: func(info httptrace.GotConnInfo) {
			record(func() { t.hasConn, t.reused = true, info.Reused })
		},
	})
}

// findings returns the findings of the name, the connection and TLS, up to the first
// failure.
func (t *connTrace) findings(base *url.URL) []Finding {
	t.mu.Lock()
	defer t.mu.Unlock()
	var l findingList
	switch {
	case t.firstHop == "":
		const reason = "no connection was tried"
		l.skipped(Name, reason)
		l.skipped(Connection, reason)
		l.skipped(TLS, reason)
		return l.findings
	case t.reused:
		const reused = "the connection to this host is reused"
		l.ok(Name, reused)
		l.ok(Connection, reused)
	default:
		proxied := t.firstHop != hostPort(base)
		if t.checkName(&l, base.Hostname(), proxied); !Passed(l.findings) {
			return l.findings
		}
		if t.checkConnection(&l, proxied); !Passed(l.findings) {
			return l.findings
		}
		if base.Scheme == "https" && !t.handshakeStarted && proxied {
			text := fmt.Sprintf("the proxy %s does not connect to %s", t.firstHop, hostPort(base))
			status, advice := explainProxyRefusal(t.requestErr, hostPort(base))
			l.failed(TLS, text+status, advice)
			return l.findings
		}
	}
	t.checkTLS(&l, base)
	return l.findings
}

// hostPort returns the host and port of a URL, as httptrace reports a first hop.
func hostPort(base *url.URL) string {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	return net.JoinHostPort(base.Hostname(), port)
}

func (t *connTrace) checkName(l *findingList, host string, proxied bool) {
	name, advice := t.host, "check the server's digits or the URL, and the DNS of this machine"
	if proxied {
		name, advice = "the proxy "+t.host, "check proxy_url or HTTPS_PROXY, and the DNS of this machine"
	}
	var failure *net.DNSError
	switch unknown := errors.As(t.lookupErr, &failure) && failure.IsNotFound; {
	case unknown:
		l.failed(Name, name+" does not resolve", advice)
	case t.lookupErr != nil, t.host != "" && len(t.addresses) == 0:
		l.failed(Name, name+" could not be looked up", "check the DNS of this machine")
	case proxied:
		l.skipped(Name, "the proxy "+t.firstHop+" resolves "+host)
	case t.host == "":
		l.ok(Name, host+" is an IP address")
	default:
		l.ok(Name, host+" resolves to "+joinFirst(t.addresses, 3))
	}
}

func (t *connTrace) checkConnection(l *findingList, proxied bool) {
	describe := func(address string) string { return address }
	advice := "add this machine's public IP address to the operation's allow-list; check the port and the firewalls on the route"
	if proxied {
		describe = func(address string) string { return "the proxy " + address }
		advice = "check proxy_url or HTTPS_PROXY, and whether the proxy is running"
	}
	var timeout interface{ Timeout() bool }
	switch err := t.connectErr; {
	case t.connected != "", t.hasConn:
		l.ok(Connection, "TCP to "+describe(cmp.Or(t.connected, t.firstHop)))
	case err == nil, errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.Canceled):
		l.failed(Connection, "no answer from "+describe(t.connecting), advice)
	case errors.Is(err, syscall.ECONNREFUSED):
		l.failed(Connection, describe(t.connecting)+" refuses the connection", advice)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		l.failed(Connection, "no route to "+describe(t.connecting), "check this machine's network: it may need a proxy")
	default:
		l.failed(Connection, "connecting to "+describe(t.connecting)+" failed: "+withoutAddress(err), advice)
	}
}

// withoutAddress returns the text of an error without the addresses that net puts before it.
func withoutAddress(err error) string {
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Err.Error()
	}
	return err.Error()
}

func (t *connTrace) checkTLS(l *findingList, base *url.URL) {
	switch {
	case base.Scheme != "https":
		l.warning(TLS, "none: the URL is http, so the token is sent unencrypted", "use https, unless the network is trusted")
	case t.reused:
		l.ok(TLS, "the connection to this host is reused")
	case t.handshakeErr != nil:
		text, advice := explainHandshake(t.handshakeErr, base.Hostname())
		l.failed(TLS, text, advice)
	case t.tlsState == nil:
		l.failed(TLS, "no answer to the handshake", "check that the port speaks HTTPS, and check firewalls and proxies on the route")
	case len(t.tlsState.VerifiedChains) == 0:
		l.warning(TLS, "the certificate is not verified: insecure_skip_verify is set", "the token can be intercepted: set the authority as ca_file instead")
	default:
		l.ok(TLS, fmt.Sprintf("%s, certificate valid until %s", tls.VersionName(t.tlsState.Version), t.tlsState.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly)))
	}
}

// joinFirst joins the first texts, at most limit of them, and the number of the rest.
func joinFirst(texts []string, limit int) string {
	if more := len(texts) - limit; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:limit], ", "), more)
	}
	return strings.Join(texts, ", ")
}
