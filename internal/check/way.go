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

// way is how a request comes to the API. Its transport tells, so that proxies and
// certificates are those of the exporter's own requests.
type way struct {
	mu sync.Mutex

	hop       string // what is connected to first, the API or a proxy
	lookup    string // name that is looked up
	addresses []string
	lookupErr error

	connecting, connected string // addresses
	connectErr            error

	shaking  bool
	shaken   *tls.ConnectionState
	shakeErr error

	failure error // of the request; nil if it succeeded

	arrived bool // there is a connection
	reused  bool
}

// trace makes a context in which the first request tells its way.
func (w *way) trace(ctx context.Context) context.Context {
	// A dial can go on when the request has given up, and go on in vain when
	// another has got through.
	note := func(what func()) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.arrived {
			what()
		}
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:      func(hop string) { note(func() { w.hop = hop }) },
		DNSStart:     func(info httptrace.DNSStartInfo) { note(func() { w.lookup = info.Host }) },
		ConnectStart: func(_, address string) { note(func() { w.connecting = address }) },
		DNSDone: func(info httptrace.DNSDoneInfo) {
			note(func() {
				w.lookupErr = info.Err
				for _, address := range info.Addrs {
					w.addresses = append(w.addresses, address.String())
				}
			})
		},
		ConnectDone: func(_, address string, err error) {
			note(func() {
				if w.connectErr = err; err == nil {
					w.connected = address
				}
			})
		},
		TLSHandshakeStart: func() { note(func() { w.shaking, w.shaken = true, nil }) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			note(func() {
				if w.shakeErr = err; err == nil {
					w.shaken = &state
				}
			})
		},
		GotConn: func(info httptrace.GotConnInfo) {
			note(func() { w.arrived, w.reused = true, info.Reused })
		},
	})
}

// findings are those of the name, the connection and TLS, up to the first that
// has failed.
func (w *way) findings(base *url.URL) []Finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	var l list
	switch {
	case w.hop == "":
		const why = "no connection was tried"
		l.skipped(Name, why)
		l.skipped(Connection, why)
		l.skipped(TLS, why)
		return l.findings
	case w.reused:
		const known = "the connection to this host is reused"
		l.ok(Name, known)
		l.ok(Connection, known)
	default:
		proxied := w.hop != hostPort(base)
		if w.name(&l, base.Hostname(), proxied); !Fine(l.findings) {
			return l.findings
		}
		if w.connection(&l, proxied); !Fine(l.findings) {
			return l.findings
		}
		if base.Scheme == "https" && !w.shaking && proxied {
			text := fmt.Sprintf("the proxy %s does not connect to %s", w.hop, hostPort(base))
			status, do := proxyRefusal(w.failure, hostPort(base))
			l.failed(TLS, text+status, do)
			return l.findings
		}
	}
	w.tls(&l, base)
	return l.findings
}

// hostPort is how Go names the first hop to a URL without a proxy.
func hostPort(base *url.URL) string {
	port := base.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[base.Scheme]
	}
	return net.JoinHostPort(base.Hostname(), port)
}

func (w *way) name(l *list, host string, proxied bool) {
	what, do := w.lookup, "check the server's digits or the URL, and the DNS of this machine"
	if proxied {
		what, do = "the proxy "+w.lookup, "check proxy_url or HTTPS_PROXY, and the DNS of this machine"
	}
	var failure *net.DNSError
	switch unknown := errors.As(w.lookupErr, &failure) && failure.IsNotFound; {
	case unknown:
		l.failed(Name, what+" does not resolve", do)
	case w.lookupErr != nil, w.lookup != "" && len(w.addresses) == 0:
		l.failed(Name, what+" could not be looked up", "check the DNS of this machine")
	case proxied:
		l.skipped(Name, "the proxy "+w.hop+" resolves "+host)
	case w.lookup == "":
		l.ok(Name, host+" is an IP address")
	default:
		l.ok(Name, host+" resolves to "+some(w.addresses, 3))
	}
}

func (w *way) connection(l *list, proxied bool) {
	to := func(address string) string { return address }
	do := "add this machine's public IP address to the operation's allow-list; check the port and the firewalls on the route"
	if proxied {
		to = func(address string) string { return "the proxy " + address }
		do = "check proxy_url or HTTPS_PROXY, and whether the proxy is running"
	}
	var slow interface{ Timeout() bool }
	switch err := w.connectErr; {
	case w.connected != "", w.arrived:
		l.ok(Connection, "TCP to "+to(cmp.Or(w.connected, w.hop)))
	case err == nil, errors.As(err, &slow) && slow.Timeout(), errors.Is(err, context.Canceled):
		l.failed(Connection, "no answer from "+to(w.connecting), do)
	case errors.Is(err, syscall.ECONNREFUSED):
		l.failed(Connection, to(w.connecting)+" refuses the connection", do)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		l.failed(Connection, "no route to "+to(w.connecting), "check this machine's network: it may need a proxy")
	default:
		l.failed(Connection, "connecting to "+to(w.connecting)+" failed: "+cause(err), do)
	}
}

// cause is an error without the addresses that net puts before it.
func cause(err error) string {
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Err.Error()
	}
	return err.Error()
}

func (w *way) tls(l *list, base *url.URL) {
	switch {
	case base.Scheme != "https":
		l.look(TLS, "none: the URL is http, so the token is sent unencrypted", "use https, unless the network is trusted")
	case w.reused:
		l.ok(TLS, "the connection to this host is reused")
	case w.shakeErr != nil:
		text, do := certificate(w.shakeErr, base.Hostname())
		l.failed(TLS, text, do)
	case w.shaken == nil:
		l.failed(TLS, "no answer to the handshake", "check that the port speaks HTTPS, and check firewalls and proxies on the route")
	case len(w.shaken.VerifiedChains) == 0:
		l.look(TLS, "the certificate is not verified: insecure_skip_verify is set", "the token can be intercepted: set the authority as ca_file instead")
	default:
		l.ok(TLS, fmt.Sprintf("%s, certificate valid until %s", tls.VersionName(w.shaken.Version), w.shaken.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly)))
	}
}

// some joins the first few of a list.
func some(texts []string, most int) string {
	if more := len(texts) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), more)
	}
	return strings.Join(texts, ", ")
}
