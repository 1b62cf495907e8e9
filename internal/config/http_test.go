package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func transport(t *testing.T, h *HTTP) http.RoundTripper {
	t.Helper()
	made, problems := h.transport()
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return made
}

// get makes a request through a transport.
func get(t *testing.T, through http.RoundTripper, address string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := through.RoundTrip(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// recorder is a server that keeps the last request.
func recorder(t *testing.T) (server *httptest.Server, last *http.Request) {
	t.Helper()
	last = &http.Request{}
	server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { *last = *r }))
	t.Cleanup(server.Close)
	return server, last
}

func proxyAt(t *testing.T, address string) promconfig.ProxyConfig {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return promconfig.ProxyConfig{ProxyURL: promconfig.URL{URL: parsed}}
}

func TestTransport_UsesProxy(t *testing.T) {
	proxy, last := recorder(t)
	h := &HTTP{ProxyConfig: proxyAt(t, strings.Replace(proxy.URL, "http://", "http://user:secret@", 1))}
	if err := get(t, transport(t, h), "http://wv0042.invalid/api"); err != nil {
		t.Fatal(err)
	}
	if last.Host != "wv0042.invalid" || last.Header.Get("Proxy-Authorization") == "" {
		t.Errorf("have a request for %q with %v, want one for wv0042.invalid with a password for the proxy", last.Host, last.Header)
	}
}

func TestTransport_SendsProxyConnectHeaders(t *testing.T) {
	proxy, last := recorder(t)
	h := &HTTP{ProxyConfig: proxyAt(t, proxy.URL)}
	h.ProxyConnectHeader = promconfig.ProxyHeader{"X-Team": {"sales"}}
	if err := get(t, transport(t, h), "https://wv0042.invalid/api"); err == nil {
		t.Error("have no error, and no server is behind the proxy")
	}
	if last.Method != http.MethodConnect || last.Header.Get("X-Team") != "sales" {
		t.Errorf("have %s with %v, want CONNECT with X-Team", last.Method, last.Header)
	}
}

func TestTransport_HonoursNoProxy(t *testing.T) {
	proxy, _ := recorder(t)
	server, last := recorder(t)
	h := &HTTP{ProxyConfig: proxyAt(t, proxy.URL)}
	h.NoProxy = "127.0.0.1"
	if err := get(t, transport(t, h), server.URL); err != nil || last.Host != strings.TrimPrefix(server.URL, "http://") {
		t.Errorf("have a request for %q and error %v, want one at the server itself", last.Host, err)
	}
}

// net/http reads the environment once in a process.
func TestTransport_UsesProxyOfEnvironment(t *testing.T) {
	if os.Getenv("ASK_THROUGH_PROXY") != "" {
		if err := get(t, transport(t, &HTTP{}), "http://wv0042.invalid/api"); err != nil {
			t.Fatal(err)
		}
		return
	}
	proxy, last := recorder(t)
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTransport_UsesProxyOfEnvironment$")
	again.Env = append(os.Environ(), "ASK_THROUGH_PROXY=1", "HTTP_PROXY="+proxy.URL, "http_proxy=", "NO_PROXY=", "no_proxy=")
	if output, err := again.CombinedOutput(); err != nil || last.Host != "wv0042.invalid" {
		t.Errorf("have a request for %q and error %v, want one for wv0042.invalid\n%s", last.Host, err, output)
	}
}

func TestTransport_AddsHeaders(t *testing.T) {
	server, last := recorder(t)
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := &HTTP{Headers: map[string]promconfig.Header{"X-Key": {Values: []string{"plain"}, Secrets: []promconfig.Secret{"secret"}, Files: []string{file}}}}
	if err := get(t, transport(t, h), server.URL); err != nil {
		t.Fatal(err)
	}
	if have := strings.Join(last.Header.Values("X-Key"), " "); have != "plain secret from-file" {
		t.Errorf("have X-Key %q", have)
	}
	if have := last.Header.Get("Accept-Encoding"); have != "gzip" {
		t.Errorf("have Accept-Encoding %q, want gzip", have)
	}
}

func TestHTTP_KeepsCaseOfHeaders(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	head := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		text := make([]byte, 4096)
		n, _ := conn.Read(text)
		head <- string(text[:n])
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n")
	}()
	h := &HTTP{Headers: map[string]promconfig.Header{"X-Gateway": {Values: []string{"in"}}}}
	client := wolkvox.NewClient(&url.URL{Scheme: "http", Host: listener.Addr().String()}, wolkvox.StaticToken("token"), wolkvox.WithTransport(transport(t, h)))
	for _, err := range client.Chats(t.Context(), wolkvox.Window{From: 1, To: 2}) {
		t.Fatal(err)
	}
	if have := <-head; !strings.Contains(have, "\r\nwolkvox-token: token\r\n") || !strings.Contains(have, "\r\nX-Gateway: in\r\n") {
		t.Errorf("have %q", have)
	}
}

func TestTransport_ReloadsCAFile(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	trust := func(pem []byte) {
		t.Helper()
		if err := os.WriteFile(file, pem, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	trust(certificate(t))
	through := transport(t, &HTTP{TLS: promconfig.TLSConfig{CAFile: file}})
	if err := get(t, through, server.URL); err == nil {
		t.Error("have no error with the CA of another server")
	}
	trust(encodePEM(server.Certificate().Raw))
	if err := get(t, through, server.URL); err != nil {
		t.Errorf("with the server's CA: %v", err)
	}
}

func encodePEM(certificate []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
}

// certificate returns a certificate that no server uses.
func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	made, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return encodePEM(made)
}
