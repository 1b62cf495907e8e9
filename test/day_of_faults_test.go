package test

import (
	"context"
	"iter"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// largeDay has the chats of several contact centres, each with some 40,000 a day. If
// digits is set, it has only the chats whose number ends with them.
type largeDay struct {
	centres []wolkvoxtest.Source
	digits  string
}

func newLargeDay(n int, digits string, zone *time.Location) largeDay {
	c := largeDay{make([]wolkvoxtest.Source, n), digits}
	for i := range c.centres {
		c.centres[i] = wolkvoxtest.Day(wolkvoxtest.DayConfig{Seed: uint64(i), Location: zone})
	}
	return c
}

func (c largeDay) Started(from, to time.Time) iter.Seq[wolkvoxtest.Chat] {
	return func(yield func(wolkvoxtest.Chat) bool) {
		for i, source := range c.centres {
			for chat := range source.Started(from, to) {
				if !strings.HasSuffix(chat.ConnID, c.digits) {
					continue
				}
				chat.ConnID += strconv.Itoa(i)
				if !yield(chat) {
					return
				}
			}
		}
	}
}

func (c largeDay) Longest() time.Duration                    { return c.centres[0].Longest() }
func (c largeDay) RoutingPoints() []wolkvoxtest.RoutingPoint { return c.centres[0].RoutingPoints() }

// dayOfFaults polls an operation for a virtual day in which every third request fails.
type dayOfFaults struct {
	t       *testing.T
	centres int
	digits  string // at the end of a chat's number
	hours   int
	long    int // bytes of what a fault makes too long; 0 is as long as the server has it
	server  *wolkvoxtest.Server
	polled  *poller.Poller
	file    *store.File
	handler http.Handler
}

// After a day of a million chats and every fault, memory, goroutines and open files are as
// they were after some hours, and all chats are counted.
func TestServe_DayOfFaultsLeaksNothing(t *testing.T) {
	s := dayOfFaults{centres: 1, digits: "7", hours: 3, long: 1 << 20}
	if os.Getenv("TORTURE") != "" {
		s = dayOfFaults{centres: 25, hours: 24}
	}
	synctest.Test(t, func(t *testing.T) {
		s.t = t
		s.run()
	})
}

func (s *dayOfFaults) run() {
	stop := s.start()
	defer stop()
	start := time.Now()
	faults := wolkvoxtest.AllFaults()
	rand.New(rand.NewPCG(3, 0)).Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	// The first poll must show the same each time.
	time.Sleep(time.Minute)
	s.server.FailWith(func(n int) wolkvoxtest.Fault {
		if n%3 != 2 {
			return wolkvoxtest.None
		}
		return faults[n/3%len(faults)]
	})
	var first resources
	last := samples{}
	for hour := 1; hour <= s.hours; hour++ {
		for range 60 {
			time.Sleep(time.Minute)
			have := s.scrape()
			for series, was := range last {
				if have[series] < was {
					s.t.Fatalf("hour %d: %s: have %v after %v", hour, series, have[series], was)
				}
			}
			last = have.chats()
		}
		now := s.measure()
		if hour == min(8, s.hours) {
			first = now
		}
		if hour == min(8, s.hours) || hour == s.hours {
			s.t.Logf("hour %d: heap %.1f MB, %d goroutines, %d open files, state %.1f MB",
				hour, float64(now.heap)/1e6, now.goroutines, now.files, float64(now.state)/1e6)
		}
	}
	s.server.Recover()
	time.Sleep(90 * time.Minute)
	s.wantNoGrowth(first, s.measure())
	s.wantTruth(start)
}

// start starts polling and returns a function that stops it.
func (s *dayOfFaults) start() (stop func()) {
	zone, started := loadZone(s.t, "America/Bogota"), time.Now()
	s.server = wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
		Token: testToken, Location: zone, Source: newLargeDay(s.centres, s.digits, zone),
		Limits:    wolkvoxtest.Limits{RequestsPerDay: -1, SameMonth: true},
		LongValue: s.long, DeepRow: s.long, HugeBody: s.long,
		Readings: wolkvoxtest.Readings{
			SelectOn: wolkvoxtest.End, ListOpen: wolkvoxtest.EmptyEnd, FillDelay: 4 * time.Minute,
			Lateness: func(c wolkvoxtest.Chat) time.Duration {
				if c.End.Before(started) {
					return 0 // The first poll remembers the chats that ended before, so that they are not counted.
				}
				return time.Duration(c.Messages%3) * 5 * time.Minute
			},
		},
	})
	folder, err := store.Open(s.t.TempDir())
	if err != nil {
		s.t.Fatal(err)
	}
	s.file = folder.File("soak")
	base, err := url.Parse(s.server.URL())
	if err != nil {
		s.t.Fatal(err)
	}
	requests, saves := collector.NewAPIMetrics(), collector.NewSaveMetrics()
	client := wolkvox.NewClient(base, wolkvox.StaticToken(testToken), wolkvox.WithTransport(s.server.Transport()),
		wolkvox.WithObserver(requests.Observe))
	var groups []*exposition.Group
	s.polled, err = poller.New(client, saves.Measure(poller.Whole(s.file)), poller.Options{
		Operation: "soak", Zone: zone, Logger: log.NewNopLogger(), Timeout: time.Minute,
		Interval: 5 * time.Minute, Overlap: 30 * time.Minute,
		// From six hours after the start, as many chats are forgotten as are added.
		ReconcileInterval: time.Hour, ReconcileWindow: 3 * time.Hour,
		InitialWindow: 5 * time.Minute, MaxCatchUp: 168 * time.Hour, Ledger: ledger.Options{MaxLabelSets: 1000},
		Published: func() {
			for _, g := range groups {
				g.Encode()
			}
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	groups = []*exposition.Group{
		exposition.NewGroup(collector.NewLedgerSource(s.polled.Snapshot, collector.Options{NativeHistograms: true})),
		exposition.NewGroup(collector.NewPollingSource(s.polled.Snapshot, requests, saves)),
	}
	s.handler = exposition.NewHandler(prometheus.NewRegistry(), func() []*exposition.Group { return groups }, nil)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.polled.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
		s.server.Close()
		if err := folder.Close(); err != nil {
			s.t.Error(err)
		}
	}
}

func (s *dayOfFaults) scrape() samples {
	s.t.Helper()
	answer := httptest.NewRecorder()
	s.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	have, err := parseSamples(answer.Body.String())
	if err != nil {
		s.t.Fatal(err)
	}
	return have
}

// resources are those of the process, including the built-in server.
type resources struct {
	heap       uint64
	goroutines int
	files      int
	state      int64
}

func (s *dayOfFaults) measure() resources {
	s.t.Helper()
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	// Without such a folder, the count is always 0.
	files, _ := os.ReadDir("/proc/self/fd")
	info, err := os.Stat(s.file.Path())
	if err != nil {
		s.t.Fatal(err)
	}
	return resources{memory.HeapAlloc, runtime.NumGoroutine(), len(files), info.Size()}
}

// maxRetention is how long a chat is remembered at most: the reconcile window of 3 hours,
// the overlap, the margin of 2 hours, and the time between two reconciles, twice.
const maxRetention = 8 * time.Hour

// wantNoGrowth compares the resources with those after some hours. The state may vary with
// the chats of the hour of the day.
func (s *dayOfFaults) wantNoGrowth(first, now resources) {
	s.t.Helper()
	if now.heap > first.heap*3/2+8<<20 {
		s.t.Errorf("heap: have %d bytes, had %d after 8 hours", now.heap, first.heap)
	}
	if now.goroutines > first.goroutines+5 || now.files > first.files+5 {
		s.t.Errorf("have %d goroutines and %d open files, had %d and %d after 8 hours", now.goroutines, now.files, first.goroutines, first.files)
	}
	chats := s.server.TruthBetween(time.Now().Add(-maxRetention), time.Now()).Total.Interactions
	if most := int64(24*chats + 256<<10); now.state > most {
		s.t.Errorf("state: have %d bytes, want at most %d for the %d chats of the last %s", now.state, most, chats, maxRetention)
	}
}

func (s *dayOfFaults) wantTruth(start time.Time) {
	s.t.Helper()
	until := s.polled.Snapshot().Status.LastPoll
	truth := s.server.TruthBetween(start.Add(-5*time.Minute-time.Second), until)
	have, want := s.scrape(), expected(truth, "soak")
	chats := have.chats()
	for series := range chats {
		if _, ours := want[series]; !ours && strings.Contains(series, `rp_id="`+wolkvoxtest.BadRoutingPoint+`"`) {
			delete(chats, series)
		}
	}
	if diff := differences(chats, want); diff != "" {
		s.t.Errorf("the chats are not those of the truth:\n%s", diff)
	}
	s.t.Logf("%d chats in %d hours, %v requests, rows %v", truth.Total.Interactions, s.hours, have.sum("wolkvox_api_requests_total"), have.outcomes())
}
