//go:build unix

package collector

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// BenchmarkScrape compares scrapes of the exporter with those of a plain registry
// that shows the same chats. A poll encodes its chats when it publishes them: that cost is
// part of "after a poll" only.
func BenchmarkScrape(b *testing.B) {
	for _, sets := range []int{250, 2500} {
		h := newHistory(sets)
		chats := h.spread(sets)
		h.read(ledger.Starting, chats...)
		for _, native := range []bool{true, false} {
			registry := plainScrapes(chats, native)
			exporter, publish := exporterScrapes(h.ledger.View(), native)
			for _, format := range []struct{ name, accept string }{
				{"text", acceptText},
				{"openmetrics", acceptOpenMetrics},
				{"protobuf", acceptProtobuf},
			} {
				for _, gzip := range []bool{false, true} {
					request := httptest.NewRequestWithContext(b.Context(), "GET", "/metrics", nil)
					request.Header.Set("Accept", format.accept)
					if gzip {
						request.Header.Set("Accept-Encoding", "gzip")
					}
					name := fmt.Sprintf("sets=%d/format=%s/gzip=%s/native=%s/of=", sets, format.name, onOff(gzip), onOff(native))
					b.Run(name+"registry", func(b *testing.B) { benchmarkScrape(b, registry, request) })
					b.Run(name+"exporter", func(b *testing.B) { benchmarkScrape(b, exporter, request) })
					b.Run(name+"exporter-after-a-poll", func(b *testing.B) { benchmarkScrape(b, afterPoll(exporter, publish), request) })
				}
			}
		}
	}
}

// plainScrapes shows chats as promhttp does, of a registry that has counted them.
func plainScrapes(chats []wolkvox.Chat, native bool) http.Handler {
	reg := newRegistry()
	counted := newPlain(reg, native)
	for i := range chats {
		counted.observe(&chats[i])
	}
	return promhttp.HandlerFor(reg, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// exporterScrapes shows a ledger. publish publishes it again, as a poll with new chats does.
func exporterScrapes(view *ledger.View, native bool) (handler http.Handler, publish func()) {
	names := map[string]string{}
	for _, set := range view.LabelSets {
		names[set.RoutingPoint] = "Routing point " + set.RoutingPoint
	}
	snapshot := func() status.Snapshot {
		another := *view
		return status.Snapshot{Operation: "wv0042", View: &another, Status: status.Status{Up: true, RoutingPoints: names}}
	}
	o := newOperation(snapshot(), Options{NativeHistograms: native})
	handler = newHandler(newRegistry(), func() []*operation { return []*operation{o} })
	return handler, func() { o.publish(snapshot()) }
}

// afterPoll publishes before each scrape.
func afterPoll(exporter http.Handler, publish func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		publish()
		exporter.ServeHTTP(w, r)
	})
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// benchmarkScrape also reports the CPU time, which includes garbage collection beside the
// scrape.
func benchmarkScrape(b *testing.B, handler http.Handler, request *http.Request) {
	b.Helper()
	b.ReportAllocs()
	var last counting
	scrape := func() {
		last = counting{header: http.Header{}}
		handler.ServeHTTP(&last, request)
	}
	scrape()
	runtime.GC()
	before := cpuTime(b)
	for b.Loop() {
		scrape()
	}
	b.ReportMetric((cpuTime(b)-before).Seconds()*1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(last.bytes), "body-bytes")
}

// cpuTime is what this process has used.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkScrapesWhileApplying measures how long scrapes take while a poll of 60,000 rows
// is applied over and over, and while none is.
func BenchmarkScrapesWhileApplying(b *testing.B) {
	const sets, rows = 250, 60_000
	h := newHistory(sets)
	h.read(ledger.Starting, h.spread(sets)...)
	// Rows come one by one and are never all there, so neither are they here: what is in
	// memory is work for the collector of garbage, and that delays scrapes.
	var templates []wolkvox.Chat
	for i, chat := range h.spread(sets) {
		if i%59 == 0 {
			templates = append(templates, chat)
		}
	}
	apply := func() {
		t := h.ledger.Begin(0)
		for i := range rows {
			chat := templates[i%len(templates)]
			chat.ID = wolkvox.ID(rows + i)
			t.Apply(&chat, ledger.Polling)
		}
		t.Stamp(time.Now())
	}
	request := httptest.NewRequestWithContext(b.Context(), "GET", "/metrics", nil)
	request.Header.Set("Accept-Encoding", "gzip")
	for _, of := range []struct {
		name    string
		handler func() http.Handler
	}{
		{"registry", func() http.Handler { return plainScrapes(h.spread(sets), true) }},
		{"exporter", func() http.Handler { handler, _ := exporterScrapes(h.ledger.View(), true); return handler }},
	} {
		handler := of.handler()
		for _, applying := range []bool{false, true} {
			b.Run("applying="+onOff(applying)+"/of="+of.name, func(b *testing.B) {
				done := make(chan struct{})
				var beside sync.WaitGroup
				if applying {
					beside.Go(func() {
						for {
							select {
							case <-done:
								return
							default:
								apply()
							}
						}
					})
				}
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					handler.ServeHTTP(&counting{header: http.Header{}}, request)
					took = append(took, time.Since(start))
				}
				close(done)
				beside.Wait()
				slices.Sort(took)
				b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
				b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
			})
		}
	}
}
