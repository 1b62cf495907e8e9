package wolkvox

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"
)

// newCertificate returns a certificate whose names are personal data, and the pool that
// trusts it.
func newCertificate(t *testing.T, changed func(*x509.Certificate)) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: sampleName, Organization: []string{samplePhone}},
		DNSNames: []string{samplePhone + ".example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	changed(template)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func secureServer(t *testing.T, config *tls.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the token was sent")
	}))
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestClient_QuotesNoCertificate(t *testing.T) {
	no := func(*x509.Certificate) {}
	for name, c := range map[string]struct {
		changed func(*x509.Certificate)
		trusted bool
		want    string
	}{
		"authority": {no, false, "the certificate of HOST is of an authority that is not trusted"},
		"name":      {func(c *x509.Certificate) { c.IPAddresses = nil }, true, "the certificate is not one of HOST"},
		"date":      {func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }, true, "the certificate of HOST has expired or is not valid yet"},
		"use":       {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, true, "the certificate of HOST is not valid for this use"},
	} {
		certificate, pool := newCertificate(t, c.changed)
		host := secureServer(t, &tls.Config{Certificates: []tls.Certificate{certificate}})
		if !c.trusted {
			pool = nil
		}
		// As the API's certificate, and as that of the proxy.
		for _, of := range []string{host, "the proxy"} {
			transport := NewTransport()
			transport.TLSClientConfig = &tls.Config{RootCAs: pool}
			base := &url.URL{Scheme: "https", Host: host}
			if of != host {
				transport.Proxy = http.ProxyURL(base)
				base = anyBase
			}
			have := askAt(t.Context(), t, base, transport)
			if want := "the connection failed: " + strings.Replace(c.want, "HOST", of, 1); have.err == nil || have.err.Error() != want {
				t.Errorf("%s: have %v, want %s", name, have.err, want)
			}
			wantNoPersonalData(t, have.err)
		}
	}
}

// An unreadable certificate of a proxy is in an error of package net.
func TestRedact_QuotesNoProxysCertificate(t *testing.T) {
	err := redact(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New("x509: cannot parse dnsName " + sampleName)}, "host")
	wantNoPersonalData(t, err)
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	if err := redact(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: refused}, "host"); !strings.Contains(err.Error(), "proxyconnect tcp: dial tcp: connection refused") {
		t.Errorf("have %v", err)
	}
}

func TestClient_NamesOldTLSVersion(t *testing.T) {
	certificate, pool := newCertificate(t, func(*x509.Certificate) {})
	host := secureServer(t, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS10})
	transport := NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	have := askAt(t.Context(), t, &url.URL{Scheme: "https", Host: host}, transport)
	if want := "the connection failed: the TLS version of " + host + " is too old"; have.err == nil || have.err.Error() != want {
		t.Errorf("have %v, want %s", have.err, want)
	}
}

// A server can choose a version that the client has not offered.
func TestClient_NamesUnofferedTLSVersion(t *testing.T) {
	hello := "\x02\x00\x00\x26\x03\x01" + strings.Repeat("r", 32) + "\x00\x00\x2f\x00"
	record := "\x16\x03\x01\x00" + string(rune(len(hello))) + hello
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_, _ = far.Read(make([]byte, 5000))
			_, _ = io.WriteString(far, record)
			_, _ = far.Read(make([]byte, 100)) // the client's alert
		}()
		return near, nil
	}}
	have := askAt(t.Context(), t, &url.URL{Scheme: "https", Host: "wolkvox.test"}, transport)
	if want := "the connection failed: the TLS version of wolkvox.test is too old"; have.err == nil || have.err.Error() != want {
		t.Errorf("have %v, want %s", have.err, want)
	}
}
