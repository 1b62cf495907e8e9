//go:build unix

package test

import (
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// refusedPort is a reserved port that refuses connections until serve is called.
type refusedPort struct{ socket *os.File }

func newRefusedPort(t *testing.T) (r refusedPort, address string) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	r.socket = os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { r.socket.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return r, "127.0.0.1:" + strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
}

func (r refusedPort) serve(t *testing.T, handler http.Handler) {
	t.Helper()
	if err := syscall.Listen(int(r.socket.Fd()), 16); err != nil {
		t.Fatal(err)
	}
	listener, err := net.FileListener(r.socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: waitLimit}
	t.Cleanup(func() { server.Close() })
	// It returns after Close.
	go func() { _ = server.Serve(listener) }()
}

func TestServe_ServesWhileAPIIsUnreachable(t *testing.T) {
	t.Parallel()
	port, address := newRefusedPort(t)
	e := invocation{
		args: []string{"--wolkvox.url=http://" + address, "--web.listen-address=127.0.0.1:0", "--poll.interval=1s"},
		env:  []string{"WOLKVOX_TOKEN=" + testToken},
	}.start(t)
	have := e.await("a refused connection", func(s samples) bool {
		return s.byLabel("wolkvox_api_requests_total", "result")["network"] > 0
	})
	if series := have.of("wolkvox_up"); len(series) != 1 || up(have) {
		t.Errorf("have %v, want one series at 0", series)
	}
	if status := e.status("/-/ready"); status != http.StatusServiceUnavailable {
		t.Errorf("ready: have status %d, want 503", status)
	}
	if status := e.status("/-/healthy"); status != http.StatusOK {
		t.Errorf("healthy: have status %d, want 200", status)
	}
	if status := e.status("/"); status != http.StatusOK {
		t.Errorf("landing page: have status %d, want 200", status)
	}

	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	port.serve(t, server.Handler())
	e.await("the API's recovery", up)
	if status := e.status("/-/ready"); status != http.StatusOK {
		t.Errorf("ready after the recovery: have status %d, want 200", status)
	}
}

func TestServe_ServesWhileTokenIsRefused(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: "another"})
	defer server.Close()
	e := pollCommand(server, "--poll.interval=1s").start(t)
	have := e.await("a refused token", func(s samples) bool {
		return s.byLabel("wolkvox_api_requests_total", "result")["token_rejected"] > 0
	})
	if up(have) || e.status("/-/ready") != http.StatusServiceUnavailable || e.status("/-/healthy") != http.StatusOK {
		t.Errorf("have up %v, ready %d, healthy %d, want false, 503 and 200", up(have), e.status("/-/ready"), e.status("/-/healthy"))
	}
	server.SetToken(testToken)
	e.await("a token that is good again", up)
}

// The end of the program cancels a hanging request. The next start fetches its chats.
func TestServe_EndsAtSignalWithoutLoss(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
			defer server.Close()
			program := pollCommand(server, "--wolkvox.server=0042", "--poll.interval=1s", "--poll.reconcile-interval=1s", "--collector.zero-hold=0s", "--wolkvox.timeout=6s")
			program.dir = t.TempDir()
			e := program.start(t)
			e.await("a first poll", up)
			server.Add(endingSoon(0, 50, time.Now(), time.Second)...)
			e.await("some chats", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") > 0 })
			server.FailAlways(wolkvoxtest.Hang)
			eventually(t, "a request that hangs", func() bool {
				requests := server.Requests()
				return requests[len(requests)-1].Fault == wolkvoxtest.Hang
			})
			before := e.scrape().chats()
			server.Add(endingSoon(50, 50, time.Now(), time.Second)...)

			began := time.Now()
			if status := e.stop(signal); status != 0 {
				t.Errorf("have exit status %d, want 0\n%s", status, e.logged())
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("have waited %s for its end, want 5 s at most", took)
			}
			if log := e.logged(); strings.Contains(log, "level=error") || !strings.Contains(log, "msg=stopped") {
				t.Errorf("have a log with errors, or without its end:\n%s", log)
			}

			e = program.start(t)
			if wrong := scrapeErrors(before, e.scrape(), before); wrong != "" {
				t.Errorf("at the next start:\n%s", wrong)
			}
			server.Recover()
			truth := expected(server.Truth(time.Now().Add(time.Hour)), "wv0042")
			eventually(t, "all chats", func() bool { return differences(e.scrape().chats(), truth) == "" })
		})
	}
}

func TestServe_UsesRotatedTokenForNextRequest(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: "old", Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	file := writeFile(t, "old\n")
	l := pollCommand(server, "--poll.interval=1s", "--storage.path=", "--wolkvox.token-file="+file)
	l.env = nil
	e := l.start(t)
	e.await("a poll with the old token", up)

	if err := os.WriteFile(file, []byte("new\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server.SetToken("new")
	since := len(server.Requests())
	eventually(t, "a request with the new token", func() bool { return len(server.Requests()) > since+1 })
	// One request may have been under way.
	for _, request := range server.Requests()[since+1:] {
		if !request.TokenOK {
			t.Errorf("have a request with the old token at %s", request.Time)
		}
	}
	e.await("a poll with the new token", up)
}

func TestServe_FailsWhileTokenFileIsMissing(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	file := writeFile(t, testToken)
	l := pollCommand(server, "--poll.interval=1s", "--storage.path=", "--wolkvox.token-file="+file)
	l.env = nil
	e := l.start(t)
	e.await("a first poll", up)
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	e.await("a failure", func(s samples) bool { return !up(s) })
	if !strings.Contains(e.logged(), file) {
		t.Errorf("have no %s in\n%s", file, e.logged())
	}
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	e.await("a poll after that", up)
}
