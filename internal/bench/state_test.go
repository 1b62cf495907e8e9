package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// chatCounts returns how many chats a state remembers. A million is a busy day.
func chatCounts() []int {
	if large {
		return []int{1000, 10_000, 100_000, 1_000_000, 10_000_000}
	}
	return []int{1000, 1_000_000}
}

// newExporterWithChats returns an exporter whose saved state remembers that many chats with
// 100 label sets.
func newExporterWithChats(b *testing.B, chats int) *exporter {
	b.Helper()
	e := newExporter(b)
	random := rand.New(rand.NewPCG(7, 0))
	t := e.ledger.Begin(wolkvox.ToLocalTime(ending))
	for i := range chats {
		chat := wolkvox.Chat{
			ID: wolkvox.ID(random.Uint64()), End: wolkvox.ToLocalTime(ending) - wolkvox.LocalTime(random.IntN(24*60*60)),
			RoutingPoint: strconv.Itoa(i % 50), Channel: []string{"web", "whatsapp"}[i%2],
		}
		for f := range chat.Numbers {
			chat.Numbers[f], chat.Present = float64(random.IntN(2000)), chat.Present|1<<f
		}
		t.Apply(&chat, ledger.Starting)
	}
	t.Commit()
	return e
}

// BenchmarkSave writes a whole state, as each poll does.
func BenchmarkSave(b *testing.B) {
	for _, chats := range chatCounts() {
		b.Run(fmt.Sprintf("identities=%d/by=exporter", chats), func(b *testing.B) {
			e := newExporterWithChats(b, chats)
			var size int
			measure(b, chats, func() { size = e.save(b) })
			b.ReportMetric(float64(size)/float64(chats), "disk-B/chat")
		})
		if chats > maxNaiveChats {
			continue
		}
		b.Run(fmt.Sprintf("identities=%d/by=obvious", chats), func(b *testing.B) {
			seen, path := naiveSeen(chats), filepath.Join(b.TempDir(), "state.json")
			var size int
			measure(b, chats, func() { size = saveJSON(b, path, seen) })
			b.ReportMetric(float64(size)/float64(chats), "disk-B/chat")
		})
	}
}

func (e *exporter) save(b *testing.B) (size int) {
	b.Helper()
	state, err := e.ledger.Begin(wolkvox.ToLocalTime(ending)).Marshal()
	if err == nil {
		err = e.file.Save(state)
	}
	if err != nil {
		b.Fatal(err)
	}
	return len(state)
}

// BenchmarkLoad reads a state as a start does. It also reports the memory in use.
func BenchmarkLoad(b *testing.B) {
	for _, chats := range chatCounts() {
		b.Run(fmt.Sprintf("identities=%d/by=exporter", chats), func(b *testing.B) {
			e := newExporterWithChats(b, chats)
			e.save(b)
			e.forget()
			before := measureHeap()
			measure(b, chats, func() {
				state, err := e.file.Load()
				if err == nil {
					e.ledger, err = ledger.Unmarshal(state, ledger.Options{MaxLabelSets: 1000}, time.Now())
				}
				if err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(float64(measureHeap()-before)/float64(chats), "heap-B/chat")
			runtime.KeepAlive(e)
		})
		if chats > maxNaiveChats {
			continue
		}
		b.Run(fmt.Sprintf("identities=%d/by=obvious", chats), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "state.json")
			saveJSON(b, path, naiveSeen(chats))
			before := measureHeap()
			var seen map[string]struct{}
			measure(b, chats, func() {
				state, err := os.ReadFile(path)
				seen = nil
				if err == nil {
					err = json.Unmarshal(state, &seen)
				}
				if err != nil {
					b.Fatal(err)
				}
			})
			b.ReportMetric(float64(measureHeap()-before)/float64(chats), "heap-B/chat")
			runtime.KeepAlive(seen)
		})
	}
}

// maxNaiveChats is the largest number of chats in JSON, which is slow.
const maxNaiveChats = 1_000_000

// naiveSeen returns the state that the naive exporter would save, without its figures.
func naiveSeen(chats int) map[string]struct{} {
	seen := make(map[string]struct{}, chats)
	for i := range chats {
		seen[fmt.Sprintf("%d|573001112233_whatsapp|2026-01-18 19:34:31", 29453760000+i)] = struct{}{}
	}
	return seen
}

func saveJSON(b *testing.B, path string, seen map[string]struct{}) (size int) {
	b.Helper()
	state, err := json.Marshal(seen)
	if err == nil {
		err = os.WriteFile(path, state, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	return len(state)
}

// measureHeap returns the memory in use. The second collection empties pools.
func measureHeap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
