package test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// memory returns a figure of /proc: VmRSS is the current memory, VmHWM its peak.
func (e *exporter) memory(of string) (mib float64) {
	e.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", e.cmd.Process.Pid))
	if err != nil {
		e.t.Skip(err)
	}
	found := regexp.MustCompile(of + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		e.t.Fatalf("have no %s in %s", of, status)
	}
	kib, err := strconv.Atoi(string(found[1]))
	if err != nil {
		e.t.Fatal(err)
	}
	return float64(kib) / 1024
}

// BenchmarkMemoryOfAFetch measures the first poll of a program: without chats, and with a
// body of the given size.
func BenchmarkMemoryOfAFetch(b *testing.B) {
	const rows = 59_000
	polled := func(server *wolkvoxtest.Server) *exporter {
		e := pollCommand(server, "--poll.initial-window=1h", "--poll.overlap=0s", "--poll.reconcile-interval=0s", "--poll.interval=1h").start(b)
		pollUntil(b, waitLimit, 20*time.Millisecond, "a first poll", func() bool { return strings.Contains(e.logged(), "msg=polled") })
		if have := e.scrape(); !up(have) {
			b.Fatalf("the poll failed:\n%s", e.logged())
		}
		return e
	}
	for _, megabytes := range []int{37, 250} {
		b.Run(fmt.Sprintf("MB=%d", megabytes), func(b *testing.B) {
			var idle, peak float64
			for b.Loop() {
				server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
				e := polled(server)
				idle += e.memory("VmRSS")
				e.kill()
				chats := endingSoon(0, rows, time.Now().Add(-50*time.Minute), 40*time.Minute)
				for i := range chats {
					const others = 496 // bytes of a row without the name
					chats[i].Customer.Name = strings.Repeat("x", megabytes*1_000_000/rows-others)
				}
				server.Add(chats...)
				e = polled(server)
				peak += e.memory("VmHWM")
				if counted := e.scrape().outcomes()["counted"]; counted != rows {
					b.Fatalf("have %v chats counted, want %d", counted, rows)
				}
				e.kill()
				server.Close()
			}
			b.ReportMetric(idle/float64(b.N), "MiB-idle")
			b.ReportMetric((peak-idle)/float64(b.N), "MiB-over-idle")
		})
	}
}

// BenchmarkStartWithAMillionChats measures a start with the state of a busy day, up to the
// first scrape that shows its chats.
func BenchmarkStartWithAMillionChats(b *testing.B) {
	const operation = "wv0042"
	dir := b.TempDir()
	saveAMillion(b, filepath.Join(dir, "state"), operation)
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	server.FailAlways(wolkvoxtest.Maintenance) // The scrape then shows the saved state.
	program := pollCommand(server, "--wolkvox.server=0042", "--storage.path=state")
	program.dir = dir
	var rss float64
	for b.Loop() {
		e := program.start(b)
		pollUntil(b, waitLimit, time.Millisecond, "the state's figures", func() bool {
			have, err := e.tryScrape()
			return err == nil && have.sum("wolkvox_chat_interactions_total") == 1_000_000
		})
		rss += e.memory("VmHWM")
		e.kill()
	}
	b.ReportMetric(rss/float64(b.N), "MiB-peak")
}

func saveAMillion(b *testing.B, dir, operation string) {
	b.Helper()
	busyDay := ledger.New(ledger.Options{MaxLabelSets: 1000})
	now := wolkvox.ToLocalTime(time.Now())
	t := busyDay.Begin(now)
	for i := range 1_000_000 {
		t.Apply(&wolkvox.Chat{
			ID: wolkvox.ID(i + 1), End: now - wolkvox.LocalTime(i%86400),
			RoutingPoint: strconv.Itoa(i % 50), Channel: "web",
		}, ledger.Starting)
	}
	t.Stamp(time.Now())
	state, err := t.Marshal()
	if err != nil {
		b.Fatal(err)
	}
	folder, err := store.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := folder.Close(); err != nil {
			b.Fatal(err)
		}
	}()
	if err := folder.File(operation).Save(state); err != nil {
		b.Fatal(err)
	}
}
