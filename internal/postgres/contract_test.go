//go:build unix

package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

var noon = time.Date(2026, 11, 27, 17, 0, 0, 0, time.UTC)

var ledgerOptions = ledger.Options{MaxLabelSets: 50, Agents: true}

// begin returns a transaction of a poll with some chats.
func begin(l *ledger.Ledger, at time.Time, ids ...wolkvox.ID) *ledger.Transaction {
	now := wolkvox.ToLocalTime(at)
	t := l.Begin(now)
	for _, id := range ids {
		chat := wolkvox.Chat{ID: id, Start: now - 60, End: now, RoutingPoint: fmt.Sprint(id % 5), Channel: "web", Agent: fmt.Sprint(id % 3)}
		chat.HandedOff = id%2 == 0
		t.Apply(&chat, ledger.Polling)
	}
	t.Progress.CompleteUntil = at
	t.Progress.Zone = "UTC"
	t.Forget(now - 3600)
	t.Stamp(at)
	return t
}

// TestStores_KeepTheContract runs one history of polls over every store: what Save has saved
// is what Load returns, through restarts at any moment.
func TestStores_KeepTheContract(t *testing.T) {
	folder, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	memory := &store.Memory{}
	stores := map[string]func(*testing.T) func() poller.Store{
		"memory": func(*testing.T) func() poller.Store { return func() poller.Store { return poller.Whole(memory) } },
		"file": func(*testing.T) func() poller.Store {
			return func() poller.Store { return poller.Whole(folder.File("wv0042")) }
		},
		"PostgreSQL": func(t *testing.T) func() poller.Store {
			t.Helper()
			s := startServer(t)
			name := s.newDatabase(t)
			return func() poller.Store { return s.exporter(t, name).Operation("wv0042") }
		},
		"PostgreSQL through PgBouncer": func(t *testing.T) func() poller.Store {
			t.Helper()
			s := startServer(t)
			name := s.newDatabase(t)
			port := startPgBouncer(t, s)
			return func() poller.Store {
				url := fmt.Sprintf("postgres://%s@127.0.0.1:%d/%s", postgrestest.Role, port, name)
				return mustOpen(t, Options{URL: url, Password: postgrestest.Password}).Operation("wv0042")
			}
		},
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { keepContract(t, open(t)) })
	}
}

func keepContract(t *testing.T, open func() poller.Store) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	kept := open()
	if _, err := kept.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("before the first save: have %v, want %v", err, fs.ErrNotExist)
	}
	l, at, next := ledger.New(ledgerOptions), noon, wolkvox.ID(1)
	for poll := range 3 * mergeAfter {
		at = at.Add(5 * time.Minute)
		var ids []wolkvox.ID
		for range random.IntN(8) {
			ids = append(ids, next-wolkvox.ID(random.IntN(5)))
			next++
		}
		transaction := begin(l, at, ids...)
		want, err := transaction.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if size, err := kept.Save(transaction); err != nil || size == 0 {
			t.Fatalf("poll %d: saved %d bytes, %v", poll, size, err)
		}
		transaction.Commit()
		if poll%7 > 0 {
			continue
		}
		if poll%2 == 0 {
			kept = open()
		}
		have, err := kept.Load()
		if err != nil || !bytes.Equal(have, want) {
			t.Fatalf("poll %d: loaded %d bytes, %v, want %d", poll, len(have), err, len(want))
		}
		if l, err = ledger.Unmarshal(have, ledgerOptions, at); err != nil {
			t.Fatal(err)
		}
	}
}
