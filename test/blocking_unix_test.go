//go:build unix

package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// badFiles are files that block their reader, or do not end.
var badFiles = []struct {
	name, says string
	make       func(path string) error
}{
	{"a pipe", "it is a pipe, not a regular file", func(path string) error { return syscall.Mkfifo(path, 0o600) }},
	{"an endless device", "it is a device, not a regular file", func(path string) error { return os.Symlink("/dev/zero", path) }},
	{"a sparse file of 10 GB", "too large", func(path string) error {
		return errors.Join(os.WriteFile(path, nil, 0o600), os.Truncate(path, 10<<30))
	}},
}

// memoryLimit is the most memory that the program has when it refuses a file.
const memoryLimit = 200 << 20

// peakMemory returns the peak memory of an ended process in bytes. It returns 0 if the
// peak is not above this process's own when it started the other: a child's peak starts
// at that of its parent.
func peakMemory(state *os.ProcessState) int64 {
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0
	}
	peak := int64(state.SysUsage().(*syscall.Rusage).Maxrss) //nolint:unconvert // An int32 on machines of 32 bits.
	if peak <= int64(own.Maxrss) {                           //nolint:unconvert // likewise
		return 0
	}
	if runtime.GOOS == "linux" {
		peak <<= 10
	}
	return peak
}

// stopAndWait ends the program with SIGTERM and returns its exit status.
func stopAndWait(e *exporter) int {
	e.t.Helper()
	began := time.Now()
	status := e.stop(syscall.SIGTERM)
	if took := time.Since(began); took > 5*time.Second {
		e.t.Errorf("have waited %s for its end, want 5 s at most", took)
	}
	if peak := peakMemory(e.cmd.ProcessState); peak > memoryLimit {
		e.t.Errorf("have a peak of %d MiB of memory, want %d at most", peak>>20, int64(memoryLimit)>>20)
	}
	return status
}

// blockingFiles are the files that the program reads at its start.
var blockingFiles = map[string]struct {
	args  []string
	names string // in the message
}{
	"token":           {[]string{"--wolkvox.token-file=token"}, `"token"`},
	"wolkvox.yml":     {[]string{"--config.file=wolkvox.yml"}, `"wolkvox.yml"`},
	"web.yml":         {[]string{"--web.config.file=web.yml"}, `"web.yml"`},
	"data/lock":       {nil, `"data/lock"`},
	"data/wv42.state": {nil, `"data/wv42.state"`},
}

func TestStart_RefusesFilesThatBlockOrDoNotEnd(t *testing.T) {
	t.Parallel()
	server := newServer(t)
	server.SetToken(testToken)
	for file, with := range blockingFiles {
		for _, bad := range badFiles {
			for _, command := range []string{"serve", "check"} {
				t.Run(command+" with "+bad.name+" as "+file, func(t *testing.T) {
					t.Parallel()
					program := invocation{dir: t.TempDir(), args: append([]string{command, "--web.listen-address=127.0.0.1:0"}, with.args...)}
					if file != "wolkvox.yml" {
						program.args = append(program.args, "--wolkvox.server=42", "--wolkvox.url="+server.URL())
					}
					if file != "token" {
						program.env = []string{"WOLKVOX_TOKEN=" + testToken}
					}
					path := filepath.Join(program.dir, file)
					if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), bad.make(path)); err != nil {
						t.Fatal(err)
					}
					e := program.run(t)
					select {
					case <-e.done:
					case <-time.After(waitLimit):
						stopAndWait(e)
						t.Fatalf("it goes on running:\n%s", e.logged())
					}
					if peak := peakMemory(e.cmd.ProcessState); peak > memoryLimit {
						t.Errorf("have a peak of %d MiB of memory, want %d at most", peak>>20, int64(memoryLimit)>>20)
					}
					if status := e.cmd.ProcessState.ExitCode(); status != 1 {
						t.Errorf("have exit status %d, want 1", status)
					}
					if command == "serve" {
						wantOneLineError(t, 1, "", e.logged(), with.names)
						if !strings.Contains(e.logged(), bad.says) {
							t.Errorf("have %q, want %q", e.logged(), bad.says)
						}
					}
				})
			}
		}
	}
}

// replaceFile replaces a good file by a bad one atomically.
func replaceFile(t *testing.T, path string, write func(path string) error) {
	t.Helper()
	if err := errors.Join(write(path+".new"), os.Rename(path+".new", path)); err != nil {
		t.Fatal(err)
	}
}

func TestPoll_FailsWithFilesThatBlockOrDoNotEnd(t *testing.T) {
	t.Parallel()
	text := func(content string) func(string) error {
		return func(path string) error { return os.WriteFile(path, []byte(content), 0o600) }
	}
	bad := append(slices.Clip(badFiles), []struct {
		name, says string
		make       func(path string) error
	}{
		{"a control character", "it holds characters that no token has", text(testToken + "\x1b")},
		{"a byte-order mark", "it begins with a byte-order mark", text("\xef\xbb\xbf" + testToken)},
		{"UTF-16", "it is in UTF-16", text("\xff\xfet\x00o\x00k\x00e\x00n\x00")},
		{"nothing", "it is empty", text("")},
	}...)
	for _, bad := range bad {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
			defer server.Close()
			file := writeFile(t, testToken)
			program := pollCommand(server, "--poll.interval=1s", "--storage.path=", "--web.enable-lifecycle", "--wolkvox.token-file="+file)
			program.env = nil
			e := program.start(t)
			e.await("a first poll", up)
			replaceFile(t, file, bad.make)
			e.await("a failed poll", func(s samples) bool { return !up(s) })
			if status, body := e.reload(); status != 500 || !strings.Contains(body, bad.says) {
				t.Errorf("a reload: have status %d and %q, want 500 and %q", status, body, bad.says)
			}
			reason := strings.ReplaceAll(fmt.Sprintf("reading the token file %q: %s", file, bad.says), `"`, `\"`)
			if log := e.logged(); !strings.Contains(log, reason) || strings.Contains(log, testToken) {
				t.Errorf("have no %s, or the token, in\n%s", reason, log)
			}
			replaceFile(t, file, text(testToken))
			e.await("a poll with the good file", up)
			replaceFile(t, file, bad.make)
			e.await("a failed poll again", func(s samples) bool { return !up(s) })
			if status := stopAndWait(e); status != 0 {
				t.Errorf("have exit status %d, want 0\n%s", status, e.logged())
			}
		})
	}
}

func TestReload_RefusesFilesThatBlockOrDoNotEnd(t *testing.T) {
	t.Parallel()
	for _, bad := range badFiles {
		t.Run(bad.name, func(t *testing.T) {
			t.Parallel()
			program := newProgram(t, operation("one", newServer(t)))
			e := program.start(t)
			e.await("a first poll", up)
			replaceFile(t, filepath.Join(program.dir, "wolkvox.yml"), bad.make)
			if status, body := e.reload(); status != 500 || !strings.Contains(body, `"wolkvox.yml": `+bad.says) {
				t.Errorf("have status %d and %q, want 500 and %q", status, body, bad.says)
			}
			have := e.await("another poll", up)
			if have.sum("wolkvox_exporter_config_last_reload_successful") != 0 {
				t.Error("have a successful reload")
			}
			if err := os.Remove(filepath.Join(program.dir, "wolkvox.yml")); err != nil {
				t.Fatal(err)
			}
			program.write(operation("one", newServer(t)))
			if status, body := e.reload(); status != 200 {
				t.Errorf("the good file again: have status %d and %q", status, body)
			}
			if status := stopAndWait(e); status != 0 {
				t.Errorf("have exit status %d, want 0\n%s", status, e.logged())
			}
		})
	}
}

func TestStart_EndsAtSIGTERMWhileManyOperationsLoad(t *testing.T) {
	t.Parallel()
	const many = 20_000
	program := invocation{dir: t.TempDir(), args: []string{"--config.file=wolkvox.yml", "--web.listen-address=127.0.0.1:0", "--storage.path="}}
	var file strings.Builder
	file.WriteString("operations:\n")
	for i := range many {
		fmt.Fprintf(&file, "- {name: op%d, url: 'http://127.0.0.1:1', token: t}\n", i)
	}
	if err := os.WriteFile(filepath.Join(program.dir, "wolkvox.yml"), []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	e := program.run(t)
	eventually(t, "an operation that is begun", func() bool { return strings.Contains(e.logged(), "operation=op1 ") })
	began := time.Now()
	if status := e.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("have exit status %d, want 0", status)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("have waited %s for its end, want 5 s at most", took)
	}
	if log := e.logged(); !strings.HasSuffix(log, "msg=stopped\n") || strings.Contains(log, fmt.Sprintf("operation=op%d ", many-1)) {
		t.Errorf("have as the log's end %q, want that it stopped before the last operation", log[max(0, len(log)-300):])
	}
}
