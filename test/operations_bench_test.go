package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// pollRecorder records when each operation, identified by its token, requests chats.
type pollRecorder struct {
	api http.Handler

	mu    sync.Mutex
	polls map[string][]time.Time
}

func (c *pollRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get("Wolkvox-Token"); r.URL.Query().Get("api") == "chat_8" {
		c.mu.Lock()
		c.polls[token] = append(c.polls[token], time.Now())
		c.mu.Unlock()
	}
	c.api.ServeHTTP(w, r)
}

// minPolls returns the number of polls of the operation that has made the fewest.
func (c *pollRecorder) minPolls(operations int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.polls) < operations {
		return 0
	}
	fewest := len(c.polls["0"])
	for _, polls := range c.polls {
		fewest = min(fewest, len(polls))
	}
	return fewest
}

// delays returns by how much each poll was late, sorted. It skips the first polls of each
// operation.
func (c *pollRecorder) delays(after int, interval time.Duration) (late []time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, polls := range c.polls {
		for i := after; i < len(polls); i++ {
			late = append(late, polls[i].Sub(polls[i-1])-interval)
		}
	}
	slices.Sort(late)
	return late
}

// BenchmarkOperations polls many operations: an iteration is one poll of each. With 1000
// operations each polls every 10 s, 30 times the load of the usual 5 minutes.
func BenchmarkOperations(b *testing.B) {
	sizes := []int{10}
	if os.Getenv("LARGE") != "" {
		sizes = []int{1, 10, 100, 1000}
	}
	for _, operations := range sizes {
		interval := time.Duration(max(1, operations/100)) * time.Second
		b.Run(fmt.Sprintf("operations=%d", operations), func(b *testing.B) { pollOperations(b, operations, interval) })
	}
}

func pollOperations(b *testing.B, operations int, interval time.Duration) {
	b.Helper()
	const settling = 3 // the first poll, the seeding after it, and one at its regular time
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	server.Add(endingSoon(0, 20, time.Now(), time.Second)...)
	c := &pollRecorder{api: server.Handler(), polls: map[string][]time.Time{}}
	front := httptest.NewServer(c)
	defer front.Close()

	e := startOperations(b, front.URL, operations, "--poll.interval="+interval.String(), "--poll.reconcile-interval=0s")
	polled := func(times int) {
		pollUntil(b, 10*time.Minute, 100*time.Millisecond, fmt.Sprintf("%d polls of each operation", times), func() bool { return c.minPolls(operations) >= times })
	}
	polled(settling)
	before, asked := e.scrape(), len(server.Requests())
	rounds := 0
	for b.Loop() {
		rounds++
		polled(settling + rounds)
	}
	after, requests := e.scrape(), len(server.Requests())-asked
	late := c.delays(settling, interval)
	b.ReportMetric((after["process_cpu_seconds_total"]-before["process_cpu_seconds_total"])*1000/float64(rounds), "cpu-ms/op")
	b.ReportMetric((after["process_cpu_seconds_total"]-before["process_cpu_seconds_total"])*1000/float64(requests), "cpu-ms/request")
	b.ReportMetric(after["process_resident_memory_bytes"]/(1<<20), "MiB-rss")
	b.ReportMetric(late[len(late)/2].Seconds()*1000, "p50-late-ms")
	b.ReportMetric(late[len(late)*99/100].Seconds()*1000, "p99-late-ms")
	b.ReportMetric(late[len(late)-1].Seconds()*1000, "max-late-ms")
	if up := after.sum("wolkvox_up"); up != float64(operations) {
		b.Errorf("have %v operations up, want %d", up, operations)
	}
}
