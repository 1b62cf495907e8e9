package test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// badOperations are the reasons for which an operation is not loaded. damage damages the
// files of a good one.
var badOperations = []struct {
	reason, says string
	damage       func(state, token string) error
}{
	{"state_corrupt", "corrupt", func(state, _ string) error {
		return rewrite(state, func(b []byte) []byte { return flipByte(b, len(b)/2) })
	}},
	{"state_newer", "newer", func(state, _ string) error { return rewrite(state, asNewerVersion) }},
	{"state_foreign", "not a state file", func(state, _ string) error {
		return os.WriteFile(state, []byte("# a shopping list\n"), 0o600)
	}},
	{"state_missing", "missing", func(state, _ string) error { return os.Rename(state, state+".previous") }},
	{"state_unreadable", "directory", func(state, _ string) error { return errors.Join(os.Remove(state), os.Mkdir(state, 0o700)) }},
	{"token_file", "bad.token", func(_, token string) error { return os.Remove(token) }},
}

func rewrite(path string, change func([]byte) []byte) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, change(content), 0o600)
}

// newWithBadOperation returns a program with two good operations, and a third with a saved
// state, which the test can damage.
func newWithBadOperation(t *testing.T) (program programWithFile, state, token string) {
	t.Helper()
	server := newServer(t)
	file := []string{operation("good", server), operation("fine", newServer(t))}
	program = newProgram(t, append(file, strings.Replace(operation("bad", newServer(t)), "token: token-of-bad", "token_file: bad.token", 1))...)
	state, token = filepath.Join(program.dir, "data", "bad.state"), filepath.Join(program.dir, "bad.token")
	if err := os.WriteFile(token, []byte("token-of-bad\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := program.start(t)
	e.await("first polls", allUp(3))
	e.stop(syscall.SIGTERM)
	// The test decides whether there is a previous generation.
	if err := os.RemoveAll(state + ".previous"); err != nil {
		t.Fatal(err)
	}
	return program, state, token
}

func allUp(n int) func(samples) bool {
	return func(s samples) bool { return s.sum("wolkvox_up") == float64(n) && len(s.of("wolkvox_up")) == n }
}

// allHaveTokenInfo is hasTokenInfo for n operations.
func allHaveTokenInfo(n int) func(samples) bool {
	return func(s samples) bool { return allUp(n)(s) && len(s.of("wolkvox_api_token_requests_used")) == n }
}

func TestStart_IsolatesOperationThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	for _, bad := range badOperations {
		t.Run(bad.reason, func(t *testing.T) {
			t.Parallel()
			program, state, token := newWithBadOperation(t)
			restore := backUp(t, state, token)
			if err := bad.damage(state, token); err != nil {
				t.Fatal(err)
			}
			e := program.start(t)
			have := e.await("the good ones", func(s samples) bool { return isUp("good")(s) && isUp("fine")(s) })
			series := fmt.Sprintf(`wolkvox_exporter_operation_not_loaded{operation="bad",reason=%q}`, bad.reason)
			if have[`wolkvox_up{operation="bad"}`] != 0 || len(have.of("wolkvox_up")) != 3 || have[series] != 1 {
				t.Errorf("have %v and %v, want bad at 0 and %s", have.of("wolkvox_up"), have.of("wolkvox_exporter_operation_not_loaded"), series)
			}
			if have.sum("wolkvox_exporter_config_last_reload_successful") != 1 {
				t.Error("have a configuration that is not in use")
			}
			if status, body, _ := e.get("/-/ready"); status != http.StatusServiceUnavailable || !strings.Contains(body, `"bad" is not ready: it is not loaded: `+bad.reason) {
				t.Errorf("have ready status %d and %q", status, body)
			}
			if _, page, _ := e.get("/"); !strings.Contains(page, "not loaded") || !strings.Contains(page, bad.reason+": ") {
				t.Errorf("have no %s on the page\n%s", bad.reason, page)
			} else if strings.Count(page, ">America/Bogota</span>") != 3 {
				t.Errorf("have not the time zone of each operation on the page\n%s", page)
			}
			// It is tried again each second.
			eventually(t, "further tries", func() bool { return strings.Count(e.logged(), "msg=polled") > 6 })
			if lines := e.linesWith("level=error"); len(lines) != 1 || !strings.Contains(lines[0], "operation=bad") ||
				!strings.Contains(lines[0], "reason="+bad.reason) || !strings.Contains(lines[0], bad.says) {
				t.Errorf("have the errors\n%s\nwant one line with the reason %s and %q", strings.Join(lines, ""), bad.reason, bad.says)
			}

			restore()
			have = e.await("all of them", allUp(3))
			if len(have.of("wolkvox_exporter_operation_not_loaded")) != 0 {
				t.Errorf("have %v after that", have.of("wolkvox_exporter_operation_not_loaded"))
			}
			if e.status("/-/ready") != http.StatusOK || len(e.linesWith(`msg="load succeeded again"`)) != 1 || len(e.linesWith("level=error")) != 1 {
				t.Errorf("have ready status %d and the log\n%s\nwant 200 and one line on its end", e.status("/-/ready"), e.logged())
			}
		})
	}
}

// backUp copies files and returns a function that restores them.
func backUp(t *testing.T, paths ...string) (restore func()) {
	t.Helper()
	contents := make([][]byte, len(paths))
	for i, path := range paths {
		var err error
		if contents[i], err = os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for i, path := range paths {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+".back", contents[i], 0o600); err != nil {
				t.Fatal(err)
			}
			mustRename(t, "", path+".back", path)
		}
	}
}

func TestReload_IsolatesOperationThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	program := newProgram(t, operation("first", server))
	e := program.start(t)
	e.await("a first poll", isUp("first"))
	bad := strings.Replace(operation("bad", server), "token: token-of-bad", "token_file: bad.token", 1)
	program.write(operation("first", server), bad, operation("second", server))
	if status, body := e.reload(); status != http.StatusOK || !strings.Contains(body, `"bad" is not ready: it is not loaded: token_file`) {
		t.Errorf("have status %d and %q, want 200 and the one that is not loaded", status, body)
	}
	have := e.await("the others", func(s samples) bool { return isUp("first")(s) && isUp("second")(s) })
	if have.sum("wolkvox_exporter_config_last_reload_successful") != 1 || have[`wolkvox_exporter_operation_not_loaded{operation="bad",reason="token_file"}`] != 1 {
		t.Errorf("have %v, want the configuration in use and bad not loaded", have.of("wolkvox_exporter_operation_not_loaded"))
	}
	if err := os.WriteFile(filepath.Join(program.dir, "bad.token"), []byte("token-of-bad"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := e.reload(); status != http.StatusOK || body != "reloaded\n" {
		t.Errorf("have status %d and %q, want all loaded", status, body)
	}
	e.await("all of them", allUp(3))

	// An operation that cannot be changed keeps its settings.
	program.write(operation("first", server, "  poll: {interval: 2s}"), strings.Replace(bad, "bad.token", "none.token", 1), operation("second", server))
	if status, body := e.reload(); status != http.StatusInternalServerError || !strings.Contains(body, `operation "bad" keeps its previous settings: `) {
		t.Errorf("have status %d and %q, want 500 and what goes on", status, body)
	}
	have = e.await("all of them", allUp(3))
	if have.sum("wolkvox_exporter_config_last_reload_successful") != 0 || len(e.linesWith(`msg="operation changed" operation=first`)) != 1 {
		t.Errorf("have the log\n%s\nwant the change of the other one, and a failed reload", e.logged())
	}
}

func TestStart_RefusesSingleOperationThatCannotBeLoaded(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{})
	t.Cleanup(server.Close)
	program := newProgram(t, strings.Replace(operation("bad", server), "token: token-of-bad", "token_file: bad.token", 1))
	status, stdout, stderr := program.runToEnd(t)
	wantOneLineError(t, status, stdout, stderr, `wolkvox.yml:4: operations[0].token_file: reading the token file "bad.token"`)
	if status != 1 {
		t.Errorf("have status %d, want 1", status)
	}

	program.write(operation("bad", server))
	if err := os.MkdirAll(filepath.Join(program.dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(program.dir, "data", "bad.state"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr = program.runToEnd(t)
	wantOneLineError(t, status, stdout, stderr, "bad.state")
	if status != 1 || len(server.Requests()) != 0 {
		t.Errorf("have status %d and %d requests, want 1 and none", status, len(server.Requests()))
	}
}

func mustRename(t testing.TB, dir, from, to string) {
	t.Helper()
	if err := os.Rename(filepath.Join(dir, from), filepath.Join(dir, to)); err != nil {
		t.Fatal(err)
	}
}
