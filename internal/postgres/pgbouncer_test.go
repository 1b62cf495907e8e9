//go:build unix

package postgres

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
)

// startPgBouncer starts PgBouncer in transaction mode before a server, and returns its port.
// Without the program the test is skipped, or fails if E2E_REQUIRED is set.
func startPgBouncer(t *testing.T, s server) int {
	t.Helper()
	file, err := exec.LookPath(os.Getenv("PGBOUNCER"))
	if err != nil {
		if os.Getenv("E2E_REQUIRED") != "" {
			t.Fatalf("PGBOUNCER names no program: %v", err)
		}
		t.Skipf("PGBOUNCER names no program: %v", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	settings := filepath.Join(s.Dir, "pgbouncer.ini")
	users := filepath.Join(s.Dir, "users.txt")
	write(t, users, fmt.Sprintf("%q %q\n", postgrestest.Role, postgrestest.Password))
	write(t, settings, fmt.Sprintf("[databases]\n* = host=127.0.0.1 port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"auth_type = scram-sha-256\nauth_file = %s\npool_mode = transaction\ndefault_pool_size = 2\n", s.Port, port, users))
	cmd := exec.Command(file, "-q", settings)
	s.RunAsServer(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			return port
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
