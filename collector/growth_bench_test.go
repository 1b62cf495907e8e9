//go:build unix

package collector

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// BenchmarkLabelSets is how the cost of a scrape grows, in one of the formats: text,
// compressed, of histograms that are native as well.
func BenchmarkLabelSets(b *testing.B) {
	sizes := []int{10, 100}
	if os.Getenv("LARGE") != "" {
		sizes = []int{10, 100, 1000, 10_000}
	}
	request := httptest.NewRequestWithContext(b.Context(), "GET", "/metrics", nil)
	request.Header.Set("Accept", acceptText)
	request.Header.Set("Accept-Encoding", "gzip")
	for _, sets := range sizes {
		chats := newHistory(sets).spread(sets)
		exporter := func() (handler http.Handler, publish func()) {
			h := newHistory(sets)
			h.read(ledger.Starting, chats...)
			return exporterScrapes(h.ledger.View(), true)
		}
		for _, of := range []struct {
			name string
			make func() http.Handler
		}{
			{"registry", func() http.Handler { return plainScrapes(chats, true) }},
			{"exporter-after-a-poll", func() http.Handler { return afterPoll(exporter()) }},
			{"exporter", func() http.Handler { handler, _ := exporter(); return handler }},
		} {
			b.Run(fmt.Sprintf("sets=%d/of=%s", sets, of.name), func(b *testing.B) {
				before := heap()
				handler := of.make()
				benchmarkScrape(b, handler, request)
				b.ReportMetric(float64(heap()-before), "heap-B")
				runtime.KeepAlive(handler)
			})
		}
	}
}

// heap is what is kept in memory. A pool is emptied by the second collection.
func heap() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
