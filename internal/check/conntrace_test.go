package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func noConnection(*httptrace.ClientTrace) {}

// traceRequest returns the findings of the first request of a client.
func traceRequest(t *testing.T, base string, transport *http.Transport, timeout time.Duration) []Finding {
	t.Helper()
	t.Cleanup(transport.CloseIdleConnections)
	client := wolkvox.NewClient(address(t, base), wolkvox.StaticToken("token"), wolkvox.WithTransport(transport), wolkvox.WithTimeout(timeout))
	var trace connTrace
	for _, err := range client.Chats(trace.attach(t.Context()), wolkvox.Window{From: 1, To: 2}) {
		trace.requestErr = err
		t.Log(err)
	}
	return trace.findings(address(t, base))
}

// mustFind checks the last finding.
func mustFind(t *testing.T, findings []Finding, id ID, status Status, text string) {
	t.Helper()
	last := findings[len(findings)-1]
	if last.ID != id || last.Status != status || !strings.Contains(last.Text, text) {
		t.Errorf("have %+v, want %s %s: %s", last, id, status, text)
	}
}

func serve(t *testing.T, start func(*httptest.Server)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"code":200,"data":[]}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(server)
	t.Cleanup(server.Close)
	return server
}

func TestConnTrace_ReportsEachStep(t *testing.T) {
	server := serve(t, (*httptest.Server).StartTLS)
	trusting := server.Client().Transport.(*http.Transport)
	have := traceRequest(t, server.URL, trusting.Clone(), time.Minute)
	mustFind(t, have[:1], Name, OK, "127.0.0.1 is an IP address")
	mustFind(t, have[:2], Connection, OK, "TCP to "+server.Listener.Addr().String())
	mustFind(t, have, TLS, OK, "TLS 1.3, certificate valid until 2084-01-29")

	// A dial of a request that was given up has come through for another.
	var trace connTrace
	hooks := httptrace.ContextClientTrace(trace.attach(t.Context()))
	hooks.GetConn(fakeHost + ":443")
	hooks.GotConn(httptrace.GotConnInfo{Reused: true})
	have = trace.findings(address(t, "https://"+fakeHost))
	for i, id := range []ID{Name, Connection, TLS} {
		mustFind(t, have[:i+1], id, OK, "is reused")
	}

	plain := serve(t, (*httptest.Server).Start)
	_, port, _ := net.SplitHostPort(plain.Listener.Addr().String())
	have = traceRequest(t, "http://localhost:"+port, &http.Transport{}, time.Minute)
	mustFind(t, have[:1], Name, OK, "localhost resolves to ")
	mustFind(t, have, TLS, Warning, "none: the URL is http")
}

// The dial to a second address goes on in vain, and a second window is asked for.
func TestConnTrace_IgnoresStepsAfterConnection(t *testing.T) {
	var trace connTrace
	hooks := httptrace.ContextClientTrace(trace.attach(t.Context()))
	connectDirectly(hooks)
	want := trace.findings(address(t, "https://"+fakeHost))
	hooks.ConnectDone("tcp", "[2001:db8::42]:443", context.Canceled)
	hooks.GetConn(fakeHost + ":443")
	hooks.GotConn(httptrace.GotConnInfo{Reused: true})
	if have := trace.findings(address(t, "https://"+fakeHost)); !slices.Equal(have, want) || !Passed(have) {
		t.Errorf("have %v, want %v", have, want)
	}
}

func TestConnTrace_ReportsLookupFailures(t *testing.T) {
	unknown := func(trace *httptrace.ClientTrace, host string, err error) {
		trace.GetConn(host + ":443")
		trace.DNSStart(httptrace.DNSStartInfo{Host: host})
		trace.DNSDone(httptrace.DNSDoneInfo{Err: err})
	}
	for _, test := range []struct {
		host string
		err  error
		text string
	}{
		{fakeHost, &net.DNSError{IsNotFound: true}, fakeHost + " does not resolve"},
		{fakeHost, &net.DNSError{IsTimeout: true}, fakeHost + " could not be looked up"},
		{"proxy.example", &net.DNSError{IsNotFound: true}, "the proxy proxy.example does not resolve"},
	} {
		var trace connTrace
		unknown(httptrace.ContextClientTrace(trace.attach(t.Context())), test.host, test.err)
		mustFind(t, trace.findings(address(t, "https://"+fakeHost)), Name, Failed, test.text)
	}
}

func TestConnTrace_ReportsConnectFailures(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refusing := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	have := traceRequest(t, "https://"+refusing, &http.Transport{}, time.Minute)
	mustFind(t, have, Connection, Failed, refusing+" refuses the connection")
	if do := have[len(have)-1].Advice; !strings.Contains(do, "allow-list") {
		t.Errorf("have %q, want the allow-list", do)
	}

	// No answer comes from behind a firewall; the dial fails when it gives up.
	silent := &http.Transport{DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
		httptrace.ContextClientTrace(ctx).ConnectStart("tcp", address)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	have = traceRequest(t, "https://203.0.113.1", silent, 100*time.Millisecond)
	mustFind(t, have, Connection, Failed, "no answer from 203.0.113.1:443")
}

func TestConnTrace_ExplainsHandshakeFailures(t *testing.T) {
	server := serve(t, (*httptest.Server).StartTLS)
	trusting := server.Client().Transport.(*http.Transport)
	mustFind(t, traceRequest(t, server.URL, &http.Transport{}, time.Minute), TLS, Failed, "an authority that is not trusted")

	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	mustFind(t, traceRequest(t, "https://localhost:"+port, trusting.Clone(), time.Minute), TLS, Failed, "the certificate is not valid for localhost")

	careless := trusting.Clone()
	careless.TLSClientConfig.InsecureSkipVerify = true
	mustFind(t, traceRequest(t, server.URL, careless, time.Minute), TLS, Warning, "is not verified")

	old := expired(t)
	dated := serve(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{old}}
		s.StartTLS()
	})
	roots := x509.NewCertPool()
	roots.AddCert(old.Leaf)
	mustFind(t, traceRequest(t, dated.URL, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, time.Minute), TLS, Failed, "has expired or is not valid yet")

	demanding := serve(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
		s.StartTLS()
	})
	mustFind(t, traceRequest(t, demanding.URL, trusting.Clone(), time.Minute), TLS, Failed, "the server ended the handshake: tls: ")

	ancient := serve(t, func(s *httptest.Server) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
		s.StartTLS()
	})
	have := traceRequest(t, ancient.URL, trusting.Clone(), time.Minute)
	mustFind(t, have, TLS, Failed, "the server's TLS version is too old (minimum: 1.2)")
	if do := have[len(have)-1].Advice; strings.Contains(do, "client certificate") || !strings.Contains(do, "TLS 1.2 or newer") {
		t.Errorf("have the advice %q", do)
	}

	plain := serve(t, (*httptest.Server).Start)
	mustFind(t, traceRequest(t, strings.Replace(plain.URL, "http:", "https:", 1), &http.Transport{}, time.Minute), TLS, Failed, "does not speak TLS")

	for name, wait := range map[string]*http.Transport{"the request gives up": {}, "the transport gives up": {TLSHandshakeTimeout: 50 * time.Millisecond}} {
		mute, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		have := traceRequest(t, "https://"+mute.Addr().String(), wait, 200*time.Millisecond)
		if last := have[len(have)-1]; last.ID != TLS || last.Text != "no answer to the handshake" {
			t.Errorf("%s: have %+v", name, last)
		}
		mute.Close()
	}
}

// expired is a certificate of 127.0.0.1 that was.
func expired(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// Through a proxy this machine neither resolves the name nor connects to it.
func TestConnTrace_ReportsProxy(t *testing.T) {
	proxy := serve(t, (*httptest.Server).Start)
	through := func(address string) *http.Transport {
		return &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: address})}
	}
	hop := proxy.Listener.Addr().String()
	have := traceRequest(t, "http://wolkvox.invalid", through(hop), time.Minute)
	mustFind(t, have[:1], Name, Skipped, "the proxy "+hop+" resolves wolkvox.invalid")
	mustFind(t, have[:2], Connection, OK, "TCP to the proxy "+hop)
	mustFind(t, have, TLS, Warning, "none: the URL is http")

	for status, do := range map[int]string{403: "let the proxy allow wolkvox.invalid:443", 407: "a name and a password in proxy_url", 502: "reaches wolkvox.invalid:443"} {
		refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<h1>no</h1>")
		}))
		defer refusing.Close()
		hop = refusing.Listener.Addr().String()
		transport := wolkvox.NewTransport()
		transport.Proxy = through(hop).Proxy
		have := traceRequest(t, "https://wolkvox.invalid", transport, time.Minute)
		mustFind(t, have, TLS, Failed, fmt.Sprintf("the proxy %s does not connect to wolkvox.invalid:443 (status %d)", hop, status))
		if have := have[len(have)-1].Advice; !strings.Contains(have, do) {
			t.Errorf("%d: have the advice %q, want %q in it", status, have, do)
		}
		// Another transport's error says nothing of the status.
		mustFind(t, traceRequest(t, "https://wolkvox.invalid", through(hop), time.Minute), TLS, Failed, "does not connect to wolkvox.invalid:443")

		base := address(t, "http://wolkvox.invalid")
		client := wolkvox.NewClient(base, wolkvox.StaticToken("token"), wolkvox.WithTransport(transport))
		all := (&Operation{BaseURL: base, Zone: time.UTC, API: client, Malformed: MaskCounts{}}).Findings(t.Context())
		report := findFinding(t, all, Report)
		if report.Status != Failed || !strings.Contains(report.Text, fmt.Sprintf("(status %d): the proxy refused", status)) || !strings.Contains(report.Advice, strings.ReplaceAll(do, ":443", ":80")) {
			t.Errorf("http, %d: have %+v", status, report)
		}
	}

	proxy.Close()
	hop = proxy.Listener.Addr().String()
	mustFind(t, traceRequest(t, "https://wolkvox.invalid", through(hop), time.Minute), Connection, Failed, "the proxy "+hop+" refuses the connection")
	mustFind(t, traceRequest(t, "https://wolkvox.invalid", through("proxy.invalid:3128"), time.Minute), Name, Failed, "the proxy proxy.invalid ")
}
