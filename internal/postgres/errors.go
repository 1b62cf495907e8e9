package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Errors of a database.
var (
	// ErrUnavailable is the error of a database that does not answer or cannot save now.
	// The same request may succeed later.
	ErrUnavailable = errors.New("unavailable")
	// ErrConflict is the error of a save over a state that another process has saved.
	ErrConflict = errors.New("the saved state is not the one that was loaded: another exporter has saved it, or a backup was restored")
	// ErrCorrupt is the error of a state whose digest differs.
	ErrCorrupt = errors.New("the saved state does not match its digest: restore the schema wolkvox from a backup, " +
		"or remove this state with wolkvox_exporter state remove to count only chats from now on")
	// ErrNoSchema is the error of a database without the schema, or with an older one.
	ErrNoSchema = errors.New("it needs this version's schema: run wolkvox_exporter state migrate as the owner of the schema, or set --storage.migrate")
	// ErrNewerSchema is the error of a schema of a newer version of this program.
	ErrNewerSchema = errors.New("its schema is of a newer version of wolkvox_exporter: run that version")
	// ErrExists is the error of a state that would overwrite another one.
	ErrExists = errors.New("has a saved state already")
	// ErrNoState is the error of an operation without a saved state.
	ErrNoState = errors.New("has no saved state")

	errNotLoaded = errors.New("the state was not loaded since the last error")
	errTooLarge  = errors.New("the state is too large")
)

// databaseError is an error with the database that it is about.
type databaseError struct {
	target string // such as wolkvox on db.example
	err    error
}

// Error implements error.
func (e *databaseError) Error() string { return fmt.Sprintf("database %s: %s", e.target, e.err) }

// Unwrap returns the cause.
func (e *databaseError) Unwrap() error { return e.err }

// conditions explains the codes of PostgreSQL that a user can do something about. A code of
// two characters is a class of codes.
var conditions = map[string]struct {
	text      string
	transient bool
}{
	"08":    {"the connection failed", true},
	"25006": {"it is read-only: is it a standby?", true},
	"28":    {"it refused the user or the password", false},
	"3D000": {"it does not exist", false},
	"40":    {"it cancelled the transaction", true},
	"42501": {"the role lacks rights: run wolkvox_exporter state migrate --grant=ROLE as the owner of the schema", false},
	"53":    {"it has not enough resources", true},
	"53100": {"its disk is full", true},
	"53200": {"it is out of memory", true},
	"53300": {"it has too many connections", true},
	"54":    {"a limit was exceeded", false},
	"55P03": {"a lock was not released in time", true},
	"57":    {"it is starting or shutting down", true},
	"57014": {"the statement was cancelled, perhaps by a timeout", true},
	"58":    {"it reports an error of its system", true},
	"XX":    {"it reports an internal error or damaged data", false},
}

// explain returns an error that says what failed. It has no text of the server, which can
// quote values.
func explain(err error) error {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch failure.Code {
		case "3F000", "42P01": // no schema, no table
			return ErrNoSchema
		}
		condition, ok := conditions[failure.Code]
		if !ok && len(failure.Code) > 2 {
			condition, ok = conditions[failure.Code[:2]]
		}
		if !ok {
			condition.text = "it refused the statement"
		}
		text := fmt.Sprintf("%s (SQLSTATE %s)", condition.text, failure.Code)
		if condition.transient {
			return fmt.Errorf("%w: %s", ErrUnavailable, text)
		}
		return errors.New(text)
	}
	cause := lastCause(err)
	text := strings.ToValidUTF8(cause.Error(), "?")
	if errors.Is(err, context.DeadlineExceeded) || pgconn.Timeout(err) {
		text = "no answer in time"
	}
	return fmt.Errorf("%w: %s", ErrUnavailable, text)
}

// lastCause returns the innermost error, and of several the last one. The outer ones quote the
// user, and of a configuration the URL.
func lastCause(err error) error {
	for {
		switch wrapping := err.(type) { //nolint:errorlint // It walks the chain itself.
		case interface{ Unwrap() error }:
			if wrapping.Unwrap() == nil {
				return err
			}
			err = wrapping.Unwrap()
		case interface{ Unwrap() []error }:
			all := wrapping.Unwrap()
			if len(all) == 0 {
				return err
			}
			err = all[len(all)-1]
		default:
			return err
		}
	}
}
