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

// endingSoon makes chats, numbered from first on, that end one after the other
// from a time on. Every fourth began half a minute before, and some routing points
// come late.
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

// killing is a program that is killed and started again on the same state.
type killing struct {
	t       *testing.T
	server  *wolkvoxtest.Server
	program launch
	current atomic.Pointer[exporter]
	scrapes atomic.Int64 // that watch has made
	broken  atomic.Int64 // and those that a kill broke off
	shown   atomic.Int64 // chats in the newest scrape
}

// newKilling polls an operation under these readings as often as the flags
// allow, with a slow body of that long where the test asks for one.
func newKilling(t *testing.T, readings wolkvoxtest.Readings, slowBody time.Duration) *killing {
	t.Helper()
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Token:    testToken,
		Location: load(t, zone),
		Limits:   wolkvoxtest.Limits{RequestsPerDay: -1},
		SlowBody: slowBody,
		Readings: readings,
	})
	t.Cleanup(server.Close)
	program := against(server, "--wolkvox.server=0042", "--wolkvox.timezone="+zone, "--storage.path=state", "--poll.interval=1s", "--poll.overlap=4s",
		"--poll.reconcile-interval=3s", "--poll.reconcile-window=50s", "--poll.initial-window=5s", "--collector.zero-hold=2s", "--log.level=debug")
	program.dir = t.TempDir()
	return &killing{t: t, server: server, program: program}
}

// begin makes the first start. Whatever ended before is not to be counted, so
// no chat may be there yet.
func (k *killing) begin() {
	k.t.Helper()
	k.start()
	k.await("a first poll and all of the past remembered", func(s samples) bool {
		return up(s) && strings.Contains(k.logged(), "msg=polled")
	})
}

func (k *killing) run()            { k.current.Store(k.program.run(k.t)) }
func (k *killing) start()          { k.run(); k.current.Load().listens() }
func (k *killing) kill()           { k.current.Load().kill() }
func (k *killing) logged() string  { return k.current.Load().logged() }
func (k *killing) scrape() samples { return k.current.Load().scrape() }
func (k *killing) await(what string, right func(samples) bool) samples {
	k.t.Helper()
	return k.current.Load().await(what, right)
}

// state is the folder's path, or that of something in it.
func (k *killing) state(name string) string { return filepath.Join(k.program.dir, "state", name) }

// request waits for one after the first so many.
func (k *killing) request(since int, what string, right func(wolkvoxtest.Request) bool) {
	k.t.Helper()
	within(k.t, patience, time.Millisecond, what, func() bool { return slices.ContainsFunc(k.server.Requests()[since:], right) })
}

func (k *killing) requests() int { return len(k.server.Requests()) }

func slowly(r wolkvoxtest.Request) bool { return r.Fault == wolkvoxtest.SlowBody && r.Status == 0 }

func (k *killing) slowResponse() {
	since := k.requests()
	k.server.FailNext(wolkvoxtest.SlowBody)
	k.request(since, "a slow response under way", slowly)
}

// catchUp kills the program, and starts it when so many chats have ended.
func (k *killing) catchUp(chats int) {
	k.kill()
	ended := func() int { return k.server.Truth(time.Now()).Total.Interactions }
	before, since := ended(), k.requests()
	eventually(k.t, "a backlog of chats", func() bool { return ended() >= before+chats })
	k.server.FailNext(wolkvoxtest.SlowBody)
	k.start()
	k.request(since, "a first response under way", slowly)
}

func (k *killing) response() {
	k.request(k.requests(), "a response with rows", func(r wolkvoxtest.Request) bool { return r.Rows > 0 })
}

// reconciles tells the request of a long window from that of a poll.
func reconciles(r wolkvoxtest.Request) bool {
	from, _ := time.Parse("20060102150405", r.From)
	to, _ := time.Parse("20060102150405", r.To)
	return to.Sub(from) > 30*time.Second
}

// reconcile waits for the request of a long window to be under way.
func (k *killing) reconcile() {
	k.request(k.requests(), "a reconcile under way", func(r wolkvoxtest.Request) bool { return reconciles(r) && r.Status == 0 })
}

// figures waits until watch has seen more: what was shown must last.
func (k *killing) figures() {
	k.t.Helper()
	before := k.shown.Load()
	k.seen("more chats", func() bool { return k.shown.Load() > before })
}

// seen waits for something that watch is to see, unless that has ended with a
// complaint.
func (k *killing) seen(what string, so func() bool) {
	k.t.Helper()
	within(k.t, patience, time.Millisecond, what, func() bool { return so() || k.t.Failed() })
}

// failedSave kills the program when it cannot save what it has fetched, and
// watch has seen what it shows then.
func (k *killing) failedSave() {
	k.t.Helper()
	k.kill()
	obstacle := k.state("wv0042.state.previous")
	if err := errors.Join(os.Remove(obstacle), os.Mkdir(obstacle, 0o700)); err != nil {
		k.t.Fatal(err)
	}
	k.start()
	k.await("a save that fails", func(samples) bool { return strings.Contains(k.logged(), "keeping the previous generation") })
	// One may have been under way.
	enough := k.scrapes.Load() + 2
	k.seen("a scrape after that", func() bool { return k.scrapes.Load() >= enough })
	k.kill()
	if err := os.Remove(obstacle); err != nil {
		k.t.Fatal(err)
	}
}

func (k *killing) save() {
	k.t.Helper()
	path := k.state("wv0042.state")
	before, _ := os.Stat(path)
	within(k.t, patience, time.Millisecond, "a save", func() bool {
		after, err := os.Stat(path)
		return err == nil && !os.SameFile(before, after)
	})
}

// watch scrapes without end. The answer ends that and reports.
func (k *killing) watch() (end func()) {
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
				k.broken.Add(1)
			}
			if err != nil {
				continue // It was just killed, or does not listen yet.
			}
			truth := expected(k.server.Truth(time.Now()), "wv0042")
			if wrong := misled(last, have, truth); wrong != "" {
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

// misled tells where a scrape has more than the truth at that moment, or less
// than the scrape before it.
func misled(before, have, truth samples) string {
	var lines strings.Builder
	for series, value := range have.chats() {
		if value > truth[series] {
			fmt.Fprintf(&lines, "%s: have %v, the truth is %v\n", series, value, truth[series])
		}
	}
	for series, was := range before {
		if value, ok := have[series]; lasting(series) && (!ok || value < was) {
			fmt.Fprintf(&lines, "%s: have %v after %v\n", series, value, was)
		}
	}
	return lines.String()
}

// lasting tells a series of the book, which a restart does not set back.
func lasting(series string) bool {
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

// conclude waits until all of so many chats are shown as they are, and looks
// again after the last poll.
func (k *killing) conclude(chats int, watched func()) samples {
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
