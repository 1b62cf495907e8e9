package test

import (
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// programWithFile is a program with a configuration file in its folder.
type programWithFile struct {
	*testing.T
	invocation
}

func newProgram(t *testing.T, operations ...string) programWithFile {
	t.Helper()
	c := programWithFile{t, invocation{dir: t.TempDir(), args: []string{
		"--config.file=wolkvox.yml", "--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle", "--poll.interval=1s", "--collector.zero-hold=0s",
	}}}
	c.write(operations...)
	return c
}

// write replaces the configuration file by one with these operations.
func (c programWithFile) write(operations ...string) {
	c.Helper()
	text := "operations:\n" + strings.Join(operations, "")
	if err := os.WriteFile(filepath.Join(c.dir, "wolkvox.yml"), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
}

// operation returns an operation's block of the configuration file. Lines in more are appended.
func operation(name string, server *wolkvoxtest.Server, more ...string) string {
	lines := append([]string{"- name: " + name, "  url: " + server.URL(), "  token: token-of-" + name}, more...)
	return strings.Join(lines, "\n") + "\n"
}

// reload requests a reload over HTTP.
func (e *exporter) reload() (status int, body string) {
	e.t.Helper()
	response, err := client.Post(e.baseURL()+"/-/reload", "", nil)
	if err != nil {
		e.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func newServer(t *testing.T) *wolkvoxtest.Server {
	t.Helper()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	t.Cleanup(server.Close)
	return server
}

func isUp(operation string) func(samples) bool {
	return func(s samples) bool { return s[`wolkvox_up{operation="`+operation+`"}`] == 1 }
}

func TestServe_IsolatesHangingAndRefusedOperations(t *testing.T) {
	t.Parallel()
	good, hanging, refusing := newServer(t), newServer(t), newServer(t)
	hanging.FailAlways(wolkvoxtest.Hang)
	refusing.SetToken("another")
	e := newProgram(t, operation("good", good), operation("hanging", hanging), operation("refusing", refusing, "  poll: {interval: 2s}")).start(t)
	e.await("polls of the good one and a refused token", func(s samples) bool {
		return isUp("good")(s) && s.byLabel("wolkvox_api_requests_total", "result")["token_rejected"] > 0
	})
	before := len(good.Requests())
	eventually(t, "more polls of the good one", func() bool { return len(good.Requests()) > before+2 })
	have := e.scrape()
	if isUp("hanging")(have) || isUp("refusing")(have) || e.status("/-/ready") != 503 {
		t.Errorf("have up %v and ready %d, want neither of the others up, and 503", have.of("wolkvox_up"), e.status("/-/ready"))
	}
}

func TestServe_QueuesRequestsOfSharedToken(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Limits:  wolkvoxtest.Limits{RequestsPerDay: -1},
		Latency: func(int) time.Duration { return 300 * time.Millisecond },
	})
	t.Cleanup(server.Close)
	names := []string{"a", "b", "c", "d"}
	var file []string
	for _, name := range names {
		// Four requests of 300 ms are more than fit in a second.
		file = append(file, strings.ReplaceAll(operation(name, server), "token-of-"+name, "shared"))
	}
	e := newProgram(t, file...).start(t)
	have := e.await("some polls of each", func(s samples) bool {
		for _, name := range names {
			if s[`wolkvox_api_requests_total{api="chat_8",operation="`+name+`",result="empty"}`] < 6 {
				return false
			}
		}
		return true
	})
	requests := have.byLabel("wolkvox_api_requests_total", "operation")
	if most, fewest := slices.Max(slices.Collect(maps.Values(requests))), slices.Min(slices.Collect(maps.Values(requests))); most > 2*fewest {
		t.Errorf("have requests %v, want as many of each", requests)
	}
	if busy := have.byLabel("wolkvox_api_requests_total", "result")["token_busy"]; busy != 0 || server.MaxInFlight() != 1 {
		t.Errorf("have %v requests that met another, and %d at once, want none and 1", busy, server.MaxInFlight())
	}
}

func TestReload_AddsRemovesAndChangesOperations(t *testing.T) {
	t.Parallel()
	first, second := newServer(t), newServer(t)
	program := newProgram(t, operation("first", first))
	e := program.start(t)
	e.await("a first poll", isUp("first"))

	program.write(operation("first", first), operation("second", second))
	if status, body := e.reload(); status != 200 {
		t.Fatalf("have status %d: %s", status, body)
	}
	e.await("a poll of the second", isUp("second"))

	program.write(operation("second", second, "  time_zone: Nowhere"), operation("third", second))
	if status, body := e.reload(); status != 500 || !strings.Contains(body, `wolkvox.yml:5: operations[0].time_zone "Nowhere"`) {
		t.Errorf("a bad file: have status %d and %q", status, body)
	}
	have := e.scrape()
	if have.sum("wolkvox_exporter_config_last_reload_successful") != 0 || !isUp("first")(have) || !isUp("second")(have) || len(have.of("wolkvox_up")) != 2 {
		t.Errorf("after a bad file: have %v, want the two of before, and that the file failed", have.of("wolkvox_up"))
	}

	since := len(second.Requests())
	program.write(operation("second", second, "  poll: {interval: 1h}"))
	if err := e.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	have = e.await("the first's end", func(s samples) bool {
		return len(s.of("wolkvox_up")) == 1 && isUp("second")(s) && s.sum("wolkvox_exporter_config_last_reload_successful") == 1
	})
	if len(second.Requests()) == since {
		t.Error("have no poll of the one that changed")
	}
	if have.outcomes()["seeded"] != 0 {
		t.Errorf("have outcomes %v", have.outcomes())
	}
	for _, name := range []string{"first.state", "second.state"} {
		if _, err := os.Stat(filepath.Join(program.dir, "data", name)); err != nil {
			t.Errorf("the state of an operation is gone: %v", err)
		}
	}
	if status := e.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("have exit status %d, want 0", status)
	}
}

func TestServe_NamesRoutingPointsFromFile(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		RoutingPoints: []wolkvoxtest.RoutingPoint{{ID: "1101", Name: "Ventas"}, {ID: "1102", Name: "Soporte"}},
	})
	defer server.Close()
	server.Add(endingSoon(0, 10, time.Now().Add(-time.Minute), time.Second)...)
	e := newProgram(t, operation("sales", server, "  routing_points: {1102: Support, 1103: Claims}")).start(t)
	// A scrape reads the names before it reads what hasTokenInfo checks.
	e.await("names", hasTokenInfo)
	have := e.await("the scrape after that", hasTokenInfo).byLabel("wolkvox_routing_point_info", "rp_name")
	if want := map[string]float64{"Ventas": 1, "Support": 1, "Claims": 1}; !maps.Equal(have, want) {
		t.Errorf("have the names %v, want %v", have, want)
	}
}

func TestReload_ResumesReaddedOperation(t *testing.T) {
	t.Parallel()
	server, other := newServer(t), newServer(t)
	program := newProgram(t, operation("stays", other), operation("goes", server))
	e := program.start(t)
	e.await("first polls", allHaveTokenInfo(2)) // Chats that are added before the end of the seed are only remembered.
	server.Add(endingSoon(0, 20, time.Now(), time.Second)...)
	counted := e.await("chats", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") == 20 })
	program.write(operation("stays", other))
	if status, body := e.reload(); status != 200 {
		t.Fatalf("have status %d: %s", status, body)
	}
	e.await("its series' end", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") == 0 })
	program.write(operation("stays", other), operation("goes", server))
	if status, body := e.reload(); status != 200 {
		t.Fatalf("have status %d: %s", status, body)
	}
	have := e.await("its return", isUp("goes"))
	if diff := differences(have.chats(), counted.chats()); diff != "" {
		t.Errorf("the chats are not those of before:\n%s", diff)
	}
}

// A browser sends the request for a page of any site, with the stored password.
func TestReload_RefusesOtherSites(t *testing.T) {
	t.Parallel()
	e := newProgram(t, operation("one", newServer(t))).start(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.baseURL()+"/-/reload", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusForbidden || strings.Contains(e.logged(), "configuration reloaded") {
		t.Errorf("have status %d, want 403 and nothing reloaded:\n%s", response.StatusCode, e.logged())
	}
	if status, body := e.reload(); status != http.StatusOK {
		t.Errorf("no page: have status %d: %s", status, body)
	}
}

func TestReload_OverHTTPIsOffByDefault(t *testing.T) {
	t.Parallel()
	e := pollCommand(newServer(t), "--storage.path=").start(t)
	if status, _ := e.reload(); status != 403 {
		t.Errorf("have status %d, want 403", status)
	}
	// SIGHUP must not end the program, either.
	if err := e.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	e.await("a poll", up)
	eventually(t, "a line in the log", func() bool { return strings.Contains(e.logged(), "configuration reloaded") })
}

func TestServe_UsesBucketsOfFile(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	program := newProgram(t, operation("one", server, "  buckets: {speed_of_answer_seconds: [42, 4200]}"), "buckets: {messages: [3, 7], characters: [5]}\n")
	e := program.start(t)
	e.await("a first poll", up)
	server.Add(endingSoon(0, 20, time.Now(), time.Second)...)
	have := e.await("chats", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") == 20 })
	for name, want := range map[string]string{
		"wolkvox_chat_speed_of_answer_seconds_bucket": "+Inf 20 30 42 4200 60",
		"wolkvox_chat_messages_bucket":                "+Inf 3 7",
		"wolkvox_chat_characters_bucket":              "+Inf 5",
	} {
		if bounds := strings.Join(slices.Sorted(maps.Keys(have.byLabel(name, "le"))), " "); bounds != want {
			t.Errorf("%s: have bounds %q, want %q", name, bounds, want)
		}
	}

	answered := have.sum("wolkvox_chat_speed_of_answer_seconds_count")
	program.write(operation("one", server))
	if status, body := e.reload(); status != 200 {
		t.Fatalf("have status %d: %s", status, body)
	}
	have = e.await("the built-in ones", func(s samples) bool { return len(s.byLabel("wolkvox_chat_speed_of_answer_seconds_bucket", "le")) == 14 })
	if again := have.sum("wolkvox_chat_speed_of_answer_seconds_count"); again != answered {
		t.Errorf("have %v answers after %v with other buckets", again, answered)
	}
}

func TestDocs_ExampleConfigurationIsValid(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("docs/wolkvox.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sales.token": "t", "collections.token": "t",
		"wolkvox.yml": strings.ReplaceAll(string(example), "ca_file: proxy-ca.pem", "server_name: proxy"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// The program sends no request before it listens, and here it never listens.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	status, _, stderr := invocation{dir: dir, args: []string{"--config.file=wolkvox.yml", "--web.listen-address=" + taken.Addr().String()}}.runToEnd(t)
	if status != 1 || strings.Count(stderr, "msg=starting") != 3 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("have status %d and\n%s\nwant three operations, and only an address that is taken", status, stderr)
	}
}
