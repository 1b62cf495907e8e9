package test

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// state runs a state command in the program's folder.
func (c programWithFile) state(arguments ...string) (status int, stdout, stderr string) {
	c.Helper()
	return invocation{dir: c.dir, args: append([]string{"state"}, arguments...)}.runToEnd(c.T)
}

func TestStateCommands_RefuseWhileTheExporterRuns(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operation("sales", newServer(t)))
	program.start(t).await("a first poll", hasTokenInfo)
	for _, command := range [][]string{{"rename", "sales", "ventas"}, {"remove", "sales"}} {
		status, stdout, stderr := program.state(command...)
		wantOneLineError(t, status, stdout, stderr, `storage folder "data" is in use by another wolkvox_exporter`)
	}
	status, stdout, stderr := program.state("list")
	if line := regexp.MustCompile(`(?m)^sales +\d+ +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +good$`); status != 0 || !line.MatchString(stdout) || stderr != "" {
		t.Errorf("have status %d, stdout %q and stderr %q, want a line of the operation", status, stdout, stderr)
	}
}

func TestStateRename_KeepsFiguresAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	server, other := newServer(t), newServer(t)
	program := newProgram(t, operation("old", server), operation("other", other))
	e := program.start(t)
	e.await("first polls", allHaveTokenInfo(2))
	server.Add(endingSoon(0, 20, time.Now(), time.Second)...)
	e.await("chats", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") == 20 })
	e.stop(syscall.SIGTERM)

	status, stdout, stderr := program.state("rename", "old", "new")
	if status != 0 || stderr != "" || stdout != `operation "new" has the state of "old" now: change its name in the configuration before the next start`+"\n" {
		t.Fatalf("have status %d, stdout %q and stderr %q", status, stdout, stderr)
	}
	var left []string
	for name := range readDir(t, filepath.Join(program.dir, "data")) {
		left = append(left, name)
	}
	slices.Sort(left)
	if want := []string{"lock", "new.state", "new.state.previous", "other.state", "other.state.previous"}; !slices.Equal(left, want) {
		t.Errorf("have %q, want %q", left, want)
	}

	renamed := strings.ReplaceAll(operation("new", server), "token-of-new", "token-of-old")
	program.write(renamed, operation("other", other), operation("old", newServer(t)))
	e = program.start(t)
	have := e.await("polls under the new name, and a first one under the old", allUp(3))
	if have.byLabel("wolkvox_chat_interactions_total", "operation")["new"] != 20 || have.byLabel("wolkvox_chat_interactions_total", "operation")["old"] != 0 {
		t.Errorf("have chats %v, want 20 of new", have.byLabel("wolkvox_chat_interactions_total", "operation"))
	}
}

func TestStateRemove_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operation("stays", newServer(t)), operation("goes", newServer(t)))
	e := program.start(t)
	e.await("first polls", allUp(2))
	e.stop(syscall.SIGTERM)
	if status, stdout, stderr := program.state("remove", "goes"); status != 0 || stdout != "removed the state of operation \"goes\"\n" || stderr != "" {
		t.Errorf("have status %d, stdout %q and stderr %q", status, stdout, stderr)
	}
	for name := range readDir(t, filepath.Join(program.dir, "data")) {
		if strings.HasPrefix(name, "goes") {
			t.Errorf("have %s left", name)
		}
	}
	_, stdout, _ := program.state("list")
	if !strings.Contains(stdout, "stays ") || strings.Contains(stdout, "goes") {
		t.Errorf("have %q, want the other one", stdout)
	}
}

func TestStateCommands_ReportInvalidArguments(t *testing.T) {
	t.Parallel()
	program, state, _ := newWithBadOperation(t)
	if err := rewrite(state, func(good []byte) []byte { return flipByte(good, len(good)/2) }); err != nil {
		t.Fatal(err)
	}
	if _, stdout, _ := program.state("list"); !regexp.MustCompile(`(?m)^bad .* state_corrupt$`).MatchString(stdout) {
		t.Errorf("have %q, want that one state is corrupt", stdout)
	}
	for _, wrong := range []struct {
		arguments []string
		says      string
	}{
		{[]string{"rename", "good", "fine"}, `operation "fine" has a saved state in "data": remove that first, or choose another name`},
		{[]string{"rename", "unknown", "new"}, `operation "unknown" has no saved state in "data"`},
		{[]string{"rename", "good", "a\x1b[31m"}, "which cannot be shown"},
		{[]string{"rename", "good", ""}, "the name is empty"},
		{[]string{"rename", "good"}, "required argument 'new'"},
		{[]string{"remove", "unknown"}, `operation "unknown" has no saved state in "data"`},
		{[]string{"remove", "--storage.path=none", "good"}, `storage folder "none" does not exist`},
		{[]string{"list", "--storage.path=none"}, "no such file or directory"},
		{[]string{"list", "--storage.path="}, "--storage.path is empty: nothing is saved"},
	} {
		before := readDir(t, filepath.Dir(state))
		status, stdout, stderr := program.state(wrong.arguments...)
		wantOneLineError(t, status, stdout, stderr, wrong.says)
		if after := readDir(t, filepath.Dir(state)); len(after) != len(before) {
			t.Errorf("%q: have other files than before", wrong.arguments)
		}
	}
	if _, err := os.Stat(filepath.Join(program.dir, "none")); err == nil {
		t.Error("have a new folder")
	}
}

func TestReload_LogsAddedRemovedAndChangedOperations(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	program := newProgram(t, operation("same", server), operation("changed", server), operation("removed", server), operation("old", server))
	e := program.start(t)
	e.await("first polls", allUp(4))
	program.write(operation("same", server), operation("changed", server, "  poll: {interval: 2s}"), operation("new", server), operation("added", server))
	if status, body := e.reload(); status != http.StatusOK {
		t.Fatalf("have status %d: %s", status, body)
	}
	e.await("first polls of the new ones", allUp(4))
	var have []string
	line := regexp.MustCompile(`level=info .*msg="(operation \w+)" operation=(\w+)(?:.* state=(\w+|"complete until).*)?|msg="(configuration reloaded)" (operations=4 not_loaded=0)`)
	for _, found := range line.FindAllStringSubmatch(e.logged(), -1) {
		have = append(have, strings.TrimSpace(strings.Join(found[1:], " ")))
	}
	want := []string{
		"operation removed old", "operation removed removed", `operation changed changed "complete until`,
		"operation added new new", "operation added added new", "configuration reloaded operations=4 not_loaded=0",
	}
	for i := range have {
		have[i] = strings.Join(strings.Fields(have[i]), " ")
	}
	if !slices.Equal(have, want) {
		t.Errorf("have %q, want %q in\n%s", have, want, e.logged())
	}
	if e.reload(); len(e.linesWith(`msg="operation `)) != 5 {
		t.Errorf("have more lines of the same file:\n%s", e.logged())
	}
}
