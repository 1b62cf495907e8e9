package test

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// notifySocket is systemd's end of sd_notify.
type notifySocket struct {
	t *testing.T
	*net.UnixConn
	path string
}

func newNotifySocket(t *testing.T) notifySocket {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return notifySocket{t, conn, path}
}

// await reads states until one matches, and returns those before it.
func (s notifySocket) await(pattern string) (before []string) {
	s.t.Helper()
	message := make([]byte, 4096)
	for {
		length, err := s.Read(message)
		if err != nil {
			s.t.Fatalf("%s: %v after %q", pattern, err, before)
		}
		state := string(message[:length])
		if regexp.MustCompile(`^(?:` + pattern + `)\n?$`).MatchString(state) {
			return before
		}
		before = append(before, state)
	}
}

// The API cannot be reached: that is no reason to be restarted.
func TestServe_ReportsToSystemd(t *testing.T) {
	t.Parallel()
	socket := newNotifySocket(t)
	_, address := newRefusedPort(t)
	e := invocation{
		args: []string{"--wolkvox.url=http://" + address, "--web.listen-address=127.0.0.1:0", "--poll.interval=1s", "--web.enable-lifecycle"},
		env:  []string{"WOLKVOX_TOKEN=" + testToken, "NOTIFY_SOCKET=" + socket.path, "WATCHDOG_USEC=300000"},
	}.start(t)
	if before := socket.await("READY=1"); len(before) > 0 {
		for _, state := range before {
			if !strings.HasPrefix(state, "STATUS=") && state != "WATCHDOG=1" {
				t.Errorf("have %q before it is ready", state)
			}
		}
	}
	if status := e.status("/-/healthy"); status != 200 {
		t.Errorf("have status %d although it is ready", status)
	}
	socket.await("STATUS=polling 1 operation, 1 failing")
	socket.await("WATCHDOG=1")

	for name, reload := range map[string]func(){
		"SIGHUP": func() {
			if err := e.cmd.Process.Signal(syscall.SIGHUP); err != nil {
				t.Error(err)
			}
		},
		"POST": func() { e.reload() },
	} {
		reload()
		for _, state := range socket.await(`RELOADING=1\nMONOTONIC_USEC=\d+`) {
			if state == "READY=1" {
				t.Errorf("%s: have READY=1 before RELOADING=1", name)
			}
		}
		socket.await("READY=1")
	}

	e.stop(syscall.SIGTERM)
	socket.await(`STOPPING=1\nSTATUS=stopping`)
}
