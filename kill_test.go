package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// A program that is killed at the worst moments, under the least handy readings
// of the API, shows at no time a chat more than there are, and in the end all.
func TestEveryChatCountsOnceThroughKills(t *testing.T) {
	t.Parallel()
	const chats = 5000
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Token:    testToken,
		Location: load(t, zone),
		Limits:   wolkvoxtest.Limits{RequestsPerDay: -1},
		SlowBody: 3 * time.Second,
		Readings: wolkvoxtest.Readings{
			SelectOn:  wolkvoxtest.Start,
			Ends:      wolkvoxtest.BothExclusive,
			ListOpen:  wolkvoxtest.DashEnd,
			BotConnID: wolkvoxtest.Dash,
			FillDelay: 2 * time.Second,
			Lateness: func(c wolkvoxtest.Chat) time.Duration {
				return time.Duration(c.Messages%10/9) * 3 * time.Second
			},
		},
	})
	defer server.Close()
	program := against(server, "--wolkvox.server=0042", "--wolkvox.timezone="+zone, "--storage.path=state", "--poll.interval=1s", "--poll.overlap=4s",
		"--poll.reconcile-interval=3s", "--poll.reconcile-window=10m", "--poll.initial-window=5s", "--collector.zero-hold=2s", "--log.level=debug")
	program.dir = t.TempDir()
	k := &killing{t: t, server: server, program: program}

	// Whatever ends before the first start is not to be counted: nothing does.
	k.start()
	k.await("a first poll and all of the past remembered", func(s samples) bool {
		return up(s) && strings.Contains(k.logged(), "msg=polled")
	})
	server.Add(endingSoon(chats, time.Now().Add(time.Second), 10*time.Second)...)
	watched := k.watch()

	for _, moment := range []struct {
		name  string
		await func()
	}{
		{"a slow response", k.slowResponse},
		{"a save", k.save},
		{"a response", k.response},
		{"the sight of new figures", k.figures},
		{"catching up", func() { k.catchUp(200) }},
		{"a reconcile", k.reconcile},
		{"the save after a restart", k.save},
	} {
		moment.await()
		k.kill()
		t.Logf("killed at %s", moment.name)
		k.start()
	}
	// The last one's rows are to add up: nothing is fetched before they are looked at.
	k.kill()
	server.FailAlways(wolkvoxtest.Maintenance)
	before := len(server.Requests())
	k.start()
	rows := k.scrape().sum("wolkvox_exporter_records_total")
	server.Recover()

	truth := expected(server.Truth(time.Now().Add(time.Hour)), "wv0042")
	k.await("all chats", func(s samples) bool { return s.sum("wolkvox_chat_interactions_total") >= chats })
	eventually(t, "all values", func() bool { return differences(k.scrape().chats(), truth) == "" })
	watched()

	server.FailAlways(wolkvoxtest.Maintenance)
	have := k.await("the end of the last poll", func(s samples) bool { return !up(s) })
	if diff := differences(have.chats(), truth); diff != "" {
		t.Errorf("the chats are not those of the truth:\n%s", diff)
	}
	outcomes := have.outcomes()
	if outcomes["counted"] != chats || outcomes["invalid"] != 0 || outcomes["expired"] != 0 || outcomes["seeded"] != 0 {
		t.Errorf("have outcomes %v, want %d counted and none invalid, expired or seeded", outcomes, chats)
	}
	served := 0
	for _, request := range server.Requests()[before:] {
		served += request.Rows
	}
	if booked := have.sum("wolkvox_exporter_records_total") - rows; booked != float64(served) {
		t.Errorf("have %v rows booked since the last start, want the %d that were fetched", booked, served)
	}
}

// endingSoon makes chats that end one after the other from a time on. Every
// fourth began minutes before, and some routing points come late.
func endingSoon(n int, from time.Time, over time.Duration) []wolkvoxtest.Chat {
	channels := []string{"whatsapp", "web", "Facebook"}
	chats := make([]wolkvoxtest.Chat, n)
	for i := range chats {
		length := time.Duration(i%20) * time.Second
		if i%4 == 0 {
			length += 5 * time.Minute
		}
		end := from.Add(over * time.Duration(i) / time.Duration(n))
		chats[i] = wolkvoxtest.Chat{
			ConnID: strconv.Itoa(7_000_000 + i), SessionID: "session" + strconv.Itoa(i), Start: end.Add(-length), End: end,
			BotTime: time.Duration(i%90) * time.Second, Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, Total: length,
			RoutingPoint: strconv.Itoa(1101 + i%3 + 10*(i/1500)), Channel: channels[i/3%len(channels)],
			Messages: i % 40, CustomerChars: i % 700, AgentChars: wolkvoxtest.Absent, LastSender: "chat_bot",
		}
		if c := &chats[i]; i%3 != 0 {
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
}

func (k *killing) start()          { k.current.Store(k.program.start(k.t)) }
func (k *killing) kill()           { k.current.Load().kill() }
func (k *killing) logged() string  { return k.current.Load().logged() }
func (k *killing) scrape() samples { return k.current.Load().scrape() }
func (k *killing) await(what string, right func(samples) bool) samples {
	k.t.Helper()
	return k.current.Load().await(what, right)
}

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

// reconcile waits for the request of a long window to be under way.
func (k *killing) reconcile() {
	k.request(k.requests(), "a reconcile under way", func(r wolkvoxtest.Request) bool {
		from, _ := time.Parse("20060102150405", r.From)
		to, _ := time.Parse("20060102150405", r.To)
		return to.Sub(from) > 5*time.Minute && r.Status == 0
	})
}

// figures waits until a scrape shows more: what is shown must last.
func (k *killing) figures() {
	total := func() float64 { return k.scrape().sum("wolkvox_chat_interactions_total") }
	before := total()
	within(k.t, patience, time.Millisecond, "more chats", func() bool { return total() > before })
}

func (k *killing) save() {
	path := filepath.Join(k.program.dir, "state", "wv0042.state")
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
			if err != nil {
				continue // It was just killed.
			}
			truth := expected(k.server.Truth(time.Now()), "wv0042")
			if wrong := misled(last, have, truth); wrong != "" {
				k.t.Errorf("a scrape shows what is not so:\n%s", wrong)
				return
			}
			last = have
			totals[have.sum("wolkvox_chat_interactions_total")] = true
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
		lasting := strings.HasPrefix(series, "wolkvox_chat_") || strings.HasPrefix(series, "wolkvox_exporter_records_total")
		if value, ok := have[series]; lasting && (!ok || value < was) {
			fmt.Fprintf(&lines, "%s: have %v after %v\n", series, value, was)
		}
	}
	return lines.String()
}
