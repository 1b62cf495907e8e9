package test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stuckFile is a file whose open does not return, as on a network file system that does not
// answer. The kernel blocks the open until the test gives up its lease, or for
// /proc/sys/fs/lease-break-time.
type stuckFile struct {
	t     *testing.T
	lease *os.File
}

const (
	setLease = 1024
	getLease = 1025
)

// newStuckFile blocks a file that is not open.
func newStuckFile(t *testing.T, path string) *stuckFile {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := &stuckFile{t, file}
	t.Cleanup(s.release)
	eventually(t, "a moment without a reader", func() bool {
		_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), setLease, syscall.F_WRLCK)
		if errno != 0 && errno != syscall.EAGAIN {
			t.Skipf("no lease on a file: %v", errno)
		}
		return errno == 0
	})
	return s
}

// awaitReader waits until the program opens the file.
func (s *stuckFile) awaitReader() {
	s.t.Helper()
	eventually(s.t, "a reader", func() bool {
		lease, _, _ := syscall.Syscall(syscall.SYS_FCNTL, s.lease.Fd(), getLease, 0)
		return lease != syscall.F_WRLCK
	})
}

// release unblocks the readers.
func (s *stuckFile) release() { s.lease.Close() }

// operationWithCA returns an operation with a CA file. A library opens it at the start and for
// each request.
func operationWithCA(t *testing.T, name string) string {
	t.Helper()
	return operation(name, newServer(t), "  http_config: {tls_config: {ca_file: ca.pem}}")
}

// writeAuthority writes the CA file.
func (c programWithFile) writeAuthority() (path string) {
	c.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	path = filepath.Join(c.dir, "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

func wantEndWhileStuck(e *exporter, busyWith string) {
	e.t.Helper()
	if status := stopAndWait(e); status != 1 {
		e.t.Errorf("have exit status %d, want 1", status)
	}
	if log := e.logged(); !strings.HasSuffix(log, busyWith+": exiting anyway\n") {
		e.t.Errorf("have no %q at the end of\n%s", busyWith, log)
	}
}

func TestStart_EndsAtSIGTERMWhileFileIsStuck(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operationWithCA(t, "one"))
	file := newStuckFile(t, program.writeAuthority())
	e := program.run(t)
	file.awaitReader()
	wantEndWhileStuck(e, "still busy with reading the configuration")
}

func TestPoll_EndsAtSIGTERMWhileFileIsStuck(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operationWithCA(t, "one"))
	path := program.writeAuthority()
	e := program.start(t)
	e.await("a first poll", up)
	newStuckFile(t, path).awaitReader()
	wantEndWhileStuck(e, `still busy with polling operation "one"`)
}

func TestReload_EndsAtSIGTERMWhileFileIsStuck(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operation("one", newServer(t)))
	file := newStuckFile(t, program.writeAuthority())
	e := program.start(t)
	program.write(operationWithCA(t, "one"))
	for range 3 {
		if err := e.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	file.awaitReader()
	wantEndWhileStuck(e, "still busy with reading the configuration")
}

func TestReload_ServesStatusWhileFileIsStuck(t *testing.T) {
	t.Parallel()
	program := newProgram(t, operation("one", newServer(t)))
	file := newStuckFile(t, program.writeAuthority())
	e := program.start(t)
	e.await("a first poll", up)
	program.write(operation("one", newServer(t)), operationWithCA(t, "two"))
	first := make(chan int, 1)
	go func() {
		status, _ := e.reload()
		first <- status
	}()
	file.awaitReader()
	if status, body := e.reload(); status != http.StatusConflict || !strings.Contains(body, "a reload is under way") {
		t.Errorf("have status %d and %q, want 409", status, body)
	}
	const metric = "wolkvox_exporter_config_last_reload_successful"
	if have := e.scrape().sum(metric); have != 1 {
		t.Errorf("have %v at once, want 1 as before", have)
	}
	e.await("a reload that is seen to be stuck", func(s samples) bool { return s.sum(metric) == 0 })
	eventually(t, "a line in the log", func() bool {
		return strings.Contains(e.logged(), `msg="loading the configuration is slow" so_far=10s busy_with="reading the configuration, polling operation \"one\""`)
	})
	file.release()
	if status := <-first; status != http.StatusOK {
		t.Errorf("have status %d once the file can be read, want 200", status)
	}
	if have := e.scrape().sum(metric); have != 1 {
		t.Errorf("have %v after the reload, want 1", have)
	}
}
