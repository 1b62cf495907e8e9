package test

import (
	"fmt"
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

// newTwelveOperations returns a program with 12 operations, each on its own server. The
// program has run once, so that each operation has a saved state.
func newTwelveOperations(t *testing.T) (program programWithFile, servers []*wolkvoxtest.Server) {
	t.Helper()
	zone := noonZone()
	var operations []string
	for i := range 12 {
		server := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: loadZone(t, zone)})
		t.Cleanup(server.Close)
		server.Add(endingSoon(100*i, 10, time.Now().Add(-2*time.Minute), time.Second)...)
		servers = append(servers, server)
		operations = append(operations, operation(fmt.Sprintf("wv%04d", i+1), server, "  time_zone: "+zone))
	}
	program = newProgram(t, operations...)
	program.args = append(program.args, "--poll.interval=1h", "--storage.path=data")
	program.args = slices.DeleteFunc(program.args, func(arg string) bool { return arg == "--poll.interval=1s" })
	e := program.start(t)
	e.await("a state of each operation", func(s samples) bool { return s.sum("wolkvox_up") == 12 && len(s.of("wolkvox_up")) == 12 })
	e.stop(syscall.SIGTERM)
	return program, servers
}

func (c programWithFile) checkWith(args ...string) invocation {
	return invocation{dir: c.dir, args: append([]string{"check", "--config.file=wolkvox.yml", "--storage.path=data"}, args...)}
}

// corrupt changes a byte of a saved state.
func (c programWithFile) corrupt(operation string) {
	c.Helper()
	path := filepath.Join(c.dir, "data", operation+".state")
	state, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, flipByte(state, len(state)/2), 0o600)
	}
	if err != nil {
		c.Fatal(err)
	}
}

func TestCheck_OfTwelveOperationsEndsInWhatFailedWhere(t *testing.T) {
	t.Parallel()
	program, servers := newTwelveOperations(t)
	status, stdout, stderr := program.checkWith().runToEnd(t)
	if status != 0 || stderr != "" || strings.Count(stdout, "\n! wv00") != 12 || !strings.HasSuffix(stdout, "\n✓ no problems found, 12 warnings\n") {
		t.Errorf("have status %d, %q on stderr and\n%s\nwant all to be well", status, stderr, stdout)
	}

	program.corrupt("wv0004")
	servers[8].SetToken("another")
	before := readDir(t, filepath.Join(program.dir, "data"))
	status, stdout, stderr = program.checkWith().runToEnd(t)
	for _, want := range []string{
		"\n! wv0001  10 checks passed, 1 warning\n  ! tls            none: the URL is http",
		"\n\nwv0004\n  ✓ configuration ", "\n\nwv0009\n  ✓ configuration ",
		"\nProblems\n" +
			`  ✗ wv0004  state          "data/wv0004.state" cannot be loaded: the state file is cut or corrupt` + "\n" +
			"                           → ",
		"\n  ✗ wv0009  token          the API refuses the token: it is wrong, expired or of another operation (status 403)\n" +
			"                           → check that token and server belong to the same operation; if they do, create a new token in the Manager\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("have no %q", want)
		}
	}
	if status != 1 || stderr != "" || !strings.HasSuffix(stdout, "\n\n✗ 2 problems found in 2 of 12 operations\n") {
		t.Errorf("have status %d, %q on stderr", status, stderr)
	}
	if strings.Count(stdout, "every field of 10 rows can be read") != 1 { // that of wv0004, whose state alone is bad
		t.Error("have lines of operations that are well")
	}
	if t.Failed() {
		t.Logf("have\n%s", stdout)
	}
	for name, content := range readDir(t, filepath.Join(program.dir, "data")) {
		if before[name] != content {
			t.Errorf("%s has changed", name)
		}
	}

	_, stdout, _ = program.checkWith("--verbose").runToEnd(t)
	if n := strings.Count(stdout, "every field of 10 rows can be read"); n != 11 || !strings.Contains(stdout, "\nProblems\n") {
		t.Errorf("have %d operations in full and\n%s\nwant every line and what failed", n, stdout)
	}
	if _, short, _ := program.checkWith("-v").runToEnd(t); strings.Count(short, "\n") != strings.Count(stdout, "\n") {
		t.Errorf("have another output with -v than with --verbose:\n%s", short)
	}
}

func TestCheck_ProbesChosenOperationsOnly(t *testing.T) {
	t.Parallel()
	one, two, three := newServer(t), newServer(t), newServer(t)
	program := newProgram(t, operation("one", one), operation("two", two), operation("three", three))
	have := program.checkWith("--json", "--operation=three", "--operation=one").check(t)
	have.wantFinding(check.Configuration, check.OK, `2 of 3 operations, by "wolkvox.yml"`)
	if len(have.Operations) != 2 || have.Operations[0].Operation != "one" || have.Operations[1].Operation != "three" || countAPIRequests(two) != 0 {
		t.Errorf("have %+v and %d requests to the other operation", have.Operations, countAPIRequests(two))
	}
	if _, stdout, _ := program.checkWith("--operation=one").runToEnd(t); !strings.Contains(stdout, "\n\none\n  ✓ configuration ") {
		t.Errorf("have\n%s\nwant a single operation in full", stdout)
	}
	have = program.checkWith("--json", "--operation=one", "--operation=four", "--operation=five").check(t)
	have.wantFinding(check.Configuration, check.Failed, `--operation="four": no operation has this name (names: "one", "two", "three")`)
	if len(have.Operations) != 0 || len(have.Findings) != 3 {
		t.Errorf("have %+v, want two mistakes and no operation looked at", have.Result)
	}
}

func TestCheck_CountsEachMistakeOfTheConfiguration(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operation("one", newServer(t), "  time_zone: 5", "  colour: red", "  poll: {interval: never}"))
	status, stdout, _ := program.checkWith().runToEnd(t)
	if status != 1 || strings.Count(stdout, "  ✗ configuration  wolkvox.yml:") != 2 || !strings.HasSuffix(stdout, "\n\n✗ 2 problems found\n") {
		t.Errorf("have status %d and\n%s\nwant 2 problems", status, stdout)
	}
	l := invocation{args: []string{"check", "--wolkvox.server=x", "--wolkvox.token-file=missing", "--wolkvox.timezone=Nowhere", "--web.config.file=none.yml"}}
	if status, stdout, _ := l.runToEnd(t); status != 1 || strings.Count(stdout, "  ✗ configuration ") != 3 || !strings.HasSuffix(stdout, "\n\n✗ 3 problems found\n") {
		t.Errorf("have status %d and\n%s\nwant 3 problems: server, time zone and web configuration", status, stdout)
	}
}

func TestCheck_UnreadableFileOfAnOperationIsItsOwnProblem(t *testing.T) {
	t.Parallel()
	good := newServer(t)
	bad := "- name: bad\n  url: http://127.0.0.1:1\n  token_file: missing\n"
	program := newProgram(t, bad, operation("good", good, "  buckets: {speed_of_answer_seconds: [10, 20, 80, 300]}"))
	have := program.checkWith("--json").check(t)
	if have.OK || len(have.Operations) != 2 || !check.Passed(have.Findings) || !have.Operations[1].OK {
		t.Fatalf("have %+v, want one operation that is bad", have.Result)
	}
	f := have.Operations[0].Findings[0]
	if f.ID != check.Configuration || f.Status != check.Failed || !strings.Contains(f.Text, `operations[0].token_file: reading the token file "missing"`) || len(have.Operations[0].Findings) != 11 {
		t.Errorf("have %+v, want a failure of its configuration", have.Operations[0])
	}
	if text := have.Operations[1].Findings[0].Text; !strings.HasSuffix(text, "; bounds that the exporter adds to speed_of_answer_seconds for the rules: 30, 60") {
		t.Errorf("have %q, want the bounds that are added", text)
	}
}

func TestCheck_FailsWhereServeWouldNotLoadTheState(t *testing.T) {
	t.Parallel()
	program, server := newWithState(t)
	e := program.start(t)
	e.await("a first poll", hasTokenInfo)
	path := filepath.Join(program.dir, "state", "wv0042.state")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	l := invocation{
		dir: program.dir, env: []string{"WOLKVOX_TOKEN=" + testToken},
		args: []string{"check", "--json", "--wolkvox.url=" + server.URL(), "--wolkvox.server=0042", "--storage.path=state"},
	}
	stateOf := func() check.Finding { return l.check(t).Operations[0].Findings[1] }
	if have := stateOf(); have.ID != check.State || have.Status != check.OK || !strings.Contains(have.Text, "can be loaded") {
		t.Errorf("beside a running exporter: have %+v", have)
	}
	e.stop(syscall.SIGTERM)
	for name, test := range map[string]struct {
		content []byte
		text    string
	}{
		"corrupt": {flipByte(good, len(good)/2), "the state file is cut or corrupt"},
		"foreign": {[]byte("# a shopping list\n"), "not a state file"},
		"newer":   {asNewerVersion(good), "newer"},
	} {
		if err := os.WriteFile(path, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if have := stateOf(); have.Status != check.Failed || !strings.Contains(have.Text, test.text) || have.Advice == "" {
			t.Errorf("%s: have %+v, want a failure: %s", name, have, test.text)
		}
	}
	if err := os.Rename(path, path+".previous"); err != nil {
		t.Fatal(err)
	}
	if have := stateOf(); have.Status != check.Failed || !strings.Contains(have.Text, "missing, but its previous generation is there") {
		t.Errorf("left-over previous generation: have %+v", have)
	}
}
