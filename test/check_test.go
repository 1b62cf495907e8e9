package test

import (
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/check"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// checkRun is the result of a check.
type checkRun struct {
	*testing.T
	status int
	check.Result
}

// runCheck runs a check of an operation, with --json.
func runCheck(t *testing.T, url string, args ...string) checkRun {
	t.Helper()
	return invocation{
		args: append([]string{"check", "--json", "--wolkvox.url=" + url}, args...),
		env:  []string{"WOLKVOX_TOKEN=" + testToken},
	}.check(t)
}

func (l invocation) check(t *testing.T) checkRun {
	t.Helper()
	have := checkRun{T: t}
	status, stdout, stderr := l.runToEnd(t)
	have.status = status
	if err := json.Unmarshal([]byte(stdout), &have.Result); err != nil || stderr != "" {
		t.Fatalf("have %q (%v) and on stderr %q", stdout, err, stderr)
	}
	if want := map[bool]int{true: 0, false: 1}[have.OK]; status != want {
		t.Errorf("have exit status %d, want %d", status, want)
	}
	return have
}

// finding returns the finding of the program, or of the first operation that has it.
func (c checkRun) finding(id check.ID) check.Finding {
	c.Helper()
	all := slices.Clone(c.Findings)
	for _, operation := range c.Operations {
		all = append(all, operation.Findings[1:]...)
	}
	at := slices.IndexFunc(all, func(f check.Finding) bool { return f.ID == id })
	if at < 0 {
		c.Fatalf("have no finding %s in %+v", id, c.Result)
	}
	return all[at]
}

// wantFinding checks one finding. If that is a failure, the check must have failed, too.
func (c checkRun) wantFinding(id check.ID, status check.Status, text string) {
	c.Helper()
	if have := c.finding(id); have.Status != status || !strings.Contains(have.Text, text) {
		c.Errorf("have %+v, want %s %s: %s", have, id, status, text)
	}
	if status == check.Failed && c.OK {
		c.Errorf("have no failure of the check, want one for %s", id)
	}
}

// countAPIRequests counts the requests of a check, without those that follow a redirect.
func countAPIRequests(server *wolkvoxtest.Server) int {
	requests := slices.DeleteFunc(server.Requests(), func(r wolkvoxtest.Request) bool { return !strings.HasPrefix(r.Path, "/api/v2/") })
	return len(requests)
}

func TestCheck_PassesForHealthyOperation(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: loadZone(t, zone)})
	defer server.Close()
	server.Add(endingSoon(0, 10, time.Now().Add(-2*time.Minute), time.Second)...)
	l := invocation{
		dir: t.TempDir(), args: []string{"check", "--json", "--wolkvox.url=" + server.URL(), "--wolkvox.timezone=" + zone}, env: []string{"WOLKVOX_TOKEN=" + testToken},
	}
	have := l.check(t)
	have.wantFinding(check.Configuration, check.OK, "1 operation, by the flags and the environment")
	have.wantFinding(check.State, check.OK, `the folder "data" does not exist yet`)
	have.wantFinding(check.Name, check.OK, "127.0.0.1 is an IP address")
	have.wantFinding(check.Connection, check.OK, "TCP to 127.0.0.1:")
	have.wantFinding(check.TLS, check.Warning, "the URL is http")
	have.wantFinding(check.Clock, check.OK, "")
	have.wantFinding(check.Token, check.OK, "accepted")
	have.wantFinding(check.Quota, check.OK, "998 of today's 1000 requests are left; the exporter makes 366 in a day")
	have.wantFinding(check.Report, check.OK, "10 rows in the last hour")
	have.wantFinding(check.TimeZone, check.OK, "by the clock of "+zone)
	have.wantFinding(check.Fields, check.OK, "every field of 10 rows can be read")
	if n := countAPIRequests(server); !have.OK || n > check.MaxRequests {
		t.Errorf("have ok %v and %d requests, want no failure and %d at most", have.OK, n, check.MaxRequests)
	}
	wantEmptyDir(t, l.dir)
}

func TestCheck_PrintsListForPeople(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	server.FailAlways(wolkvoxtest.TokenRejected)
	l := invocation{args: []string{"check", "--wolkvox.url=" + server.URL(), "--wolkvox.server=0042"}, env: []string{"WOLKVOX_TOKEN=" + testToken}}
	status, stdout, stderr := l.runToEnd(t)
	for _, want := range []string{
		"wolkvox_exporter " + testVersion + ", revision " + testRevision + "\n",
		"\nwv0042\n  ✓ configuration  http://127.0.0.1:",
		"  ✗ token          the API refuses the token: it is wrong, expired or of another operation (status 403)\n                   → check that token and server",
		"  – report         skipped: the API refused the request\n",
		"\n✗ 1 problem found\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("have:\n%s\nwant %q", stdout, want)
		}
	}
	if status != 1 || stderr != "" || strings.Contains(stdout, "\x1b") {
		t.Errorf("have status %d, %q on stderr and colours %v, want 1, nothing and none", status, stderr, strings.Contains(stdout, "\x1b"))
	}
}

func TestCheck_ReportsWhyConnectionFails(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	runCheck(t, "http://"+closed.Addr().String()).wantFinding(check.Connection, check.Failed, "refuses the connection")
	unknown := runCheck(t, "https://wv0042.invalid", "--wolkvox.timeout=20s")
	unknown.wantFinding(check.Name, check.Failed, "wv0042.invalid ")
	unknown.wantFinding(check.Token, check.Skipped, "no connection")
}

// newTLSServer serves over TLS. The file ca has the only certificate that verifies it.
func newTLSServer(t *testing.T, server *wolkvoxtest.Server) (url, ca string) {
	t.Helper()
	secured := httptest.NewUnstartedServer(server.Handler())
	secured.Config.ErrorLog = log.New(io.Discard, "", 0)
	secured.StartTLS()
	t.Cleanup(secured.Close)
	return secured.URL, writeFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secured.Certificate().Raw})))
}

func TestCheck_UsesHTTPConfig(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	url, ca := newTLSServer(t, server)
	runCheck(t, url).wantFinding(check.TLS, check.Failed, "an authority that is not trusted")

	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Only the proxy can resolve the operation's host.
		server.Handler().ServeHTTP(w, r)
	}))
	defer proxy.Close()
	name := func(name, url string) string {
		return "- name: " + name + "\n  url: " + url + "\n  token: token-of-" + name + "\n"
	}
	program := newProgram(t,
		name("trusted", url)+"  http_config: {tls_config: {ca_file: "+ca+"}}\n",
		name("proxied", "http://wv0042.invalid")+"  http_config: {proxy_url: '"+proxy.URL+"'}\n",
		name("plain", server.URL()),
	)
	program.args = []string{"check", "--json", "--config.file=wolkvox.yml"}
	have := program.check(t)
	have.wantFinding(check.Configuration, check.OK, `3 operations, by "wolkvox.yml"`)
	for i, want := range []struct {
		name string
		id   check.ID
		text string
	}{
		{"trusted", check.TLS, "TLS 1.3, certificate valid until "},
		{"proxied", check.Name, " resolves wv0042.invalid"},
		{"plain", check.Token, "accepted"},
	} {
		operation := have.Operations[i]
		one := checkRun{T: t, Result: check.Result{OK: operation.OK, Operations: []check.OperationResult{operation}}}
		if one.finding(want.id); operation.Operation != want.name || !operation.OK || !strings.Contains(one.finding(want.id).Text, want.text) {
			t.Errorf("have %+v, want %s to be well, and %s: %s", operation, want.name, want.id, want.text)
		}
	}
	if !have.OK || len(have.Operations) != 3 {
		t.Errorf("have ok %v and %d operations, want 3 that are well", have.OK, len(have.Operations))
	}
}

func TestCheck_ReportsEachOperation(t *testing.T) {
	t.Parallel()
	good, hanging, refusing := newServer(t), newServer(t), newServer(t)
	hanging.FailAlways(wolkvoxtest.Hang)
	refusing.SetToken("another")
	program := newProgram(t, operation("hanging", hanging, "  timeout: 1s"), operation("refusing", refusing), operation("good", good))
	program.args = []string{"check", "--json", "--config.file=wolkvox.yml"}
	have := program.check(t)
	var names []string
	for _, operation := range have.Operations {
		names = append(names, operation.Operation)
		if operation.OK != (operation.Operation == "good") {
			t.Errorf("have %+v", operation)
		}
	}
	if want := []string{"hanging", "refusing", "good"}; have.OK || !slices.Equal(names, want) {
		t.Errorf("have ok %v and %v, want a failure and %v", have.OK, names, want)
	}
}

func TestCheck_ReportsInvalidConfiguration(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operation("one", newServer(t), "  time_zone: Nowhere", "  colour: red"))
	program.args = []string{"check", "--json", "--config.file=wolkvox.yml"}
	have := program.check(t)
	have.wantFinding(check.Configuration, check.Failed, "wolkvox.yml:6: operations[0].colour: ")
	if len(have.Operations) != 0 {
		t.Errorf("have %+v, want no operation looked at", have.Operations)
	}
	invocation{args: []string{"check", "--json"}}.check(t).wantFinding(check.Configuration, check.Failed, "set --wolkvox.server")
	runCheck(t, "http://127.0.0.1:1", "--web.config.file=missing.yml").wantFinding(check.Configuration, check.Failed, "missing.yml")
}

func TestCheck_ReportsWrongTimeZone(t *testing.T) {
	t.Parallel()
	configured := noonZone()
	now := time.Now()
	_, east := now.In(loadZone(t, configured)).Zone()
	for _, test := range []struct {
		wrong  time.Duration // how far the operation's clock is ahead
		status check.Status
		text   string
	}{
		{0, check.OK, "the newest chat ended 2m ago"},
		{2 * time.Hour, check.Failed, "the newest chat ended 1h58m ahead"},
		{-time.Hour, check.Warning, "the newest chat ended 1h2m ago"},
	} {
		place := time.FixedZone("", east+int(test.wrong/time.Second))
		server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: place})
		defer server.Close()
		server.Add(endingSoon(0, 200, now.Add(-24*time.Hour), 24*time.Hour-2*time.Minute)...)
		server.Add(endingSoon(200, 1, now.Add(-2*time.Minute), 0)...)
		have := runCheck(t, server.URL(), "--wolkvox.timezone="+configured)
		have.wantFinding(check.TimeZone, test.status, test.text)
		fits := "UTC" + now.In(place).Format("-07:00") + " fits"
		if finding := have.finding(check.TimeZone); strings.Contains(finding.Advice, fits) != (test.wrong != 0) || have.OK != (test.status != check.Failed) {
			t.Errorf("%s ahead: have %+v and ok %v, want %q", test.wrong, finding, have.OK, fits)
		}
		if n := countAPIRequests(server); n > check.MaxRequests {
			t.Errorf("%s ahead: have %d requests", test.wrong, n)
		}
	}
}

func TestCheck_PassesWithoutChats(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	have := runCheck(t, server.URL())
	have.wantFinding(check.Report, check.Warning, "no chat in the last hour")
	have.wantFinding(check.TimeZone, check.Skipped, "")
	have.wantFinding(check.Fields, check.Skipped, "")
	if n := countAPIRequests(server); !have.OK || n > check.MaxRequests {
		t.Errorf("have ok %v and %d requests", have.OK, n)
	}
}

func TestCheck_LeavesStateUnchanged(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	e := pollCommand(server, "--storage.path=state").start(t)
	e.await("a first poll", hasTokenInfo)
	folder := filepath.Join(e.dir, "state")
	before := listDir(t, folder)
	l := invocation{dir: e.dir, args: []string{"check", "--json", "--wolkvox.url=" + server.URL(), "--storage.path=state"}, env: []string{"WOLKVOX_TOKEN=" + testToken}}
	have := l.check(t)
	have.wantFinding(check.State, check.Warning, `a running wolkvox_exporter uses the folder "state"`)
	if !have.OK {
		t.Errorf("have %+v, want no failure", have.Result)
	}
	if after := listDir(t, folder); !slices.Equal(after, before) {
		t.Errorf("have %v, want %v as before", after, before)
	}

	e.kill()
	before = listDir(t, folder)
	l.check(t).wantFinding(check.State, check.OK, `the folder "state" can be written to`)
	if after := listDir(t, folder); !slices.Equal(after, before) {
		t.Errorf("have %v, want %v as before", after, before)
	}
	if err := os.WriteFile(filepath.Join(e.dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.args[3] = "--storage.path=file"
	l.check(t).wantFinding(check.State, check.Failed, `"file" is a file`)
	l.args[3] = "--storage.path="
	l.check(t).wantFinding(check.State, check.Warning, "in memory only")
}

// listDir returns the names, sizes and times of a folder's files.
func listDir(t *testing.T, dir string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, info.Name()+" "+info.ModTime().String())
	}
	return files
}

func TestCheck_EndsWhenInterrupted(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.FailAlways(wolkvoxtest.Hang)
	e := invocation{args: []string{"check", "--wolkvox.url=" + server.URL()}, env: []string{"WOLKVOX_TOKEN=" + testToken}}.run(t)
	eventually(t, "a request", func() bool { return len(server.Requests()) == 1 })
	if status := e.stop(syscall.SIGINT); status != 1 {
		t.Errorf("have exit status %d, want 1", status)
	}
}
