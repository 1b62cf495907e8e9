package postgres

import (
	"context"
	_ "embed" // for the migrations
	"fmt"
	"strconv"
	"strings"
)

//go:embed schema.sql
var schema1 string

// migrations are the scripts that make version n+1 of the schema from version n.
var migrations = []string{schema1}

// migrationLock is the key of the advisory lock that a migration holds: "wolkvox" in ASCII.
const migrationLock int64 = 0x776f6c6b766f78

// Migrate creates or updates the schema in one transaction, and returns the version before.
// If grantTo is not empty, that role gets the rights that an exporter needs.
func (db *DB) Migrate(grantTo string) (from int, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	ctx, cancel := context.WithTimeout(db.ctx, db.timeout)
	defer cancel()
	if err = db.connect(ctx); err == nil {
		from, err = db.migrate(ctx, grantTo)
		db.disconnect(ctx)
	}
	if err != nil {
		return from, &databaseError{db.target, err}
	}
	return from, nil
}

// SchemaVersion is the version of the schema that this program uses.
func SchemaVersion() int { return len(migrations) }

func (db *DB) migrate(ctx context.Context, grantTo string) (from int, err error) {
	if _, err := db.simple(ctx, fmt.Sprintf("BEGIN; SELECT pg_advisory_xact_lock(%d)", migrationLock)); err != nil {
		return 0, err
	}
	from, err = db.applyMigrations(ctx, grantTo)
	if err != nil {
		db.disconnect(ctx) // This rolls back.
		return from, err
	}
	_, err = db.simple(ctx, "COMMIT")
	return from, err
}

func (db *DB) applyMigrations(ctx context.Context, grantTo string) (from int, err error) {
	rows, err := db.simple(ctx, "SELECT to_regclass('wolkvox.migration') IS NOT NULL")
	if err != nil {
		return 0, err
	}
	if rows[0] == "t" {
		if from, err = db.schemaVersion(ctx); err != nil {
			return 0, err
		}
	}
	if from > len(migrations) {
		return from, ErrNewerSchema
	}
	for n, script := range migrations[from:] {
		script = fmt.Sprintf("%s;\nINSERT INTO wolkvox.migration (version) VALUES (%d)", script, from+n+1)
		if _, err := db.simple(ctx, script); err != nil {
			return from, err
		}
	}
	if grantTo != "" {
		role := `"` + strings.ReplaceAll(grantTo, `"`, `""`) + `"`
		_, err = db.simple(ctx, fmt.Sprintf("GRANT USAGE ON SCHEMA wolkvox TO %[1]s; GRANT SELECT ON wolkvox.migration TO %[1]s; "+
			"GRANT SELECT, INSERT, UPDATE, DELETE ON wolkvox.operation, wolkvox.seen TO %[1]s", role))
	}
	return from, err
}

// checkSchema returns an error unless the schema has this program's version.
func (db *DB) checkSchema(ctx context.Context) error {
	version, err := db.schemaVersion(ctx)
	switch {
	case err != nil:
		return err
	case version < len(migrations):
		return ErrNoSchema
	case version > len(migrations):
		return ErrNewerSchema
	}
	return nil
}

func (db *DB) schemaVersion(ctx context.Context) (int, error) {
	rows, err := db.simple(ctx, "SELECT coalesce(max(version), 0) FROM wolkvox.migration")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(rows[0])
}

// simple runs statements without parameters and returns the first column of the rows.
func (db *DB) simple(ctx context.Context, sql string) (rows []string, err error) {
	results, err := db.conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, explain(err)
	}
	for _, result := range results {
		for _, row := range result.Rows {
			rows = append(rows, string(row[0]))
		}
	}
	return rows, nil
}
