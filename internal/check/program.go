package check

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
)

// ConfigurationFindings returns the findings of reading the configuration: a failure for
// each mistake in err, or the number of operations and how many of them are checked.
func ConfigurationFindings(source string, checked, operations int, err error) []Finding {
	if err != nil {
		var findings []Finding
		for _, mistake := range splitErrors(err) {
			findings = append(findings, Finding{Configuration, Failed, strings.ReplaceAll(mistake.Error(), "\n", "; "), ""})
		}
		findings[len(findings)-1].Advice = "fix this first: no operation was checked"
		return findings
	}
	text := plural(operations, "operation") + ", by " + source
	if checked < operations {
		text = fmt.Sprintf("%d of %s", checked, text)
	}
	return []Finding{{Configuration, OK, text, ""}}
}

// splitErrors returns the errors that are joined in err.
func splitErrors(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error }) // not errors.As: an error that wraps them has its own text
	if !ok {
		return []error{err}
	}
	for _, err := range joined.Unwrap() {
		all = append(all, splitErrors(err)...)
	}
	return all
}

// Database is a database that keeps states. It is a [postgres.DB].
type Database interface {
	Target() string
	// Check connects and checks the schema, and returns the version of the server.
	Check() (server string, err error)
}

// slowDatabase is the time above which the connection to a database is a warning.
const slowDatabase = time.Second

// DatabaseFinding connects to a database as serve would, and checks its schema.
func DatabaseFinding(db Database) Finding {
	start := time.Now()
	server, err := db.Check()
	took := time.Since(start)
	text := fmt.Sprintf("database %s can be used: PostgreSQL %s, connected in %d ms", db.Target(), server, took.Milliseconds())
	switch {
	case errors.Is(err, postgres.ErrNoSchema), errors.Is(err, postgres.ErrNewerSchema):
		return Finding{State, Failed, err.Error(), ""}
	case err != nil:
		return Finding{State, Failed, err.Error(), "check --storage.url, the password and the network; docs/postgresql.md lists the rights"}
	case took > slowDatabase:
		return Finding{State, Warning, text, "use a database near the exporter: each poll waits for it"}
	default:
		return Finding{State, OK, text, ""}
	}
}

// StorageFinding returns the finding of the storage folder. An empty path means that the
// state is kept in memory.
func StorageFinding(path string, exists, inUse bool, err error) Finding {
	switch {
	case path == "":
		return Finding{State, Warning, "in memory only: counters begin at 0 at every start", "set --storage.path to a permanent folder"}
	case inUse:
		return Finding{State, Warning, fmt.Sprintf("a running wolkvox_exporter uses the folder %q", path), "nothing, if it is yours; a second exporter needs its own --storage.path"}
	case err != nil:
		return Finding{State, Failed, err.Error(), "make the exporter's user the owner of --storage.path, and run the check as that user"}
	case !exists:
		return Finding{State, OK, fmt.Sprintf("the folder %q does not exist yet; the first start can create it", path), ""}
	default:
		return Finding{State, OK, fmt.Sprintf("the folder %q can be written to and is not in use", path), ""}
	}
}
