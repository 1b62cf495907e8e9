package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// BenchmarkScrapesOfManyOperations scrapes a program whose operations have 9 label sets each and
// all poll within a minute (LARGE=1) or 5 seconds, with new chats in most polls. An iteration is
// a scrape each half second. The CPU time of the polls is measured before and is not part of cpu-ms/scrape.
func BenchmarkScrapesOfManyOperations(b *testing.B) {
	sizes, interval := []int{40}, 5*time.Second
	if os.Getenv("LARGE") != "" {
		sizes, interval = []int{1, 40, 1000, 10_000}, time.Minute
	}
	for _, operations := range sizes {
		interval := max(interval, time.Duration(operations)*30*time.Millisecond)
		b.Run(fmt.Sprintf("operations=%d", operations), func(b *testing.B) { scrapeOperations(b, operations, interval) })
	}
}

func scrapeOperations(b *testing.B, operations int, interval time.Duration) {
	b.Helper()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	server.Add(endingSoon(0, 20, time.Now(), time.Second)...)
	server.Add(endingSoon(20, 60, time.Now(), 30*time.Minute)...) // a new one or more in each poll
	c := &pollRecorder{api: server.Handler(), polls: map[string][]time.Time{}}
	front := httptest.NewServer(c)
	defer front.Close()
	e := startOperations(b, front.URL, operations, "--poll.interval="+interval.String(), "--poll.overlap=30s", "--poll.reconcile-interval=0s")
	pollUntil(b, 20*time.Minute, 100*time.Millisecond, "two polls of each operation", func() bool { return c.minPolls(operations) >= 2 })

	for _, format := range []struct{ name, accept string }{
		{"openmetrics", string(expfmt.FmtOpenMetrics_1_0_0)},
		{"protobuf", string(expfmt.FmtProtoDelim)},
	} {
		b.Run("format="+format.name, func(b *testing.B) {
			request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, e.baseURL()+"/metrics", nil)
			if err != nil {
				b.Fatal(err)
			}
			request.Header.Set("Accept", format.accept)
			request.Header.Set("Accept-Encoding", "gzip")
			scrape := func() (size int64, took time.Duration) {
				start := time.Now()
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					b.Fatal(err)
				}
				defer response.Body.Close()
				size, err = io.Copy(io.Discard, response.Body)
				if err != nil || response.StatusCode != http.StatusOK {
					b.Fatalf("have status %d and error %v", response.StatusCode, err)
				}
				return size, time.Since(start)
			}
			_, first := scrape() // Encodes a format that was not scraped before.
			const half = 500 * time.Millisecond
			began, before := time.Now(), e.cpu()
			time.Sleep(20 * half)
			polling := (e.cpu() - before).Seconds() / time.Since(began).Seconds()

			var times []time.Duration
			var size int64
			began, before = time.Now(), e.cpu()
			for b.Loop() {
				var took time.Duration
				size, took = scrape()
				times = append(times, took)
				time.Sleep(half - took)
			}
			used := (e.cpu() - before).Seconds() - polling*time.Since(began).Seconds()
			slices.Sort(times)
			b.ReportMetric(max(0, used)*1000/float64(len(times)), "cpu-ms/scrape")
			b.ReportMetric(polling*100, "cpu-%-polling")
			b.ReportMetric(times[len(times)/2].Seconds()*1000, "p50-ms")
			b.ReportMetric(times[len(times)-1].Seconds()*1000, "max-ms")
			b.ReportMetric(first.Seconds()*1000, "first-ms")
			b.ReportMetric(float64(size), "body-bytes")
			b.ReportMetric(e.memory("VmHWM"), "MiB-peak")
			b.ReportMetric(e.memory("VmRSS"), "MiB-rss")
		})
	}
}

// startOperations starts a program with operations that have the same chats.
func startOperations(b *testing.B, url string, operations int, args ...string) *exporter {
	b.Helper()
	dir := b.TempDir()
	var file strings.Builder
	file.WriteString("operations:\n")
	for i := range operations {
		fmt.Fprintf(&file, "- {name: operation%d, url: %q, token: %q}\n", i, url, fmt.Sprint(i))
	}
	if err := os.WriteFile(filepath.Join(dir, "wolkvox.yml"), []byte(file.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return invocation{dir: dir, args: append([]string{"--config.file=wolkvox.yml", "--web.listen-address=127.0.0.1:0"}, args...)}.start(b)
}

// cpu returns the CPU time of the program so far, to a hundredth of a second.
func (e *exporter) cpu() time.Duration {
	e.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", e.cmd.Process.Pid))
	if err != nil {
		e.t.Skip(err)
	}
	var user, system int64
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		e.t.Fatal(err)
	}
	const ticksPerSecond = 100
	return time.Duration(user+system) * time.Second / ticksPerSecond
}
