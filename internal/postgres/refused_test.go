//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
)

// A database that cannot save keeps the state before, says why, and saves again afterwards.
func TestOperation_SavesNothingWhileTheDatabaseCannot(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	fail := func(code string) string {
		return "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '" + code + "'; END $$;" +
			"CREATE TRIGGER fail AFTER INSERT ON wolkvox.seen FOR EACH ROW EXECUTE FUNCTION fail()"
	}
	const work = "DROP TRIGGER fail ON wolkvox.seen; DROP FUNCTION fail"
	slow := strings.Replace(fail("00000"), "RAISE EXCEPTION 'no' USING ERRCODE = '00000'", "PERFORM pg_sleep(5); RETURN NEW", 1)
	end := "; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + postgrestest.Role + "'"
	role := "ALTER ROLE " + postgrestest.Role + " IN DATABASE " + name
	for what, tt := range map[string]struct{ begin, end, want string }{
		"full":                {fail("53100"), work, "its disk is full (SQLSTATE 53100)"},
		"a serialization":     {fail("40001"), work, "it cancelled the transaction (SQLSTATE 40001)"},
		"a statement timeout": {slow + ";" + role + " SET statement_timeout = '50ms'" + end, work + ";" + role + " RESET ALL" + end, "perhaps by a timeout (SQLSTATE 57014)"},
		"read-only":           {role + " SET default_transaction_read_only = on" + end, role + " RESET ALL" + end, "read only"},
		"no rights":           {"REVOKE INSERT ON wolkvox.seen FROM " + postgrestest.Role, "GRANT INSERT ON wolkvox.seen TO " + postgrestest.Role, "state migrate --grant=ROLE"},
		"no login":            {"ALTER ROLE " + postgrestest.Role + " NOLOGIN" + end, "ALTER ROLE " + postgrestest.Role + " LOGIN", "it refused the user or the password (SQLSTATE 28000)"},
	} {
		t.Run(what, func(t *testing.T) {
			o := s.exporter(t, name).Operation("a")
			l := mustLoad(t, o)
			mustSave(t, o, begin(l, noon, 1))
			before, err := o.Load()
			if err != nil {
				t.Fatal(err)
			}
			s.sql(t, name, tt.begin)
			o.db.lastUsed = time.Time{}
			_, err = o.Save(begin(l, noon, 2))
			s.sql(t, name, tt.end)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("have %v, want %q", err, tt.want)
			}
			o.db.lastUsed = time.Time{}
			if after, err := o.Load(); err != nil || !bytes.Equal(after, before) {
				t.Errorf("have another state, %v, want the one before", err)
			}
			mustSave(t, o, begin(mustLoad(t, o), noon, 2))
			if err := o.db.Remove("a"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A save that waits for another transaction ends with it, or at the time limit of a lock.
func TestOperation_WaitsForLock(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	s.sql(t, name, fmt.Sprintf("ALTER ROLE %s IN DATABASE %s SET lock_timeout = '100ms'", postgrestest.Role, name))
	o := s.exporter(t, name).Operation("a")
	l := mustLoad(t, o)
	mustSave(t, o, begin(l, noon, 1))
	other, err := pgconn.Connect(t.Context(), s.URL("postgres", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close(context.Background()) }()
	if _, err := other.Exec(t.Context(), "BEGIN; SELECT * FROM wolkvox.operation FOR UPDATE").ReadAll(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Save(begin(l, noon, 2)); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "55P03") {
		t.Errorf("have %v, want a lock that was not released", err)
	}
	if _, err := other.Exec(t.Context(), "ROLLBACK").ReadAll(); err != nil {
		t.Fatal(err)
	}
	mustSave(t, o, begin(mustLoad(t, o), noon, 2))
}
