//go:build unix

package collector

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
)

// BenchmarkScrape compares scrapes of the exporter with those of a plain registry
// that shows the same chats.
func BenchmarkScrape(b *testing.B) {
	for _, sets := range []int{250, 2500} {
		h := newHistory(sets)
		chats := h.spread(sets)
		h.read(ledger.Starting, chats...)
		view := h.book.View()
		for _, native := range []bool{true, false} {
			plain := newRegistry()
			counted := newPlain(plain, native)
			for i := range chats {
				counted.observe(&chats[i])
			}
			exporter := newRegistry()
			exporter.MustRegister(New([]Operation{{"wv0042", fixed{View: view, Status: poller.Status{Up: true}}}}, Options{NativeHistograms: native}))
			for _, format := range []struct{ name, accept string }{
				{"text", "text/plain"},
				{"openmetrics", "application/openmetrics-text;version=1.0.0"},
				{"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"},
			} {
				for _, gzip := range []bool{false, true} {
					request := httptest.NewRequestWithContext(b.Context(), "GET", "/metrics", nil)
					request.Header.Set("Accept", format.accept)
					if gzip {
						request.Header.Set("Accept-Encoding", "gzip")
					}
					name := fmt.Sprintf("sets=%d/format=%s/gzip=%s/native=%s/of=", sets, format.name, onOff(gzip), onOff(native))
					b.Run(name+"registry", func(b *testing.B) {
						benchmarkScrape(b, promhttp.HandlerFor(plain, promhttp.HandlerOpts{EnableOpenMetrics: true}), request)
					})
					b.Run(name+"exporter", func(b *testing.B) {
						benchmarkScrape(b, promhttp.HandlerFor(exporter, promhttp.HandlerOpts{EnableOpenMetrics: true}), request)
					})
				}
			}
		}
	}
}

// newRegistry shows what every exporter has beside the chats.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	NewAPIMetrics(reg, "wv0042")
	return reg
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// benchmarkScrape also tells the processor's time, of which collecting garbage is a
// part that goes on beside the scrape.
func benchmarkScrape(b *testing.B, handler http.Handler, request *http.Request) {
	b.Helper()
	b.ReportAllocs()
	var last counting
	scrape := func() {
		last = counting{header: http.Header{}}
		handler.ServeHTTP(&last, request)
	}
	scrape()
	before := cpuTime(b)
	for b.Loop() {
		scrape()
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(last.bytes), "body-bytes")
}

// counting is a response that nobody reads.
type counting struct {
	header http.Header
	bytes  int
}

func (c *counting) Header() http.Header { return c.header }

func (c *counting) WriteHeader(int) {}

func (c *counting) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
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
