package check

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
)

// fakeDatabase answers after a time.
type fakeDatabase struct {
	takes time.Duration
	err   error
}

func (fakeDatabase) Target() string { return "wolkvox on db.example" }

func (d fakeDatabase) Check() (string, error) {
	time.Sleep(d.takes)
	return "15.20", d.err
}

func TestDatabaseFinding_SaysWhatToDo(t *testing.T) {
	for name, test := range map[string]struct {
		database fakeDatabase
		status   Status
		text, do string
	}{
		"good":      {fakeDatabase{takes: 3 * time.Millisecond}, OK, "database wolkvox on db.example can be used: PostgreSQL 15.20, connected in 3 ms", ""},
		"slow":      {fakeDatabase{takes: 2 * time.Second}, Warning, "connected in 2000 ms", "use a database near the exporter"},
		"away":      {fakeDatabase{err: fmt.Errorf("%w: connection refused", postgres.ErrUnavailable)}, Failed, "connection refused", "check --storage.url"},
		"no schema": {fakeDatabase{err: postgres.ErrNoSchema}, Failed, "run wolkvox_exporter state migrate", ""},
		"newer":     {fakeDatabase{err: postgres.ErrNewerSchema}, Failed, "run that version", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				have := DatabaseFinding(test.database)
				if have.ID != State || have.Status != test.status || !strings.Contains(have.Text, test.text) || !strings.HasPrefix(have.Advice, test.do) || (test.do == "") != (have.Advice == "") {
					t.Errorf("have %+v, want %s, %q and %q", have, test.status, test.text, test.do)
				}
			})
		})
	}
}

// fakeState is a saved state, or the error of loading it.
type fakeState struct {
	state []byte
	err   error
}

func (s fakeState) Load() ([]byte, error) { return s.state, s.err }

func TestDatabaseStateFinding_FailsWhereServeWouldFail(t *testing.T) {
	for name, test := range map[string]struct {
		saved  fakeState
		status Status
		text   string
	}{
		"first start": {fakeState{err: fs.ErrNotExist}, OK, "this is a first start"},
		"good":        {fakeState{state: empty(t)}, OK, "it can be loaded"},
		"damaged":     {fakeState{err: postgres.ErrCorrupt}, Failed, "does not match its digest"},
		"no ledger":   {fakeState{state: []byte("x")}, Failed, ledger.ErrCorrupt.Error()},
		"away":        {fakeState{err: errors.New("connection refused")}, Failed, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			if have := DatabaseStateFinding(test.saved); have.ID != State || have.Status != test.status || !strings.Contains(have.Text, test.text) {
				t.Errorf("have %+v, want %s and %q", have, test.status, test.text)
			}
		})
	}
}
