package test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// endingSoon returns n chats, numbered from first, whose ends are spread evenly from a time
// on. Every fourth lasts at least 25 seconds, and some routing points appear late.
func endingSoon(first, n int, from time.Time, over time.Duration) []wolkvoxtest.Chat {
	channels := []string{"whatsapp", "web", "Facebook"}
	chats := make([]wolkvoxtest.Chat, n)
	for at := range chats {
		i := first + at
		length := time.Duration(i%20) * time.Second
		if i%4 == 0 {
			length += 25 * time.Second
		}
		end := from.Add(over * time.Duration(at) / time.Duration(n))
		chats[at] = wolkvoxtest.Chat{
			ConnID: strconv.Itoa(7_000_000 + i), SessionID: "session" + strconv.Itoa(i), Start: end.Add(-length), End: end,
			BotTime: time.Duration(i%90) * time.Second, Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, Total: length,
			RoutingPoint: strconv.Itoa(1101 + i%3 + 10*(i/1500)), Channel: channels[i/3%len(channels)],
			Messages: i % 40, CustomerChars: i % 700, AgentChars: wolkvoxtest.Absent, LastSender: "chat_bot",
		}
		if c := &chats[at]; i%3 != 0 {
			c.HandedOff, c.AgentID, c.AgentName = true, "1201", "Adriana Palomino"
			c.Answer, c.HandleTime, c.AgentChars = time.Duration(i%300)*time.Second, time.Duration(i%2000)*time.Second, i%900
			c.LastSender = []string{"agent", "customer"}[i%2]
		}
	}
	return chats
}

// killTest is a program that is killed and started again on the same state.
type killTest struct {
	t             *testing.T
	server        *wolkvoxtest.Server
	program       invocation
	current       atomic.Pointer[exporter]
	scrapes       atomic.Int64 // made by watch
	brokenScrapes atomic.Int64 // interrupted by a kill
	shown         atomic.Int64 // chats in the newest scrape
	mayBeAbsent   bool         // all chats together, while no state can be loaded
}

// newKillTest polls an operation with these readings as often as the flags allow. slowBody
// is how long a slow response takes.
func newKillTest(t *testing.T, readings wolkvoxtest.Readings, slowBody time.Duration) *killTest {
	t.Helper()
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Token:    testToken,
		Location: loadZone(t, zone),
		Limits:   wolkvoxtest.Limits{RequestsPerDay: -1},
		SlowBody: slowBody,
		Readings: readings,
	})
	t.Cleanup(server.Close)
	program := pollCommand(server, "--wolkvox.server=0042", "--wolkvox.timezone="+zone, "--storage.path=state", "--poll.interval=1s", "--poll.overlap=4s",
		"--poll.reconcile-interval=3s", "--poll.reconcile-window=50s", "--poll.initial-window=5s", "--collector.zero-hold=2s", "--log.level=debug")
	program.dir = t.TempDir()
	return &killTest{t: t, server: server, program: program}
}

// startFirst starts the program for the first time. Chats that ended before are not
// counted, so there must be none yet.
func (k *killTest) startFirst() {
	k.t.Helper()
	k.start()
	k.await("a first poll and all of the past remembered", func(s samples) bool {
		return up(s) && strings.Contains(k.logged(), "msg=polled")
	})
}

func (k *killTest) run()            { k.current.Store(k.program.run(k.t)) }
func (k *killTest) start()          { k.run(); k.current.Load().waitListening() }
func (k *killTest) kill()           { k.current.Load().kill() }
func (k *killTest) logged() string  { return k.current.Load().logged() }
func (k *killTest) scrape() samples { return k.current.Load().scrape() }
func (k *killTest) await(what string, right func(samples) bool) samples {
	k.t.Helper()
	return k.current.Load().await(what, right)
}

// statePath returns the path of a file in the state's folder.
func (k *killTest) statePath(name string) string { return filepath.Join(k.program.dir, "state", name) }

// awaitRequest waits for a request after the first since.
func (k *killTest) awaitRequest(since int, what string, right func(wolkvoxtest.Request) bool) {
	k.t.Helper()
	pollUntil(k.t, waitLimit, time.Millisecond, what, func() bool { return slices.ContainsFunc(k.server.Requests()[since:], right) })
}

func (k *killTest) requestCount() int { return len(k.server.Requests()) }

func isSlow(r wolkvoxtest.Request) bool { return r.Fault == wolkvoxtest.SlowBody && r.Status == 0 }

func (k *killTest) awaitSlowResponse() {
	since := k.requestCount()
	k.server.FailNext(wolkvoxtest.SlowBody)
	k.awaitRequest(since, "a slow response under way", isSlow)
}

// restartWithBacklog kills the program, and starts it again after that many chats have ended.
func (k *killTest) restartWithBacklog(chats int) {
	k.kill()
	ended := func() int { return k.server.Truth(time.Now()).Total.Interactions }
	before, since := ended(), k.requestCount()
	eventually(k.t, "a backlog of chats", func() bool { return ended() >= before+chats })
	k.server.FailNext(wolkvoxtest.SlowBody)
	k.start()
	k.awaitRequest(since, "a first response under way", isSlow)
}

func (k *killTest) awaitResponse() {
	k.awaitRequest(k.requestCount(), "a response with rows", func(r wolkvoxtest.Request) bool { return r.Rows > 0 })
}

// isReconcile reports whether a request has the long window of a reconcile.
func isReconcile(r wolkvoxtest.Request) bool {
	from, _ := time.Parse("20060102150405", r.From)
	to, _ := time.Parse("20060102150405", r.To)
	return to.Sub(from) > 30*time.Second
}

// awaitReconcile waits for the request of a long window to be under way.
func (k *killTest) awaitReconcile() {
	k.awaitRequest(k.requestCount(), "a reconcile under way", func(r wolkvoxtest.Request) bool { return isReconcile(r) && r.Status == 0 })
}

// awaitMoreChats waits until watch has seen more chats.
func (k *killTest) awaitMoreChats() {
	k.t.Helper()
	before := k.shown.Load()
	k.awaitWatched("more chats", func() bool { return k.shown.Load() > before })
}

// awaitWatched waits until watch has seen something, or has failed the test.
func (k *killTest) awaitWatched(what string, so func() bool) {
	k.t.Helper()
	pollUntil(k.t, waitLimit, time.Millisecond, what, func() bool { return so() || k.t.Failed() })
}

// failSave makes saves fail, and kills the program after watch has scraped in that state.
func (k *killTest) failSave() {
	k.t.Helper()
	k.kill()
	obstacle := k.statePath("wv0042.state.previous")
	if err := errors.Join(os.Remove(obstacle), os.Mkdir(obstacle, 0o700)); err != nil {
		k.t.Fatal(err)
	}
	k.start()
	k.await("a save that fails", func(samples) bool { return strings.Contains(k.logged(), "keeping the previous generation") })
	// One may have been under way.
	enough := k.scrapes.Load() + 2
	k.awaitWatched("a scrape after that", func() bool { return k.scrapes.Load() >= enough })
	k.kill()
	if err := os.Remove(obstacle); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killTest) awaitSave() {
	k.t.Helper()
	path := k.statePath("wv0042.state")
	before, _ := os.Stat(path)
	pollUntil(k.t, waitLimit, time.Millisecond, "a save", func() bool {
		after, err := os.Stat(path)
		return err == nil && !os.SameFile(before, after)
	})
}

// watch scrapes continually until end is called, which reports the result.
func (k *killTest) watch() (end func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		last, totals := samples{}, map[float64]bool{}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				if len(totals) < 5 {
					k.t.Errorf("have seen %d totals on the way, want more", len(totals))
				}
				return
			case <-tick.C:
			}
			have, err := k.current.Load().tryScrape()
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
				k.brokenScrapes.Add(1)
			}
			if err != nil {
				continue // It was just killed, or does not listen yet.
			}
			if k.mayBeAbsent && len(have.chats()) == 0 {
				continue
			}
			truth := expected(k.server.Truth(time.Now()), "wv0042")
			if wrong := scrapeErrors(last, have, truth); wrong != "" {
				k.t.Errorf("a scrape shows what is not so:\n%s", wrong)
				return
			}
			last = have
			total := have.sum("wolkvox_chat_interactions_total")
			totals[total] = true
			k.shown.Store(int64(total))
			k.scrapes.Add(1)
		}
	}()
	end = sync.OnceFunc(func() { close(ended); <-done })
	k.t.Cleanup(end)
	return end
}

// scrapeErrors lists the series of a scrape that are above the truth at that moment, or
// below the scrape before it.
func scrapeErrors(before, have, truth samples) string {
	var lines strings.Builder
	for series, value := range have.chats() {
		if value > truth[series] {
			fmt.Fprintf(&lines, "%s: have %v, the truth is %v\n", series, value, truth[series])
		}
	}
	for series, was := range before {
		if value, ok := have[series]; isSavedSeries(series) && (!ok || value < was) {
			fmt.Fprintf(&lines, "%s: have %v after %v\n", series, value, was)
		}
	}
	return lines.String()
}

// isSavedSeries reports whether a series is part of the ledger, which a restart keeps.
func isSavedSeries(series string) bool {
	for _, prefix := range []string{
		"wolkvox_chat_", "wolkvox_exporter_records_total", "wolkvox_exporter_late_records_total",
		"wolkvox_exporter_field_errors_total", "wolkvox_exporter_complete_until_timestamp_seconds",
	} {
		if strings.HasPrefix(series, prefix) {
			return true
		}
	}
	return false
}

// wantAllChats waits until all chats are shown with the right values, and checks again
// after the last poll.
func (k *killTest) wantAllChats(chats int, watched func()) samples {
	k.t.Helper()
	truth := expected(k.server.Truth(time.Now().Add(time.Hour)), "wv0042")
	var diff string
	defer func() {
		if diff != "" {
			k.t.Errorf("the chats are not those of the truth:\n%s", diff)
		}
	}()
	compare := func(have samples) bool {
		diff = differences(have.chats(), truth)
		return diff == ""
	}
	k.await("all chats with all their values", compare)
	watched()

	k.server.FailAlways(wolkvoxtest.Maintenance)
	have := k.await("the end of the last poll", func(s samples) bool { return !up(s) })
	compare(have)
	outcomes := have.outcomes()
	if outcomes["counted"] != float64(chats) || outcomes["invalid"] != 0 || outcomes["expired"] != 0 || outcomes["seeded"] != 0 {
		k.t.Errorf("have outcomes %v, want %d counted and none invalid, expired or seeded", outcomes, chats)
	}
	return have
}
