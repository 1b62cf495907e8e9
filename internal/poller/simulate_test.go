package poller

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const day = 24 * time.Hour

// torture is true if the long part of the tests is to run.
var torture = os.Getenv("TORTURE") != ""

// sampled reports whether to run the i-th of many simulations. With -short, which make
// test uses with the race detector, every tenth is enough: all of them run the same code,
// seven times slower than without it.
func sampled(i int) bool { return !testing.Short() || i%10 == 0 }

// simulation is an operation and an exporter that polls it over HTTP. The exporter is
// started once or several times, always on the same state.
type simulation struct {
	readings wolkvoxtest.Readings
	zone     *time.Location // the operation's
	chats    []wolkvoxtest.Chat
	options  Options // the exporter's; its zone and clock may be wrong
	random   *rand.Rand

	// ahead is how far the operation's clock is ahead of ours.
	ahead func(ours time.Time) time.Duration
	// header changes the header of a response.
	header func(http.Header)
	// fail returns the fault of a request.
	fail func(n int) wolkvoxtest.Fault
	// slow makes requests take some seconds, so that a kill can interrupt one.
	slow bool
	// prompt is true if polls find every chat, so that the ledger is complete up to its
	// CompleteUntil.
	prompt bool

	kept     store.Memory
	shown    figures        // at the last comparison
	latest   atomic.Int64   // latest time of a request on the operation's clock
	requests map[string]int // by the day of our clock
}

func newSimulation(seed uint64, zone *time.Location) *simulation {
	s := &simulation{
		zone: zone, options: options(), random: rand.New(rand.NewPCG(seed, 0)),
		ahead:  func(time.Time) time.Duration { return 0 },
		header: func(http.Header) {}, fail: func(int) wolkvoxtest.Fault { return wolkvoxtest.None },
		shown: figures{}, requests: map[string]int{},
	}
	s.options.Zone, s.options.ZoneProbeInterval = zone, time.Hour
	return s
}

// live runs an exporter for a while and checks what it shows. Each life has a clock of its
// own, so a later one may begin earlier.
func (s *simulation) live(t *testing.T, from time.Time, lasts time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(from))
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
			Token: "t", Location: s.zone, Readings: s.readings, Now: s.operationsClock,
			Limits: wolkvoxtest.Limits{SameMonth: true},
		})
		defer server.Close()
		server.Add(s.chats...)
		server.FailWith(s.fail)
		base, err := url.Parse(server.URL())
		if err != nil {
			t.Fatal(err)
		}
		// Compressing responses takes more time than all the rest.
		transport := &http.Transport{DialContext: server.DialContext, DisableCompression: true}
		defer transport.CloseIdleConnections()
		client := wolkvox.NewClient(base, wolkvox.StaticToken("t"), wolkvox.WithTransport(s.wire(transport)))
		p := newPoller(t, client, &s.kept, s.options)

		ctx, kill := context.WithCancel(t.Context())
		defer kill()
		died := make(chan struct{})
		go func() {
			defer close(died)
			p.Run(ctx)
		}()
		for until := from.Add(lasts); time.Now().Before(until); {
			time.Sleep(min(17*time.Minute, time.Until(until)))
			s.checkView(t, p, server)
		}
		kill()
		<-died
		if most := server.MaxInFlight(); most > 1 {
			t.Errorf("requests at the same time: have %d, want 1", most)
		}
	})
}

// operationsClock returns the operation's clock, and records it as the latest time that the
// poller can know of.
func (s *simulation) operationsClock() time.Time {
	now := time.Now()
	now = now.Add(s.ahead(now))
	s.latest.Store(max(s.latest.Load(), now.UnixNano()))
	return now
}

// wire returns a transport that counts requests, changes headers and delays responses.
func (s *simulation) wire(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		s.requests[time.Now().Format(time.DateOnly)]++
		response, err := next.RoundTrip(request)
		if err != nil {
			return nil, err
		}
		s.header(response.Header)
		if s.slow {
			// A kill in the meantime shows when the body is read.
			_ = reader.Sleep(request.Context(), time.Duration(s.random.Int64N(int64(20*time.Second))))
		}
		return response, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return f(request) }

// checkView checks that no figure falls or is above the truth.
func (s *simulation) checkView(t *testing.T, p *Poller, server *wolkvoxtest.Server) {
	t.Helper()
	truth := figuresOfTruth(server.Truth(time.Unix(0, s.latest.Load())))
	view := p.Snapshot().View
	wantWholeHistograms(t, view)
	have := collectFigures(view)
	for name, value := range have {
		if value < s.shown[name] || value > truth[name] {
			t.Fatalf("%s, %s: have %v, was %v, truth %v", time.Now(), name, value, s.shown[name], truth[name])
		}
	}
	for name := range s.shown {
		if _, ok := have[name]; !ok {
			t.Fatalf("%s, %s: have nothing, was %v", time.Now(), name, s.shown[name])
		}
	}
	s.shown = have
	if s.prompt {
		// The API's clock is known to a second.
		wantNoLess(t, have, figuresOfTruth(server.Truth(view.Progress.CompleteUntil.Add(-time.Second))))
	}
}

// The routing points of chats that had ended before the first start: those that
// the exporter may count, and those that it must not.
const (
	perhaps = "perhaps"
	never   = "never"
)

// liveThrough runs exporters from one time to the other with a number of kills, none of
// them within the first hour: before its first successful poll an exporter counts nothing.
func (s *simulation) liveThrough(t *testing.T, from, to time.Time, kills int) {
	t.Helper()
	for ; kills > 0; kills-- {
		dies := from.Add(time.Hour + time.Duration(s.random.Int64N(2*int64(to.Sub(from))/int64(kills+1))))
		if !dies.Before(to) {
			break
		}
		s.live(t, from, dies.Sub(from))
		from = dies
	}
	s.live(t, from, to.Sub(from))
}

// onDisk returns the figures that a start would load.
func (s *simulation) onDisk(t *testing.T) figures {
	t.Helper()
	view := newPoller(t, nil, &s.kept, s.options).Snapshot().View
	flat := collectFigures(view)
	maps.Copy(flat, findBuckets(view))
	return flat
}

// wantAll compares the saved figures with those of the chats.
func (s *simulation) wantAll(t *testing.T, chats []wolkvoxtest.Chat) {
	t.Helper()
	have, want := s.onDisk(t), expectedFigures(chats)
	maps.DeleteFunc(have, func(name string, _ float64) bool { return strings.HasPrefix(name, perhaps) })
	if !maps.Equal(have, want) {
		t.Errorf("at the end:\n%s", difference(have, want))
	}
}

// wantNoLess checks that figures are not below others, apart from chats that had ended
// before the first start.
func wantNoLess(t *testing.T, have, least figures) {
	t.Helper()
	for name, value := range least {
		if have[name] < value && !strings.HasPrefix(name, perhaps) && !strings.HasPrefix(name, never) {
			t.Fatalf("%s, %s: have %v, want %v or more", time.Now(), name, have[name], value)
		}
	}
}

// mostRequests returns the number of requests on the busiest day.
func (s *simulation) mostRequests() int {
	most := 0
	for _, n := range s.requests {
		most = max(most, n)
	}
	return most
}

// warnings returns the number of warnings that begin with a text.
func (l *lines) warnings(text string) int {
	return l.count("level=warn operation=test msg=\"" + text)
}

// longest is the greatest length of a chat.
const longest = 10 * time.Hour

// makeChats makes chats that end between from and to, from seconds to ten hours
// long. A quarter of them end within two hours of a moment that matters.
func (s *simulation) makeChats(n int, from, to, matters time.Time) []wolkvoxtest.Chat {
	chats := make([]wolkvoxtest.Chat, 0, n)
	for len(chats) < n {
		end := from.Add(time.Duration(s.random.Int64N(int64(to.Sub(from)))))
		if s.random.IntN(4) == 0 {
			end = matters.Add(time.Duration(s.random.Int64N(int64(4*time.Hour))) - 2*time.Hour)
		}
		if !end.After(from) || !end.Before(to) {
			continue
		}
		length := time.Duration(10+s.random.IntN(900)) * time.Second
		if s.random.IntN(4) == 0 {
			length += time.Duration(s.random.Int64N(int64(longest - time.Hour)))
		}
		c := s.makeChat(len(chats), end.Add(-length), end)
		if s.besideAMonthsEnd(c.Start) || s.besideAMonthsEnd(c.End) {
			continue
		}
		chats = append(chats, c)
	}
	return chats
}

// makeChat makes the n-th chat. A customer has several.
func (s *simulation) makeChat(n int, start, end time.Time) wolkvoxtest.Chat {
	const each = 4
	// Even without a conn_id these are different chats: no two begin at the same time.
	start = start.Truncate(each * time.Second).Add(time.Duration(n%each) * time.Second)
	length := end.Sub(start)
	phone := fmt.Sprintf("57300%07d", n/each)
	c := wolkvoxtest.Chat{
		ConnID: fmt.Sprint(1000 + n), SessionID: phone + "@web", Start: start, End: end,
		BotTime: min(length, time.Duration(s.random.IntN(300))*time.Second), Total: length,
		Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, AgentChars: wolkvoxtest.Absent,
		RoutingPoint: fmt.Sprint(s.random.IntN(3)), Channel: []string{"web", "WhatsApp"}[s.random.IntN(2)],
		Customer: wolkvoxtest.Customer{Phone: phone}, Messages: s.random.IntN(40), CustomerChars: s.random.IntN(900),
		LastSender: []string{"chat_bot", "customer", "agent"}[s.random.IntN(3)],
	}
	if s.random.IntN(2) == 0 {
		c.HandedOff, c.AgentID = true, "77"
		c.Answer, c.HandleTime, c.AgentChars = time.Duration(s.random.IntN(600))*time.Second, length/2, s.random.IntN(5000)
	}
	return c
}

// at moves chats to a routing point.
func at(routingPoint string, chats []wolkvoxtest.Chat) []wolkvoxtest.Chat {
	for i := range chats {
		chats[i].ConnID += routingPoint
		chats[i].RoutingPoint = routingPoint
	}
	return chats
}

// besideAMonthsEnd reports whether t is in the first or the last second of a month. If the
// API excludes both ends of a range, no range contains that second.
func (s *simulation) besideAMonthsEnd(t time.Time) bool {
	t = t.In(s.zone)
	return t.Add(-time.Second).Month() != t.Add(time.Second).Month()
}
