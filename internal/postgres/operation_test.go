//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// mustLoad loads the ledger of an operation.
func mustLoad(t *testing.T, o *Operation) *ledger.Ledger {
	t.Helper()
	state, err := o.Load()
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.New(ledgerOptions)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Unmarshal(state, ledgerOptions, noon)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustSave(t *testing.T, o *Operation, transaction *ledger.Transaction) {
	t.Helper()
	if _, err := o.Save(transaction); err != nil {
		t.Fatal(err)
	}
	transaction.Commit()
}

func counted(l *ledger.Ledger) uint64 { return l.View().Counts.Records[ledger.Counted] }

func TestOperation_SavesOnlyOverTheStateThatItLoaded(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	const processes = 8
	var operations [processes]*Operation
	for round := range 3 { // The first round inserts.
		var saves sync.WaitGroup
		var errs [processes]error
		var transactions [processes]*ledger.Transaction
		for i := range processes {
			if operations[i] == nil {
				operations[i] = s.exporter(t, name).Operation("a")
			}
			l := mustLoad(t, operations[i])
			transactions[i] = begin(l, noon.Add(time.Duration(round)*time.Minute), wolkvox.ID(round*processes+i+1))
		}
		for i, transaction := range transactions {
			saves.Go(func() { _, errs[i] = operations[i].Save(transaction) })
		}
		saves.Wait()
		saved := 0
		for _, err := range errs {
			if err == nil {
				saved++
			} else if !errors.Is(err, ErrConflict) {
				t.Errorf("round %d: have %v, want %v", round, err, ErrConflict)
			}
		}
		if saved != 1 {
			t.Errorf("round %d: have %d saves, want 1", round, saved)
		}
	}
	if have := counted(mustLoad(t, operations[0])); have != 3 {
		t.Errorf("have %d chats, want 3", have)
	}
}

// A backup with the same version as the current state is not that state.
func TestOperation_NoticesAnotherStateOfSameVersion(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	o := s.exporter(t, name).Operation("a")
	l := mustLoad(t, o)
	mustSave(t, o, begin(l, noon, 1))
	s.sql(t, name, "CREATE TABLE backup AS SELECT * FROM wolkvox.operation; CREATE TABLE backup_seen AS SELECT * FROM wolkvox.seen")
	mustSave(t, o, begin(l, noon.Add(time.Minute), 2))
	s.sql(t, name, "DELETE FROM wolkvox.operation; INSERT INTO wolkvox.operation SELECT * FROM backup; INSERT INTO wolkvox.seen SELECT * FROM backup_seen")
	other := s.exporter(t, name).Operation("a")
	mustSave(t, other, begin(mustLoad(t, other), noon.Add(2*time.Minute), 3))
	if _, err := o.Save(begin(l, noon.Add(3*time.Minute), 4)); !errors.Is(err, ErrConflict) {
		t.Errorf("have %v, want %v", err, ErrConflict)
	}
}

func TestOperation_SavesNothingBeforeLoad(t *testing.T) {
	s := startServer(t)
	o := s.exporter(t, s.newDatabase(t)).Operation("a")
	if _, err := o.Save(begin(ledger.New(ledgerOptions), noon, 1)); !errors.Is(err, errNotLoaded) {
		t.Errorf("have %v, want %v", err, errNotLoaded)
	}
}

func TestOperation_RefusesDamagedState(t *testing.T) {
	s := startServer(t)
	for what, damage := range map[string]string{
		"progress":    "UPDATE wolkvox.operation SET progress = progress || 'x'",
		"figures":     "UPDATE wolkvox.operation SET figures = set_byte(figures, 10, get_byte(figures, 10) # 1)",
		"a segment":   "UPDATE wolkvox.seen SET entries = set_byte(entries, 8, get_byte(entries, 8) # 1) WHERE version = 2",
		"no segment":  "DELETE FROM wolkvox.seen WHERE version = 2",
		"one more":    "INSERT INTO wolkvox.seen SELECT operation, 9, entries FROM wolkvox.seen WHERE version = 2",
		"the digest":  "UPDATE wolkvox.operation SET digest = 'x'",
		"the version": "UPDATE wolkvox.operation SET progress = convert_to('ledger v2' || chr(10), 'UTF8')",
	} {
		name := s.newDatabase(t)
		o := s.exporter(t, name).Operation("a")
		l := mustLoad(t, o)
		mustSave(t, o, begin(l, noon, 1, 2, 3))
		mustSave(t, o, begin(l, noon, 4, 5))
		s.sql(t, name, damage)
		if _, err := o.Load(); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: have %v, want %v", what, err, ErrCorrupt)
		}
	}
}

// A state of a newer version is refused as such, whatever else its parts have.
func TestOperation_RefusesNewerState(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	o := s.exporter(t, name).Operation("a")
	mustSave(t, o, begin(mustLoad(t, o), noon, 1))
	newer := &Operation{db: o.db, name: "a", figures: o.figures, chain: o.chain}
	progress := []byte("ledger v2\n{}")
	s.sql(t, name, fmt.Sprintf(`UPDATE wolkvox.operation SET progress = '\x%x', digest = '\x%x'`, progress, newer.sum(progress)))
	if _, err := o.Load(); !errors.Is(err, ledger.ErrNewer) {
		t.Errorf("have %v, want %v", err, ledger.ErrNewer)
	}
}

func TestOperation_SavesPartsThatChanged(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	o := s.exporter(t, name).Operation("a")
	l := mustLoad(t, o)
	mustSave(t, o, begin(l, noon, 1, 2, 3))
	figuresAt := func() string {
		return s.sql(t, name, "SELECT md5(figures) FROM wolkvox.operation")[0]
	}
	before := figuresAt()
	mustSave(t, o, begin(l, noon))
	if rows := s.sql(t, name, "SELECT count(*) FROM wolkvox.seen"); rows[0] != "1" || figuresAt() != before {
		t.Errorf("a poll without news: have %s segments, want 1 and the same figures", rows[0])
	}
	mustSave(t, o, begin(l, noon, 4))
	rows := s.sql(t, name, "SELECT version || ' ' || length(entries) FROM wolkvox.seen ORDER BY version")
	if strings.Join(rows, ", ") != "1 66, 3 22" || figuresAt() == before {
		t.Errorf("have segments %v, want 1 of 66 bytes and 3 of 22", rows)
	}
	for range 2 * mergeAfter {
		mustSave(t, o, begin(l, noon, 5+wolkvox.ID(l.View().Remembered)))
	}
	if rows := s.sql(t, name, "SELECT count(*) FROM wolkvox.seen"); len(rows[0]) > 2 || rows[0] > fmt.Sprint(mergeAfter+1) {
		t.Errorf("have %s segments, want at most %d", rows[0], mergeAfter+1)
	}
}

// The save is on the disk when its answer comes, even if the role does not ask for that.
func TestOperation_SavesDurably(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	s.sql(t, name, "ALTER DATABASE "+name+" SET synchronous_commit = off")
	o := s.exporter(t, name).Operation("a")
	l := mustLoad(t, o)
	for i := range wolkvox.ID(5) {
		mustSave(t, o, begin(l, noon, i+1))
		rows := s.sql(t, name, "SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn()")
		if rows[0] != "t" {
			t.Error("a save is not on the disk")
		}
	}
}

// Faults between the exporter and the database: what was saved is there, and what was not is
// not counted.
func TestOperation_LosesNothingThroughFaults(t *testing.T) {
	s := startServer(t)
	name := s.newDatabase(t)
	p := s.startProxy(t)
	db := mustOpen(t, Options{URL: p.URL(postgrestest.Role, name), Password: postgrestest.Password})
	db.timeout = 500 * time.Millisecond
	o := db.Operation("a")
	next := wolkvox.ID(1)
	faults := map[string]struct {
		begin, end func()
		wantsSaved bool // although the answer is an error
		succeeds   bool
	}{
		"the answer is lost":     {func() { p.Swallow.Store(true) }, func() { p.Swallow.Store(false) }, true, false},
		"nothing arrives":        {func() { p.Hole.Store(true) }, func() { p.Hole.Store(false); p.Cut() }, false, false},
		"the answer is too late": {func() { p.Delay.Store(int64(time.Second)) }, func() { p.Delay.Store(0); p.Cut() }, true, false},
		"the answer is slow":     {func() { p.Delay.Store(int64(50 * time.Millisecond)) }, func() { p.Delay.Store(0) }, true, true},
		"the connection is cut":  {func() { p.Cut(); o.db.lastUsed = time.Time{} }, func() {}, true, true},
		"the server restarts": {func() {
			if err := s.Control("restart", "-m", "immediate"); err != nil {
				t.Fatal(err)
			}
			o.db.lastUsed = time.Time{}
		}, func() {}, true, true},
		"the server ends the session": {func() {
			s.sql(t, "postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '"+postgrestest.Role+"'")
			o.db.lastUsed = time.Time{}
		}, func() {}, true, true},
	}
	for what, fault := range faults {
		t.Run(what, func(t *testing.T) {
			l := mustLoad(t, o)
			mustSave(t, o, begin(l, noon, next))
			next++
			fault.begin()
			transaction := begin(l, noon, next)
			want, err := transaction.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			_, err = o.Save(transaction)
			fault.end()
			if (err == nil) != fault.succeeds || err != nil && !errors.Is(err, ErrUnavailable) {
				t.Fatalf("have %v, want success %t", err, fault.succeeds)
			}
			if err != nil {
				if _, err := o.Save(transaction); !errors.Is(err, errNotLoaded) {
					t.Errorf("a save without a load: have %v, want %v", err, errNotLoaded)
				}
			}
			var have []byte
			for deadline := time.Now().Add(5 * time.Second); ; { // The server may still be at it.
				if have, err = o.Load(); err != nil {
					t.Fatal(err)
				}
				if bytes.Equal(have, want) == fault.wantsSaved || time.Now().After(deadline) {
					break
				}
			}
			if bytes.Equal(have, want) != fault.wantsSaved {
				t.Errorf("is saved %t, want %t", !fault.wantsSaved, fault.wantsSaved)
			}
			next++
		})
	}
}

func TestDB_EndsRequestsSoonAfterShutdown(t *testing.T) {
	s := startServer(t)
	p := s.startProxy(t)
	ctx, shutDown := context.WithCancel(t.Context())
	db, err := Open(ctx, Options{URL: p.URL(postgrestest.Role, s.newDatabase(t)), Password: postgrestest.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	o := db.Operation("a")
	l := mustLoad(t, o)
	p.Hole.Store(true)
	shutDown()
	start := time.Now()
	if _, err := o.Save(begin(l, noon, 1)); err == nil || time.Since(start) > shutdownGrace+time.Second {
		t.Errorf("have %v after %s, want an error after %s", err, time.Since(start), shutdownGrace)
	}
}
