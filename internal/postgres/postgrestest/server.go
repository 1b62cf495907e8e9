//go:build unix

package postgrestest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// The role of the exporter and its password.
const (
	Role     = "wolkvox_exporter"
	Password = "s3cret-of-the-exporter"
)

// ErrNoPrograms is the error of a folder without PostgreSQL's programs.
var ErrNoPrograms = errors.New("names no folder with PostgreSQL's initdb and pg_ctl")

// Server is a PostgreSQL server on loopback. Its superuser postgres needs no password there.
type Server struct {
	Dir  string // which every user can enter
	Port int

	bin       string
	as        func(*exec.Cmd)
	databases atomic.Int64
}

// Start makes a database cluster and starts its server, with the programs in a folder. If
// this process is of root, whom PostgreSQL refuses, it runs as another user.
func Start(bin string) (*Server, error) {
	for _, program := range []string{"initdb", "pg_ctl"} {
		if _, err := exec.LookPath(filepath.Join(bin, program)); bin == "" || err != nil {
			return nil, ErrNoPrograms
		}
	}
	dir, err := os.MkdirTemp("", "wolkvox_postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir, bin: bin}
	if s.as, err = unprivileged(dir); err == nil && s.run("initdb", "--version") != nil {
		err = fmt.Errorf("%w that another user than root can run: its parents need the mode 711", ErrNoPrograms)
	}
	if err == nil {
		err = s.initialize()
	}
	if err != nil {
		s.Remove()
		return nil, err
	}
	return s, nil
}

// FreePort returns a port of loopback that is free now.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It does not wait.
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// unprivilegedUser is the user of POSIX that owns nothing.
const unprivilegedUser = "no" + "body"

// unprivileged returns a function that makes a command run as another user if this one is
// root, whom PostgreSQL refuses. The folder belongs to that user.
func unprivileged(dir string) (func(*exec.Cmd), error) {
	if os.Geteuid() != 0 {
		return func(*exec.Cmd) {}, nil
	}
	account, err := user.Lookup(unprivilegedUser)
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.Atoi(account.Uid)
	gid, gidErr := strconv.Atoi(account.Gid)
	err = errors.Join(uidErr, gidErr, os.Chown(dir, uid, gid))
	return func(cmd *exec.Cmd) { runAs(cmd, uid, gid) }, err
}

// Data returns the folder of the server's data.
func (s *Server) Data() string { return filepath.Join(s.Dir, "data") }

// RunAsServer makes a command run as the user that the server runs as.
func (s *Server) RunAsServer(cmd *exec.Cmd) { s.as(cmd) }

func (s *Server) initialize() error {
	args := []string{"-D", s.Data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"}
	if err := s.run("initdb", args...); err != nil {
		return err
	}
	port, err := FreePort()
	if err != nil {
		return err
	}
	s.Port = port
	certificate, key, err := selfSigned()
	if err != nil {
		return err
	}
	settings := fmt.Sprintf("listen_addresses = '127.0.0.1'\nport = %d\nunix_socket_directories = '%s'\nfsync = off\nshared_buffers = 16MB\n"+
		"max_connections = 30\nssl = on\nautovacuum = off\n", s.Port, s.Dir)
	access := "local all all trust\nhost all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
	for name, content := range map[string]string{
		"server.crt": certificate, "server.key": key, "postgresql.auto.conf": settings, "pg_hba.conf": access,
	} {
		file := filepath.Join(s.Data(), name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return err
		}
		info, err := os.Stat(s.Data())
		if err != nil {
			return err
		}
		if err := chownLike(file, info); err != nil {
			return err
		}
	}
	if err := s.Control("start"); err != nil {
		return err
	}
	_, err = s.SQL("postgres", fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s'", Role, Password))
	return err
}

// Control runs pg_ctl and waits until it has done its work.
func (s *Server) Control(action string, args ...string) error {
	args = append([]string{action, "-w", "-t", "30", "-s", "-D", s.Data(), "-l", filepath.Join(s.Dir, "log")}, args...)
	return s.run("pg_ctl", args...)
}

func (s *Server) run(program string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...) //nolint:gosec // The test names the folder.
	cmd.Dir = s.Dir
	s.as(cmd)
	output, err := os.Create(filepath.Join(s.Dir, program+".out")) //nolint:gosec // G304: It is in our own folder.
	if err != nil {
		return err
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output // A pipe would stay open in the server.
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(output.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, text)
	}
	return nil
}

// Remove stops the server and removes its folder.
func (s *Server) Remove() {
	_ = s.Control("stop", "-m", "immediate")
	_ = os.RemoveAll(s.Dir)
}

// URL returns the URL of a role on loopback.
func (s *Server) URL(role, database string) string {
	return fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", role, s.Port, database)
}

// NewDatabase creates an empty database and returns its name.
func (s *Server) NewDatabase() (string, error) {
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	_, err := s.SQL("postgres", "CREATE DATABASE "+name)
	return name, err
}

// SQL runs statements as the superuser and returns the first column of the rows.
func (s *Server) SQL(database, sql string) (rows []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, s.URL("postgres", database)+"?sslmode=disable")
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	results, err := conn.Exec(ctx, sql).ReadAll()
	for _, result := range results {
		for _, row := range result.Rows {
			rows = append(rows, string(row[0]))
		}
	}
	return rows, err
}

// selfSigned returns a certificate for localhost and its key.
func selfSigned() (certificate, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	encodedKey, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		return "", "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encoded})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encodedKey})), nil
}
