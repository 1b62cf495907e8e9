package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// programFile is the exporter under test.
var programFile string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wolkvox_exporter")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programFile = filepath.Join(dir, "wolkvox_exporter.exe")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", programFile, ".")
	build.Dir = ".." // It is of another module, whose go.sum knows what it needs.
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// waitLimit is how long a test waits for a condition that should take far less.
const waitLimit = 90 * time.Second

// eventually waits until other processes fulfil a condition.
func eventually(t *testing.T, what string, fulfilled func() bool) {
	t.Helper()
	if !await(fulfilled) {
		t.Fatalf("after %s there is still not: %s", waitLimit, what)
	}
}

// await waits for a condition, and reports whether it was fulfilled.
func await(fulfilled func() bool) bool {
	for deadline := time.Now().Add(waitLimit); !fulfilled(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// findProgram returns the program that an environment variable names, as make sets
// it. Without the program the test is skipped, or fails if E2E_REQUIRED is set.
func findProgram(t *testing.T, variable string) string {
	t.Helper()
	file, err := exec.LookPath(os.Getenv(variable))
	switch {
	case err == nil:
		return file
	case os.Getenv("E2E_REQUIRED") != "":
		t.Fatalf("%s names no program: %v", variable, err)
	default:
		t.Skipf("%s names no program: %v", variable, err)
	}
	return ""
}

// process is a running program.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
	url string
}

// listeningOn is the address in the message of the exporter toolkit, which
// Prometheus and Alertmanager use, too.
var listeningOn = regexp.MustCompile(`"Listening on".* address=(\S+)`)

// startProcess runs a program in a folder until the test's end, and waits until it
// listens.
func startProcess(t *testing.T, dir string, env []string, file string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(file, args...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for lines := bufio.NewReader(stderr); ; {
			line, err := lines.ReadBytes('\n')
			p.recordLine(line)
			if err != nil {
				break
			}
		}
		// The status is in ProcessState.
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s logged at last:\n%s", filepath.Base(file), p.tail(30))
		}
	})
	eventually(t, filepath.Base(file)+" listening", func() bool {
		select {
		case <-p.done:
			t.Fatalf("%s ended: %s", filepath.Base(file), p.cmd.ProcessState)
		default:
		}
		return p.baseURL() != ""
	})
	return p
}

// recordLine appends a line of the log, and keeps the first address.
func (p *process) recordLine(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log.Write(line)
	if found := listeningOn.FindSubmatch(line); found != nil && p.url == "" {
		p.url = "http://" + string(found[1])
	}
}

// baseURL returns the URL of the program, or "" before it listens.
func (p *process) baseURL() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.url
}

// tail returns the end of the log.
func (p *process) tail(lines int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := strings.Split(p.log.String(), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// kill ends the program with SIGKILL.
func (p *process) kill() {
	// It may have ended already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// client keeps no connection open: the programs are killed.
var client = http.Client{Timeout: waitLimit, Transport: &http.Transport{DisableKeepAlives: true}}

// answers reports whether a page of the program has status 200.
func (p *process) answers(path string) bool {
	response, err := client.Get(p.baseURL() + path)
	if err != nil {
		return false
	}
	defer response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// writeFile creates a file in a new folder.
func writeFile(t *testing.T, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
