package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// State describes the saved state of one operation.
type State struct {
	Operation string
	Size      int64 // of all parts, in bytes
	Saved     time.Time
}

const listSQL = `SELECT name,
	length(progress) + length(figures) + coalesce((SELECT sum(length(entries)) FROM wolkvox.seen WHERE operation = name), 0),
	extract(epoch FROM saved_at)::bigint
FROM wolkvox.operation ORDER BY name`

// List returns the saved states, sorted by operation.
func (db *DB) List() ([]State, error) {
	rows, err := db.query("list", statement{sql: listSQL})
	if err != nil {
		return nil, err
	}
	states := make([]State, len(rows))
	for i, row := range rows {
		size, sizeErr := strconv.ParseInt(string(row[1]), 10, 64)
		saved, savedErr := strconv.ParseInt(string(row[2]), 10, 64)
		if err := errors.Join(sizeErr, savedErr); err != nil {
			return nil, err
		}
		states[i] = State{Operation: string(row[0]), Size: size, Saved: time.Unix(saved, 0)}
	}
	return states, nil
}

// Remove removes the state of an operation. The error wraps [ErrNoState] if there is none.
func (db *DB) Remove(name string) error {
	return db.change("remove", name, "DELETE FROM wolkvox.operation WHERE name = $1::text RETURNING name", []byte(name))
}

// Rename renames the state of an operation. The error wraps [ErrNoState] if there is none, and
// [ErrExists] if the new name has one.
func (db *DB) Rename(from, to string) error {
	_, err := db.Operation(to).Load()
	if err == nil {
		return fmt.Errorf("operation %q %w in database %s: remove that first, or choose another name", to, ErrExists, db.target)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return db.change("rename", from, "UPDATE wolkvox.operation SET name = $2::text WHERE name = $1::text RETURNING name", []byte(from), []byte(to))
}

// change runs a statement that returns a row if it has changed the state of an operation.
func (db *DB) change(request, name, sql string, parameters ...[]byte) error {
	rows, err := db.query(request, statement{sql: sql, parameters: parameters})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("operation %q %w in database %s", name, ErrNoState, db.target)
	}
	return err
}

// Import saves a whole state, over whatever is saved now.
func (o *Operation) Import(state []byte) error {
	parts, err := ledger.Split(state)
	if err != nil {
		return err
	}
	if _, err := o.Load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = o.save("import", &parts, true)
	return err
}
