package ledger

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	fullResponse = 60_000
	manyChats    = 1_000_000
)

// someChats returns rows of a busy operation, under 100 label sets.
func someChats(n int) []wolkvox.Chat {
	random := rand.New(rand.NewPCG(7, 0))
	chats := make([]wolkvox.Chat, n)
	for i := range chats {
		chat := ended(wolkvox.ID(random.Uint64()), -time.Duration(random.IntN(24*60*60))*time.Second, handedOff, under(fmt.Sprint(random.IntN(50)), []string{"web", "whatsapp"}[i%2]))
		for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
			states(f, float64(random.IntN(2000)))(chat)
		}
		chats[i] = *chat
	}
	return chats
}

func apply(t *Transaction, chats []wolkvox.Chat) {
	for i := range chats {
		t.Apply(&chats[i], Polling)
	}
}

func BenchmarkApply60000NewRows(b *testing.B) {
	chats, ledger := someChats(fullResponse), New(Options{MaxLabelSets: 1000})
	b.ReportAllocs()
	for b.Loop() {
		apply(ledger.Begin(clock(noon)), chats)
	}
}

func BenchmarkApply60000KnownRows(b *testing.B) {
	chats, ledger := someChats(fullResponse), New(Options{MaxLabelSets: 1000})
	first := ledger.Begin(clock(noon))
	apply(first, chats)
	first.Commit()
	b.ReportAllocs()
	for b.Loop() {
		apply(ledger.Begin(clock(noon)), chats)
	}
}

// remembering returns a ledger with a million chats of the last day.
func remembering(b *testing.B) *Ledger {
	b.Helper()
	ledger := New(Options{MaxLabelSets: 1000})
	first := ledger.Begin(clock(noon.Add(-24 * time.Hour)))
	apply(first, someChats(manyChats))
	first.Commit()
	return ledger
}

// BenchmarkCommitToAMillion measures a quiet poll of a busy operation. A rising
// floor scans all remembered chats, even if none is forgotten.
func BenchmarkCommitToAMillion(b *testing.B) {
	ledger, known := remembering(b), someChats(1000)
	for name, rise := range map[string]wolkvox.LocalTime{"FloorStays": 0, "FloorRises": 1} {
		b.Run(name, func(b *testing.B) {
			floor := clock(noon.Add(-30 * 24 * time.Hour))
			b.ReportAllocs()
			for b.Loop() {
				transaction := ledger.Begin(clock(noon))
				apply(transaction, known)
				floor += rise
				transaction.Forget(floor)
				transaction.Commit()
			}
		})
	}
}

// BenchmarkMarshalAMillion measures what each poll of a busy operation saves.
func BenchmarkMarshalAMillion(b *testing.B) {
	l := remembering(b)
	transaction := l.Begin(clock(noon))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := transaction.Marshal(); err != nil {
			b.Fatal(err)
		}
	}
}
