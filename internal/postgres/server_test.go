//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if started != nil {
		started.Remove()
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// server is the server of all tests of the package.
type server struct{ *postgrestest.Server }

var (
	started   *postgrestest.Server
	startOnce sync.Once
	errStart  error
)

// startServer returns the server. Without PostgreSQL's programs the test is skipped, or fails
// if E2E_REQUIRED is set.
func startServer(t *testing.T) server {
	t.Helper()
	startOnce.Do(func() { started, errStart = postgrestest.Start(os.Getenv("POSTGRES_BIN")) })
	if errors.Is(errStart, postgrestest.ErrNoPrograms) && os.Getenv("E2E_REQUIRED") == "" {
		t.Skipf("POSTGRES_BIN %v", errStart)
	}
	if errStart != nil {
		t.Fatal(errStart)
	}
	return server{started}
}

// newDatabase returns the name of a new database with the schema, and with the rights of the
// exporter's role.
func (s server) newDatabase(t *testing.T) string {
	t.Helper()
	name := s.emptyDatabase(t)
	owner := mustOpen(t, Options{URL: s.URL("postgres", name)})
	if _, err := owner.Migrate(postgrestest.Role); err != nil {
		t.Fatal(err)
	}
	return name
}

func (s server) emptyDatabase(t *testing.T) string {
	t.Helper()
	name, err := s.NewDatabase()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

func (s server) startProxy(t *testing.T) *postgrestest.Proxy {
	t.Helper()
	p, err := s.StartProxy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func (s server) sql(t testing.TB, database, sql string) []string {
	t.Helper()
	rows, err := s.SQL(database, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

// mustOpen opens a database until the end of the test.
func mustOpen(t testing.TB, options Options) *DB {
	t.Helper()
	db, err := Open(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// exporter opens a database as the exporter's role.
func (s server) exporter(t testing.TB, database string) *DB {
	t.Helper()
	return mustOpen(t, Options{URL: s.URL(postgrestest.Role, database), Password: postgrestest.Password})
}
