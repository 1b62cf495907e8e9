package test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// stalledRequests are the requests of clients that then neither send nor read.
var stalledRequests = []string{
	"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=1\r\n\r\n",
	"GET /metrics?name[]=wolkvox_chat_duration_seconds&name[]=wolkvox_chat_messages HTTP/1.1\r\nHost: a\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity;q=0\r\nAccept: application/openmetrics-text;version=1.0.0\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: *\r\nAccept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited\r\n\r\n",
	"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain;escaping=dots\r\n\r\n",
	"",                            // idle
	"GET /metrics HTTP/1.1\r\nX:", // a slow header
	"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n", // a body that does not come
}

// stalledClients connects clients and returns a function that disconnects them.
func (e *exporter) stalledClients(n int) (end func()) {
	e.t.Helper()
	address := strings.TrimPrefix(e.baseURL(), "http://")
	clients := make([]net.Conn, n)
	for i := range clients {
		client, err := net.Dial("tcp", address)
		if err != nil {
			e.t.Fatal(err)
		}
		clients[i] = client
		// The kernel would read on the client's behalf.
		if err := client.(*net.TCPConn).SetReadBuffer(4096); err != nil {
			e.t.Fatal(err)
		}
		if _, err := client.Write([]byte(stalledRequests[i%len(stalledRequests)])); err != nil {
			e.t.Fatal(err)
		}
	}
	return func() {
		for _, client := range clients {
			_ = client.Close()
		}
	}
}

// countOpenFiles counts the program's open files.
func (e *exporter) countOpenFiles() int {
	e.t.Helper()
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", e.cmd.Process.Pid))
	if err != nil {
		e.t.Skip(err)
	}
	return len(files)
}

// scrapesAtOnce returns how many of the scrapes were answered with each status, and how
// long the last of them took.
func (e *exporter) scrapesAtOnce(n int) (statuses map[int]int, took time.Duration) {
	e.t.Helper()
	address := strings.TrimPrefix(e.baseURL(), "http://")
	statuses = map[int]int{}
	var (
		mu       sync.Mutex
		scrapers sync.WaitGroup
		start    = time.Now()
	)
	for range n {
		scrapers.Go(func() {
			status, err := scrapeOnce(address)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				e.t.Error(err)
			}
			statuses[status]++
		})
	}
	scrapers.Wait()
	return statuses, time.Since(start)
}

// scrapeOnce reads and discards a compressed exposition, as Prometheus requests it.
func scrapeOnce(address string) (status int, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(waitLimit)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprint(conn, "GET /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"); err != nil {
		return 0, err
	}
	reader := bufio.NewReader(conn)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = reader.WriteTo(discard{})
	return response.StatusCode, err
}

// discard is a writer without a buffer: io.Discard would use one.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// withLabelSets starts an exporter and waits until it shows that many label sets.
func withLabelSets(t *testing.T, sets int) *exporter {
	t.Helper()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	t.Cleanup(server.Close)
	chats := endingSoon(0, sets, time.Now().Add(-50*time.Minute), 40*time.Minute)
	for i := range chats {
		chats[i].RoutingPoint = strconv.Itoa(10_000 + i)
	}
	server.Add(chats...)
	e := pollCommand(server, "--storage.path=", "--poll.initial-window=1h", "--poll.interval=1h", "--poll.reconcile-interval=0s").start(t)
	e.await("every label set", func(s samples) bool { return s.sum("wolkvox_exporter_label_sets") == float64(sets) })
	return e
}

// Stalled clients use little memory, do not prevent scrapes, and leave nothing behind.
func TestServe_BoundsStalledClients(t *testing.T) {
	stalled, scrapes, sets, limit, soon := 225, 100, 250, 250.0, waitLimit
	torture := os.Getenv("TORTURE") != ""
	if torture {
		stalled, scrapes, sets, limit, soon = 1000, 2000, 1000, 350, 10*time.Second
	}
	e := withLabelSets(t, sets)
	idle, idleFiles := e.memory("VmRSS"), e.countOpenFiles()
	end := e.stalledClients(stalled)
	defer end()
	eventually(t, "the stalled clients' connections", func() bool { return e.countOpenFiles() >= stalled })
	start := time.Now()
	if status, err := scrapeOnce(strings.TrimPrefix(e.baseURL(), "http://")); err != nil || status != http.StatusOK {
		t.Errorf("a scrape beside stalled clients: have status %d and error %v", status, err)
	}
	beside := time.Since(start)
	atOnce, tookAll := e.scrapesAtOnce(scrapes)
	if atOnce[http.StatusOK] == 0 || atOnce[http.StatusOK]+atOnce[http.StatusServiceUnavailable] != scrapes {
		t.Errorf("%d scrapes at once: have statuses %v, want 200 and 503", scrapes, atOnce)
	}
	if beside > soon {
		t.Errorf("a scrape beside stalled clients took %s", beside)
	}
	peak, files := e.memory("VmHWM"), e.countOpenFiles()
	if peak > idle+limit {
		t.Errorf("have a peak of %.0f MiB, %.0f when idle", peak, idle)
	}
	if files > idleFiles+2550 {
		t.Errorf("have %d open files", files)
	}
	t.Logf("%d label sets, idle %.0f MiB and %d files; %d stalled clients and %d scrapes at once %v: peak %.0f MiB, %d files; a scrape beside took %s, all at once %s",
		sets, idle, idleFiles, stalled, scrapes, atOnce, peak, files, beside.Round(time.Millisecond), tookAll.Round(time.Millisecond))
	if torture {
		// None of them goes: the exporter ends them.
		pollUntil(t, 4*time.Minute, time.Second, "an end of every stalled connection", func() bool { return e.countOpenFiles() <= idleFiles+5 })
		t.Logf("cut all of them after %s", time.Since(start).Round(time.Second))
	}
	end()
	eventually(t, "files as before", func() bool { return e.countOpenFiles() <= idleFiles+5 })
	if torture {
		pollUntil(t, 5*time.Minute, time.Second, "memory as before", func() bool { return e.memory("VmRSS") < idle+64 })
		t.Logf("%.0f MiB %s after they came", e.memory("VmRSS"), time.Since(start).Round(time.Second))
	}
	if status := e.status("/metrics"); status != http.StatusOK {
		t.Errorf("have status %d afterwards", status)
	}
}
