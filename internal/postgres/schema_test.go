//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
)

func TestDB_MigratesOnceWhoeverStarts(t *testing.T) {
	s := startServer(t)
	name := s.emptyDatabase(t)
	if _, err := s.exporter(t, name).Check(); !errors.Is(err, ErrNoSchema) {
		t.Errorf("no schema: have %v, want %v", err, ErrNoSchema)
	}
	var starts sync.WaitGroup
	var errs [5]error
	for i := range errs {
		db := mustOpen(t, Options{URL: s.URL("postgres", name), Migrate: true})
		starts.Go(func() { _, errs[i] = db.Check() })
	}
	starts.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		t.Error(err)
	}
	rows := s.sql(t, name, "SELECT version FROM wolkvox.migration")
	if len(rows) != SchemaVersion() {
		t.Errorf("have migrations %v, want %d", rows, SchemaVersion())
	}
}

func TestDB_RefusesOtherSchemas(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	db := s.exporter(t, name)
	s.sql(t, name, "INSERT INTO wolkvox.migration (version) VALUES (99)")
	if _, err := db.Check(); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("a newer schema: have %v, want %v", err, ErrNewerSchema)
	}
	if _, err := mustOpen(t, Options{URL: s.URL("postgres", name)}).Migrate(""); !errors.Is(err, ErrNewerSchema) {
		t.Errorf("migrating a newer schema: have %v, want %v", err, ErrNewerSchema)
	}
	s.sql(t, name, "DELETE FROM wolkvox.migration")
	if _, err := db.Check(); !errors.Is(err, ErrNoSchema) {
		t.Errorf("an older schema: have %v, want %v", err, ErrNoSchema)
	}
}

// A migration that fails leaves nothing.
func TestDB_MigratesInOneTransaction(t *testing.T) {
	s := startServer(t)
	name := s.emptyDatabase(t)
	s.sql(t, name, "CREATE SCHEMA wolkvox; CREATE TABLE wolkvox.seen ()")
	owner := mustOpen(t, Options{URL: s.URL("postgres", name)})
	if _, err := owner.Migrate(""); err == nil {
		t.Error("have no error, want one")
	}
	if rows := s.sql(t, name, "SELECT to_regclass('wolkvox.operation') IS NULL"); rows[0] != "t" {
		t.Error("a failed migration left a table")
	}
	s.sql(t, name, "DROP TABLE wolkvox.seen")
	if from, err := owner.Migrate(""); err != nil || from != 0 {
		t.Errorf("have %d, %v, want 0", from, err)
	}
}

func TestDB_NeedsFewRights(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	db := s.exporter(t, name)
	o := db.Operation("a")
	mustSave(t, o, begin(mustLoad(t, o), noon, 1))
	for _, sql := range []string{
		"DROP TABLE wolkvox.seen", "TRUNCATE wolkvox.seen", "UPDATE wolkvox.migration SET version = 2", "CREATE TABLE wolkvox.mine ()", "DELETE FROM wolkvox.migration",
	} {
		if _, err := db.query("test", statement{sql: sql}); err == nil || !strings.Contains(err.Error(), "42501") {
			t.Errorf("%s: have %v, want no rights", sql, err)
		}
	}
	s.sql(t, name, "REVOKE UPDATE ON wolkvox.operation FROM "+postgrestest.Role)
	if _, err := o.Save(begin(mustLoad(t, o), noon, 2)); err == nil || !strings.Contains(err.Error(), "state migrate --grant=ROLE") {
		t.Errorf("have %v, want what to do", err)
	}
	owner := mustOpen(t, Options{URL: s.URL("postgres", name)})
	if _, err := owner.Migrate(postgrestest.Role); err != nil {
		t.Fatal(err)
	}
	mustSave(t, o, begin(mustLoad(t, o), noon, 2))
	if _, err := owner.Migrate(`no"body`); err == nil || strings.Contains(err.Error(), "syntax") {
		t.Errorf("have %v, want an error about the role", err)
	}
}

func TestDB_ExplainsErrorsWithoutValues(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	db := s.exporter(t, name)
	const value = "3101234567"
	for sql, want := range map[string]string{
		fmt.Sprintf("SELECT 'x%s'::int", value):                                       "it refused the statement (SQLSTATE 22P02)",
		"SET default_transaction_read_only = on; DELETE FROM wolkvox.seen":            "it refused the statement (SQLSTATE 42601)",
		"DO $$ BEGIN RAISE EXCEPTION '" + value + "' USING ERRCODE = '53100'; END $$": "its disk is full (SQLSTATE 53100)",
		"DO $$ BEGIN RAISE EXCEPTION '" + value + "' USING ERRCODE = '53400'; END $$": "it has not enough resources (SQLSTATE 53400)",
		"DO $$ BEGIN RAISE EXCEPTION '" + value + "' USING ERRCODE = '25006'; END $$": "it is read-only: is it a standby? (SQLSTATE 25006)",
		"DO $$ BEGIN RAISE EXCEPTION '" + value + "' USING ERRCODE = '57014'; END $$": "perhaps by a timeout (SQLSTATE 57014)",
	} {
		_, err := db.query("test", statement{sql: sql})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), value) {
			t.Errorf("%s: have %v, want %q", sql, err, want)
		}
	}
	for what, tt := range map[string]struct {
		options Options
		want    string
	}{
		"another password": {Options{URL: s.URL(postgrestest.Role, name), Password: "wrong-" + value}, "it refused the user or the password (SQLSTATE 28P01)"},
		"no password":      {Options{URL: s.URL(postgrestest.Role, name)}, "it refused the user or the password"},
		"another database": {Options{URL: s.URL("postgres", "nowhere")}, "it does not exist (SQLSTATE 3D000)"},
		"no server":        {Options{URL: "postgres://u@127.0.0.1:1/w"}, "connection refused"},
		"no such host":     {Options{URL: "postgres://u@db.invalid/w"}, "db.invalid"},
	} {
		_, err := mustOpen(t, tt.options).Check()
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), value) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: have %v, want %q", what, err, tt.want)
		}
	}
}

func TestDB_VerifiesServer(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	content, err := os.ReadFile(filepath.Join(s.Data(), "server.crt"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, ca, string(content))
	host := fmt.Sprintf("localhost:%d/%s", s.Port, name)
	for url, want := range map[string]string{
		"postgres://postgres@" + host + "?sslmode=verify-full&sslrootcert=" + ca:                                "",
		"postgres://postgres@" + host + "?sslmode=require":                                                      "",
		"postgres://postgres@" + host + "?sslmode=verify-full":                                                  "certificate",
		fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=verify-full&sslrootcert=%s", s.Port, name, ca): "certificate",
		fmt.Sprintf("postgres://postgres@/%s?host=%s&port=1", name, s.Dir):                                      `unknown parameter "port"`,
	} {
		db, err := Open(t.Context(), Options{URL: url})
		if err == nil {
			_, err = db.Check()
			db.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v, want %q", url, err, want)
		}
	}
}

func TestDB_ListsRenamesRemovesAndImports(t *testing.T) {
	s := startServer(t)
	db := s.exporter(t, s.newDatabase(t))
	for _, name := range []string{"b", "a"} {
		o := db.Operation(name)
		l := mustLoad(t, o)
		mustSave(t, o, begin(l, noon, 1))
		mustSave(t, o, begin(l, noon, 2))
	}
	states, err := db.List()
	if err != nil || len(states) != 2 || states[0].Operation != "a" || states[0].Size == 0 || states[0].Saved.IsZero() {
		t.Errorf("have %+v, %v, want a and b", states, err)
	}
	if err := db.Rename("a", "b"); !errors.Is(err, ErrExists) {
		t.Errorf("have %v, want %v", err, ErrExists)
	}
	if err := db.Rename("c", "d"); !errors.Is(err, ErrNoState) {
		t.Errorf("have %v, want %v", err, ErrNoState)
	}
	if err := db.Rename("a", "c"); err != nil || counted(mustLoad(t, db.Operation("c"))) != 2 {
		t.Errorf("renaming: have %v", err)
	}
	if err := db.Remove("a"); !errors.Is(err, ErrNoState) {
		t.Errorf("have %v, want %v", err, ErrNoState)
	}

	state, err := db.Operation("c").Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Operation("d").Import([]byte("no state")); err == nil {
		t.Error("have no error, want one")
	}
	for _, name := range []string{"b", "d"} { // over a state, and the first one
		if err := db.Operation(name).Import(state); err != nil {
			t.Error(err)
		}
		if again, err := db.Operation(name).Load(); err != nil || string(again) != string(state) {
			t.Errorf("%s: have %d bytes, %v, want those of c", name, len(again), err)
		}
	}
	if err := db.Remove("c"); err != nil {
		t.Error(err)
	}
	if states, err := db.List(); err != nil || len(states) != 2 {
		t.Errorf("have %+v, %v, want b and d", states, err)
	}
}
