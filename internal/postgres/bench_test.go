//go:build unix

package postgres

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres/postgrestest"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// newChats is how many new chats a save of a benchmark has.
const newChats = 35

// remembering returns a ledger that remembers chats of 90 label sets.
func remembering(b *testing.B, chats int) *ledger.Ledger {
	b.Helper()
	l := ledger.New(ledger.Options{MaxLabelSets: 1000})
	apply(l, 0, chats).Commit()
	return l
}

func apply(l *ledger.Ledger, first, n int) *ledger.Transaction {
	now := wolkvox.ToLocalTime(noon)
	t := l.Begin(now)
	for i := first; i < first+n; i++ {
		chat := wolkvox.Chat{
			ID: wolkvox.ID(uint64(i+1) * 0x9e3779b97f4a7c15), Start: now - 60, End: now, RoutingPoint: strconv.Itoa(i % 90), Channel: "web", HandedOff: true,
		}
		for field := range wolkvox.Field(wolkvox.NumericFieldCount) {
			chat.Numbers[field] = float64(i * int(field+1) % 1000)
			chat.Present |= 1 << field
		}
		t.Apply(&chat, ledger.Polling)
	}
	t.Stamp(noon)
	return t
}

// BenchmarkSave measures the save of a poll with 35 new chats, in a file and in PostgreSQL, by
// the chats that are remembered. BenchmarkLoad measures a start.
func BenchmarkSave(b *testing.B) {
	for _, chats := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("identities=%d/in=file", chats), func(b *testing.B) {
			folder, err := store.Open(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer folder.Close()
			file, l := folder.File("a"), remembering(b, chats)
			for i := 0; b.Loop(); i++ {
				t := apply(l, chats+i*newChats, newChats)
				state, err := t.Marshal()
				if err == nil {
					err = file.Save(state)
				}
				if err != nil {
					b.Fatal(err)
				}
				t.Commit()
			}
		})
		b.Run(fmt.Sprintf("identities=%d/in=PostgreSQL", chats), func(b *testing.B) {
			s, o := newBenchOperation(b)
			l := remembering(b, chats)
			if _, err := o.Load(); err == nil {
				b.Fatal("have a state, want none")
			}
			mustSaveAll(b, o, l)
			before := walPosition(b, s)
			saves := 0
			for ; b.Loop(); saves++ {
				t := apply(l, chats+saves*newChats, newChats)
				if _, err := o.Save(t); err != nil {
					b.Fatal(err)
				}
				t.Commit()
			}
			b.ReportMetric(float64(o.figuresSize), "figures-B")
			b.ReportMetric((walPosition(b, s)-before)/float64(saves), "wal-B/op")
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, chats := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("identities=%d", chats), func(b *testing.B) {
			_, o := newBenchOperation(b)
			_, _ = o.Load()
			mustSaveAll(b, o, remembering(b, chats))
			for b.Loop() {
				state, err := o.Load()
				if err == nil {
					_, err = ledger.Unmarshal(state, ledger.Options{MaxLabelSets: 1000}, time.Now())
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func mustSaveAll(b *testing.B, o *Operation, l *ledger.Ledger) {
	b.Helper()
	if _, err := o.Save(l.Begin(wolkvox.ToLocalTime(noon))); err != nil {
		b.Fatal(err)
	}
}

// newBenchOperation returns an operation in a new database.
func newBenchOperation(b *testing.B) (*postgrestest.Server, *Operation) {
	b.Helper()
	startOnce.Do(func() { started, errStart = postgrestest.Start(os.Getenv("POSTGRES_BIN")) })
	if errors.Is(errStart, postgrestest.ErrNoPrograms) {
		b.Skipf("POSTGRES_BIN %v", errStart)
	}
	if errStart != nil {
		b.Fatal(errStart)
	}
	name, err := started.NewDatabase()
	if err != nil {
		b.Fatal(err)
	}
	return started, mustOpen(b, Options{URL: started.URL("postgres", name), Migrate: true}).Operation("a")
}

func walPosition(b *testing.B, s *postgrestest.Server) float64 {
	b.Helper()
	rows, err := s.SQL("postgres", "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
	if err != nil {
		b.Fatal(err)
	}
	position, err := strconv.ParseFloat(rows[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return position
}
