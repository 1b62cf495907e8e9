package backfill

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// heapPeak measures the largest heap, and discards what is written to it.
type heapPeak struct{ bytes, writes uint64 }

func (h *heapPeak) measure() {
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	h.bytes = max(h.bytes, memory.HeapAlloc)
}

// Write measures the heap at every hundredth call.
func (h *heapPeak) Write(p []byte) (int, error) {
	if h.writes++; h.writes%100 == 0 {
		h.measure()
	}
	return len(p), nil
}

// The heap is measured before each request, when the rows of the last time span have been
// counted, and while samples are written.
func TestRun_MemoryIsIndependentOfTimeSpan(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: with the race detector it would be about the detector's memory")
	}
	short, long := 1, 4
	if os.Getenv("TORTURE") != "" {
		short, long = 3, 30
	}
	peak := func(days int) uint64 {
		var heap heapPeak
		p := newPast("America/Bogota", "2026-03-01T05:00:00Z", time.Duration(days)*day)
		p.chats = nil
		p.source = wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: p.options.Zone})
		p.options.Step = time.Hour
		p.options.Stdout = &heap
		p.stop = func(int, context.CancelFunc) { heap.measure() }
		if _, err := p.run(t); err != nil {
			t.Fatal(err)
		}
		return heap.bytes
	}
	few, many := peak(short), peak(long)
	t.Logf("%d days: %d KiB, %d days: %d KiB", short, few>>10, long, many>>10)
	// Identities of the lookback are still being added on the first day, and pools of other
	// tests count too. Memory that grew with the time would be four times as much.
	if many > few+few/2 {
		t.Errorf("have %d KiB for %d days and %d KiB for %d", many>>10, long, few>>10, short)
	}
}
