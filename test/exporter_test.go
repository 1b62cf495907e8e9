package test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const testToken = "token-of-the-tests"

// invocation is a command line with its folder and environment.
type invocation struct {
	dir  string // a new empty folder if not set
	args []string
	env  []string

	wrapper []string // a command that runs the line, such as sh -c; none if not set
}

// pollCommand returns an invocation that polls a server. args cannot override its flags:
// kingpin refuses a repeated flag.
func pollCommand(server *wolkvoxtest.Server, args ...string) invocation {
	return invocation{
		args: append([]string{"--wolkvox.url=" + server.URL(), "--web.listen-address=127.0.0.1:0"}, args...),
		env:  []string{"WOLKVOX_TOKEN=" + testToken},
	}
}

func (l invocation) command(ctx context.Context, t testing.TB) *exec.Cmd {
	t.Helper()
	line := slices.Concat(l.wrapper, []string{programFile}, l.args)
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	if cmd.Dir = l.dir; l.dir == "" {
		cmd.Dir = t.TempDir()
	}
	ours := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WOLKVOX_") })
	cmd.Env = append(ours, l.env...)
	return cmd
}

// runToEnd runs the program until it ends by itself.
func (l invocation) runToEnd(t *testing.T) (status int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	cmd := l.command(ctx, t)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("it goes on running:\n%s", errs.String())
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// exporter is a running program.
type exporter struct {
	t    testing.TB
	dir  string
	cmd  *exec.Cmd
	done chan struct{}

	mu  sync.Mutex
	log bytes.Buffer
	url string
}

// listeningOn matches the address in the toolkit's message, in logfmt or JSON.
var listeningOn = regexp.MustCompile(`"Listening on" address=(\S+)|"address":"([^"]+)".*"msg":"Listening on"`)

// start runs the program until the test's end, and waits until it listens.
func (l invocation) start(t testing.TB) *exporter {
	t.Helper()
	e := l.run(t)
	e.waitListening()
	return e
}

// run runs the program until the test's end.
func (l invocation) run(t testing.TB) *exporter {
	t.Helper()
	e := &exporter{t: t, cmd: l.command(context.Background(), t), done: make(chan struct{})}
	e.dir = e.cmd.Dir
	stderr, err := e.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(e.done)
		for lines := bufio.NewReader(stderr); ; {
			line, err := lines.ReadBytes('\n')
			e.recordLine(line)
			if err != nil {
				break
			}
		}
		// The status is in ProcessState.
		_ = e.cmd.Wait()
	}()
	t.Cleanup(func() {
		e.kill()
		if log := e.logged(); strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic:") {
			t.Errorf("the program's log has:\n%s", log)
		}
	})
	return e
}

// recordLine appends a line of the log, and keeps the first address.
func (e *exporter) recordLine(line []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log.Write(line)
	if found := listeningOn.FindStringSubmatch(string(line)); found != nil && e.url == "" {
		e.url = "http://" + found[1] + found[2]
	}
}

// baseURL returns the URL of the program, or "" before it listens.
func (e *exporter) baseURL() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.url
}

// waitListening waits until the program listens.
func (e *exporter) waitListening() {
	e.t.Helper()
	eventually(e.t, "an address that it listens on", func() bool {
		select {
		case <-e.done:
			e.t.Fatalf("it ended with status %d:\n%s", e.cmd.ProcessState.ExitCode(), e.logged())
		default:
		}
		return e.baseURL() != ""
	})
}

// logged returns the log so far.
func (e *exporter) logged() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

// linesWith returns the lines of the log that contain text.
func (e *exporter) linesWith(text string) []string {
	var found []string
	for line := range strings.Lines(e.logged()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// kill ends the program with SIGKILL.
func (e *exporter) kill() {
	// It may have ended already.
	_ = e.cmd.Process.Kill()
	<-e.done
}

// stop sends a signal, waits for the end of the program and returns its exit status.
func (e *exporter) stop(signal syscall.Signal) int {
	e.t.Helper()
	if err := e.cmd.Process.Signal(signal); err != nil {
		e.t.Fatal(err)
	}
	select {
	case <-e.done:
	case <-time.After(waitLimit):
		e.t.Fatalf("it goes on running after %s:\n%s", signal, e.logged())
	}
	return e.cmd.ProcessState.ExitCode()
}

// client keeps no connection open: the exporter would wait for it when it ends.
var client = http.Client{Timeout: waitLimit, Transport: &http.Transport{DisableKeepAlives: true}}

// get requests a page of the program.
func (e *exporter) get(path string, header ...string) (status int, body string, err error) {
	request, err := http.NewRequest(http.MethodGet, e.baseURL()+path, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// status returns the HTTP status of a page.
func (e *exporter) status(path string) int {
	e.t.Helper()
	status, _, err := e.get(path)
	if err != nil {
		e.t.Fatal(err)
	}
	return status
}

// scrape returns the samples that Prometheus would scrape now.
func (e *exporter) scrape() samples {
	e.t.Helper()
	s, err := e.tryScrape()
	if err != nil {
		e.t.Fatalf("%v\n%s", err, e.logged())
	}
	return s
}

func (e *exporter) tryScrape() (samples, error) {
	status, body, err := e.get("/metrics")
	if err == nil && status != http.StatusOK {
		err = errors.New("status " + strconv.Itoa(status))
	}
	if err != nil {
		return nil, err
	}
	return parseSamples(body)
}

// await scrapes until the samples are right.
func (e *exporter) await(what string, right func(samples) bool) samples {
	e.t.Helper()
	var last samples
	pollUntil(e.t, waitLimit, 100*time.Millisecond, what, func() bool {
		last = e.scrape()
		return right(last)
	})
	return last
}

// up reports whether the last poll succeeded.
func up(s samples) bool { return s.sum("wolkvox_up") == 1 }

// hasTokenInfo reports whether the requests that follow the first poll are done. The next
// request is then the next poll's.
func hasTokenInfo(s samples) bool { return up(s) && len(s.of("wolkvox_api_token_requests_used")) > 0 }
