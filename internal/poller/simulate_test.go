package poller

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// simulation is an operation, polled over HTTP through two virtual days and
// what the last chats need to be found. The poller is killed now and then.
type simulation struct {
	readings wolkvoxtest.Readings
	zone     *time.Location
	start    time.Time
	seed     uint64
	chats    int
	kills    int
	fail     func(n int) wolkvoxtest.Fault
}

// The longest chat, and how long after that the report may need.
const (
	day       = 24 * time.Hour
	longest   = 10 * time.Hour
	afterward = longest + 16*time.Hour
)

func (s simulation) run(t *testing.T) {
	t.Helper()
	time.Sleep(time.Until(s.start))
	random := rand.New(rand.NewPCG(s.seed, 0))
	server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
		Token: "t", Location: s.zone, Readings: s.readings,
		Limits: wolkvoxtest.Limits{SameMonth: true},
	})
	defer server.Close()
	server.Add(s.makeChats(random)...)
	if s.fail != nil {
		server.FailWith(s.fail)
	}
	base, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := wolkvox.NewClient(base, wolkvox.StaticToken("t"), wolkvox.WithTransport(server.Transport()))
	o := options()
	o.Zone = s.zone
	kept := &store.Memory{}

	seen := map[string]float64{}
	for end := s.start.Add(2*day + afterward); time.Now().Before(end); {
		p := newPoller(t, client, kept, o)
		ctx, kill := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			p.Run(ctx)
		}()
		life := 4 * day
		if s.kills > 0 {
			life = time.Duration(random.Int64N(int64(2 * 2 * day / time.Duration(s.kills))))
		}
		for died := time.Now().Add(life); time.Now().Before(died) && time.Now().Before(end); {
			time.Sleep(17 * time.Minute)
			s.check(t, p, server, seen)
		}
		kill()
		<-done
	}
	p := newPoller(t, client, kept, o)
	want := figuresOf(server.Truth(time.Now()))
	have := figuresOfView(p.Snapshot().View)
	if !maps.Equal(have, want) {
		t.Errorf("at the end, %+v:\n%s", s.readings, difference(have, want))
	}
	if most := server.MaxInFlight(); most > 1 {
		t.Errorf("requests at the same time: have %d, want 1", most)
	}
}

// check makes sure that nothing shown falls, or is more than what happened.
func (s simulation) check(t *testing.T, p *Poller, server *wolkvoxtest.Server, seen map[string]float64) {
	t.Helper()
	truth := figuresOf(server.Truth(time.Now()))
	have := figuresOfView(p.Snapshot().View)
	for name, value := range have {
		if value < seen[name] || value > truth[name] {
			t.Fatalf("%v, %+v: %s: have %v, was %v, truth %v", time.Since(s.start), s.readings, name, value, seen[name], truth[name])
		}
	}
	for name := range seen {
		if _, ok := have[name]; !ok {
			t.Fatalf("%v: %s has gone", time.Since(s.start), name)
		}
	}
	maps.Copy(seen, have)
}

// makeChats spreads chats over two days, from seconds to ten hours long. Some
// began before the exporter's first start; all end after it.
func (s simulation) makeChats(random *rand.Rand) []wolkvoxtest.Chat {
	chats := make([]wolkvoxtest.Chat, s.chats)
	for i := range chats {
		length := time.Duration(10+random.IntN(900)) * time.Second
		if random.IntN(4) == 0 {
			length = time.Duration(random.Int64N(int64(longest)))
		}
		end := s.start.Add(time.Second + time.Duration(random.Int64N(int64(2*day))))
		phone := fmt.Sprintf("57300%07d", i)
		c := wolkvoxtest.Chat{
			ConnID: fmt.Sprint(1000 + i), SessionID: phone + "@web", Start: end.Add(-length), End: end,
			BotTime: min(length, time.Duration(random.IntN(300))*time.Second), Total: length,
			Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, AgentChars: wolkvoxtest.Absent,
			RoutingPoint: fmt.Sprint(random.IntN(3)), Channel: []string{"web", "WhatsApp"}[random.IntN(2)],
			Customer: wolkvoxtest.Customer{Phone: phone}, Messages: random.IntN(40), CustomerChars: random.IntN(900),
			LastSender: []string{"chat_bot", "customer", "agent"}[random.IntN(3)],
		}
		if random.IntN(2) == 0 {
			c.HandedOff, c.AgentID = true, "77"
			c.Answer, c.HandleTime, c.AgentChars = time.Duration(random.IntN(600))*time.Second, length/2, random.IntN(5000)
		}
		chats[i] = c
	}
	return chats
}

// figuresOf flattens the server's account.
func figuresOf(truth wolkvoxtest.Truth) map[string]float64 {
	flat := map[string]float64{}
	for key, f := range truth.By {
		name := func(what string) string { return key.RoutingPoint + " " + key.Channel + " " + what }
		flat[name("interactions")] = float64(f.Interactions)
		flat[name("handoffs")] = float64(f.Handoffs)
		for sender, n := range f.LastSender {
			flat[name("last "+sender)] = float64(n)
		}
		for measure, stat := range []wolkvoxtest.Stat{
			f.BotTime, f.SpeedOfAnswer, f.HandleTime, f.Duration, f.Messages, f.CustomerChars, f.AgentChars,
		} {
			flat[name(fmt.Sprint("count ", measure))] = float64(stat.Count)
			flat[name(fmt.Sprint("sum ", measure))] = stat.Sum
		}
	}
	maps.DeleteFunc(flat, func(_ string, value float64) bool { return value == 0 })
	return flat
}

// figuresOfView flattens what the exporter shows.
func figuresOfView(view *ledger.View) map[string]float64 {
	flat := map[string]float64{}
	for _, set := range view.LabelSets {
		name := func(what string) string { return set.RoutingPoint + " " + set.Channel + " " + what }
		flat[name("interactions")] = float64(set.Interactions)
		flat[name("handoffs")] = float64(set.Handoffs)
		for sender, n := range set.LastSender {
			flat[name("last "+wolkvox.LastSender(sender).String())] = float64(n)
		}
		for measure, h := range set.Histograms {
			flat[name(fmt.Sprint("count ", measure))] = float64(h.Count)
			flat[name(fmt.Sprint("sum ", measure))] = h.Sum
		}
	}
	maps.DeleteFunc(flat, func(_ string, value float64) bool { return value == 0 })
	return flat
}

func difference(have, want map[string]float64) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if have[name] != want[name] {
			fmt.Fprintf(&b, "%s: have %v, want %v\n", name, have[name], want[name])
		}
	}
	for name := range have {
		if _, ok := want[name]; !ok {
			fmt.Fprintf(&b, "%s: have %v, want none\n", name, have[name])
		}
	}
	return b.String()
}

func TestEveryChatIsCountedOnceUnderEveryReadingWhateverIsKilled(t *testing.T) {
	zones := []string{"America/Bogota", "America/Santiago", "Europe/Madrid", "America/Mexico_City", "Asia/Kathmandu"}
	// Nights of clock changes, both ways, among them; a month's end in each.
	starts := []time.Time{
		time.Date(2026, 1, 30, 20, 11, 0, 0, time.UTC),
		time.Date(2025, 4, 5, 12, 0, 7, 0, time.UTC),    // Santiago, back
		time.Date(2025, 10, 25, 12, 30, 0, 0, time.UTC), // Madrid, back
		time.Date(2026, 3, 28, 12, 0, 59, 0, time.UTC),  // Madrid, forward
		time.Date(2021, 10, 30, 3, 0, 0, 0, time.UTC),   // Mexico, back
		time.Date(2025, 9, 6, 1, 2, 3, 0, time.UTC),     // Santiago, forward
	}
	readings := map[string]wolkvoxtest.Readings{}
	random := rand.New(rand.NewPCG(1, 2))
	for i := range mixes() {
		readings[fmt.Sprint("mix ", i)] = anyReadings(random)
	}
	if torture {
		maps.Insert(readings, wolkvoxtest.EveryReading())
	}
	for i, name := range slices.Sorted(maps.Keys(readings)) {
		s := simulation{
			readings: readings[name], seed: uint64(i), chats: 200, kills: i % 4,
			start: starts[i%len(starts)], zone: mustLoad(zones[i%len(zones)]),
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, s.run)
		})
	}
}

// torture asks for the long part of the tests.
var torture = os.Getenv("TORTURE") != ""

// mixes is how many combinations of readings are tried.
func mixes() int {
	if torture {
		return 100
	}
	return 12
}

func anyReadings(random *rand.Rand) wolkvoxtest.Readings {
	late := []time.Duration{0, 11 * time.Minute, 3 * time.Hour}[random.IntN(3)]
	return wolkvoxtest.Readings{
		SelectOn:      wolkvoxtest.SelectOn(random.IntN(2)),
		Ends:          wolkvoxtest.Ends(random.IntN(3)),
		ListOpen:      wolkvoxtest.ListOpen(random.IntN(3)),
		FillDelay:     []time.Duration{0, 0, 17 * time.Minute}[random.IntN(3)],
		Lateness:      func(c wolkvoxtest.Chat) time.Duration { return late * time.Duration(c.Messages%2) },
		Empty:         wolkvoxtest.Empty(random.IntN(5)),
		Durations:     wolkvoxtest.Durations(random.IntN(3)),
		NumbersAsJSON: random.IntN(2) == 0,
		Absent:        wolkvoxtest.AbsentAs(random.IntN(3)),
		Yes:           wolkvoxtest.Yes(random.IntN(7)),
		BotConnID:     wolkvoxtest.BotConnID(random.IntN(2)),
		Cut:           wolkvoxtest.Cut(random.IntN(2)),
		CodeAsString:  random.IntN(2) == 0,
		DateStyle:     wolkvoxtest.DateStyle(random.IntN(3)),
	}
}
