//go:build unix

package test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	stdlog "log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/check"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/cli"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// The body of a 101 response is the connection itself, which net/http's timeouts do not cover.
func TestServe_SwitchingProtocolsIsMalformed(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	e := pollCommand(server, "--poll.interval=1s", "--wolkvox.timeout=1s", "--storage.path=").start(t)
	e.await("a first poll", up)
	server.FailAlways(wolkvoxtest.SwitchingProtocols)
	began := time.Now()
	e.await("a failure", func(s samples) bool { return !up(s) })
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it was up for another %s", took)
	}
	if have := e.await("more requests", func(s samples) bool {
		return s.byLabel("wolkvox_api_requests_total", "result")["malformed"] >= 2
	}); up(have) {
		t.Error("it is up")
	}
	if have := runCheck(t, server.URL(), "--wolkvox.timeout=2s"); have.status != 1 {
		t.Errorf("check: have exit status %d, want 1", have.status)
	} else {
		have.wantFinding(check.Report, check.Failed, "(status 101)")
	}
	wantEndInTime(t, e)
	server.Recover()
}

// The program ends within its time, whatever the API does.
func TestServe_EndsDuringEveryFault(t *testing.T) {
	t.Parallel()
	var operations []string
	servers := map[wolkvoxtest.Fault]*wolkvoxtest.Server{}
	for _, fault := range wolkvoxtest.AllFaults() {
		server := wolkvoxtest.NewServer(wolkvoxtest.Config{
			Limits: wolkvoxtest.Limits{RequestsPerDay: -1}, HugeBody: 1 << 20, LongValue: 1 << 20, DeepRow: 1 << 10, SlowBody: time.Minute,
		})
		defer server.Close()
		server.Add(endingSoon(0, 10, time.Now().Add(-time.Minute), time.Second)...)
		server.FailAlways(fault)
		servers[fault] = server
		operations = append(operations, operation(fault.String(), server))
	}
	c := newProgram(t, operations...)
	c.args = append(c.args, "--wolkvox.timeout=50s")
	e := c.start(t)
	eventually(t, "a request in each mode", func() bool {
		for _, server := range servers {
			if countAPIRequests(server) == 0 {
				return false
			}
		}
		return true
	})
	wantEndInTime(t, e)
}

// wantEndInTime stops the program and checks that it ends within five seconds.
func wantEndInTime(t *testing.T, e *exporter) {
	t.Helper()
	began := time.Now()
	if status := e.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("have exit status %d, want 0\n%s", status, e.logged())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("have waited %s for its end, want 5 s at most", took)
	}
}

// If a proxy refuses, the log and check name the proxy and its status, and quote nothing
// from its response.
func TestServe_NamesRefusingProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Proxy-Authenticate", `Basic realm="`+secretName+`"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		_, _ = fmt.Fprintf(w, "<h1>%s</h1>", secrets)
	}))
	defer proxy.Close()
	for _, scheme := range []string{"http", "https"} {
		c := programWithFile{t, invocation{dir: t.TempDir(), args: []string{"--config.file=wolkvox.yml", "--poll.interval=1s", "--storage.path=", "--log.level=debug"}}}
		c.write("- name: proxied\n  url: " + scheme + "://wolkvox.invalid\n  token: " + secretToken + "\n  http_config:\n    proxy_url: " + proxy.URL + "\n")
		l := c.invocation
		l.args = append(l.args, "--web.listen-address=127.0.0.1:0")
		e := l.start(t)
		e.await("a failure", func(s samples) bool { return s.byLabel("wolkvox_api_requests_total", "result")["network"] > 0 })
		const message = `err="the connection failed (status 407): the proxy refused"`
		eventually(t, "a line about the proxy", func() bool { return strings.Contains(e.logged(), message) })
		wantEndInTime(t, e)
		if found := findSecret(e.logged()); found != "" {
			t.Errorf("%s: the log has %s", scheme, found)
		}
		l = c.invocation
		l.args = append([]string{"check"}, l.args...)
		status, stdout, stderr := l.runToEnd(t)
		if status != 1 || !strings.Contains(stdout, "(status 407)") || !strings.Contains(stdout, "proxy") || !strings.Contains(stdout, "→ set a name and a password in proxy_url") {
			t.Errorf("%s: have status %d and\n%s", scheme, status, stdout)
		}
		if found := findSecret(stdout + stderr); found != "" {
			t.Errorf("%s: check prints %s", scheme, found)
		}
	}
}

func TestServe_SendsUserAgent(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	var mu sync.Mutex
	agents := map[string]bool{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		agents[r.UserAgent()] = true
		mu.Unlock()
		server.Handler().ServeHTTP(w, r)
	}))
	defer front.Close()
	l := invocation{
		args: []string{"--wolkvox.url=" + front.URL, "--web.listen-address=127.0.0.1:0", "--storage.path="},
		env:  []string{"WOLKVOX_TOKEN=" + testToken},
	}
	l.start(t).await("the first requests", hasTokenInfo)
	runCheck(t, front.URL)
	mu.Lock()
	defer mu.Unlock()
	if len(agents) != 1 || !agents["wolkvox_exporter/"+testVersion] {
		t.Errorf("have %v, want wolkvox_exporter/%s", agents, testVersion)
	}
}

// The log of a net/http server quotes what a client sends.
func TestServe_LogsNothingFromClients(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	secure := httptest.NewTLSServer(nil)
	defer secure.Close()
	certificate := secure.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	pair := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})) +
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	file := writeFile(t, pair)
	config := writeFile(t, "tls_server_config:\n  cert_file: "+file+"\n  key_file: "+file+"\n")
	e := pollCommand(server, "--storage.path=", "--web.config.file="+config, "--log.level=debug").start(t)
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{secretPhone}}}
	if _, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(e.baseURL(), "http://")); err == nil {
		t.Error("have a connection with a protocol that does not exist")
	}
	eventually(t, "a line about it", func() bool { return strings.Contains(e.logged(), `kind="TLS handshake with a client"`) })
	if found := findSecret(e.logged()); found != "" {
		t.Errorf("the log has %s", found)
	}
}

// Each command sets up its logger first. Backfill uses another one, because of its
// progress bar.
func TestRun_CapturesStandardLogger(t *testing.T) {
	defer stdlog.SetOutput(os.Stderr)
	defer stdlog.SetFlags(stdlog.LstdFlags)
	t.Setenv("WOLKVOX_TOKEN", testToken)
	_, refusing := newRefusedPort(t)
	for _, command := range [][]string{{"check"}, {"backfill", "--from=2026-01-01", "--to=2026-01-02"}} {
		stdlog.SetOutput(os.Stderr)
		var stdout, stderr bytes.Buffer
		status := cli.Run(append(command, "--wolkvox.url=http://"+refusing, "--wolkvox.timeout=1s", "--poll.interval=1s", "--log.level=debug", "--log.format=json"), &stdout, &stderr)
		if status != 1 {
			t.Errorf("%s: have exit status %d\n%s", command[0], status, stderr.String())
		}
		stderr.Reset()
		stdlog.Print(secrets)
		if text := stderr.String(); !strings.Contains(text, `"kind":"other"`) || findSecret(text) != "" {
			t.Errorf("%s: have %q", command[0], text)
		}
	}
}
