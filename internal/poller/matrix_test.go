package poller

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// scenario has one answer to every question that the vendor's documents leave open, a
// place and a time of the year, and perhaps faults.
type scenario struct {
	readings wolkvoxtest.Readings
	lateness time.Duration
	place    place
	kills    int
	faults   bool
	prompt   bool // polls find every chat
}

// place is a zone and two days in it.
type place struct {
	zone  *time.Location
	start time.Time
	// matters is when the clocks change, or else a month ends.
	matters time.Time
}

func newPlace(zone, start string) place {
	from, err := time.Parse(time.DateTime, start)
	if err != nil {
		panic(err)
	}
	p := place{zone: mustLoad(zone), start: from}
	local := from.In(p.zone)
	if _, p.matters = local.ZoneBounds(); p.matters.IsZero() || p.matters.Sub(from) > 2*day {
		p.matters = time.Date(local.Year(), local.Month()+1, 1, 0, 0, 0, 0, p.zone)
	}
	return p
}

// change returns how far the clocks are put forward within the two days; negative if back.
func (p place) change() time.Duration {
	_, before := p.start.In(p.zone).Zone()
	_, after := p.start.Add(2 * day).In(p.zone).Zone()
	return time.Duration(after-before) * time.Second
}

var places = []place{
	newPlace("America/Bogota", "2026-01-30 20:11:00"),
	newPlace("Asia/Kathmandu", "2025-12-30 06:00:00"),
	newPlace("Europe/Madrid", "2026-02-27 12:00:00"),
	newPlace("Europe/Madrid", "2026-03-28 12:00:59"),
	newPlace("Europe/Madrid", "2025-10-25 12:30:00"),
	newPlace("America/Santiago", "2025-09-06 01:02:03"), // at midnight: the day has 23 hours
	newPlace("America/Santiago", "2025-04-05 12:00:07"),
	newPlace("America/Mexico_City", "2021-04-03 12:00:00"),
	newPlace("America/Mexico_City", "2021-10-30 03:00:00"),
	newPlace("Australia/Lord_Howe", "2025-10-04 00:00:00"), // by half an hour
	newPlace("Australia/Lord_Howe", "2026-04-04 00:00:00"),
}

// latenesses are the answers to U5. Half of all chats are that late.
var latenesses = []time.Duration{0, 11 * time.Minute, 3 * time.Hour}

// spellings are the answers to U15, for all keys; nil is the documented spelling.
var spellings = []func(string) string{nil, strings.ToUpper, func(key string) string { return " " + key + " " }}

// dimension is a question and the number of its answers.
type dimension struct {
	name    string
	answers int
	give    func(s *scenario, answer int)
}

var dimensions = []dimension{
	{"place", len(places), func(s *scenario, a int) { s.place = places[a] }},
	{"U9", 7, func(s *scenario, a int) { s.readings.Yes = wolkvoxtest.Yes(a) }},
	{"U6", 8, func(s *scenario, a int) { s.readings.Empty = wolkvoxtest.Empty(a) }},
	{"U2", 3, func(s *scenario, a int) { s.readings.Ends = wolkvoxtest.Ends(a) }},
	{"U3", 3, func(s *scenario, a int) { s.readings.ListOpen = wolkvoxtest.ListOpen(a) }},
	{"U5", len(latenesses), func(s *scenario, a int) {
		s.lateness = latenesses[a]
		s.readings.Lateness = func(c wolkvoxtest.Chat) time.Duration { return s.lateness * time.Duration(c.Messages%2) }
	}},
	{"U8", 4, func(s *scenario, a int) { s.readings.Durations = wolkvoxtest.Durations(a) }},
	{"absent", 5, func(s *scenario, a int) { s.readings.Absent = wolkvoxtest.AbsentAs(a) }},
	{"dates", 5, func(s *scenario, a int) { s.readings.DateStyle = wolkvoxtest.DateStyle(a) }},
	{"U1", 2, func(s *scenario, a int) { s.readings.SelectOn = wolkvoxtest.SelectOn(a) }},
	{"U4", 2, func(s *scenario, a int) { s.readings.FillDelay = time.Duration(a) * 17 * time.Minute }},
	{"numbers", 2, func(s *scenario, a int) { s.readings.NumbersAsJSON = a == 1 }},
	{"U10", 2, func(s *scenario, a int) { s.readings.BotConnID = wolkvoxtest.BotConnID(a) }},
	{"U11", 2, func(s *scenario, a int) { s.readings.Cut = wolkvoxtest.Cut(a) }},
	{"code", 2, func(s *scenario, a int) { s.readings.CodeAsString = a == 1 }},
	{"kills", 2, func(s *scenario, a int) { s.kills = 3 * a }},
	{"U14", 4, func(s *scenario, a int) { s.readings.Message = wolkvoxtest.Message(a) }},
	{"U15", len(spellings), func(s *scenario, a int) {
		if a > 0 {
			s.readings.Keys.Names = wolkvoxtest.EveryKey(spellings[a])
		}
	}},
	{"code of a success", 9, func(s *scenario, a int) { s.readings.Code = wolkvoxtest.Code(a) }},
	{"error of a success", 4, func(s *scenario, a int) { s.readings.Error = wolkvoxtest.ErrorText(a) }},
	{"data", 5, func(s *scenario, a int) { s.readings.Data = wolkvoxtest.Data(a) }},
	{"decimals", 2, func(s *scenario, a int) { s.readings.Decimals = a == 1 }},
	{"faults", 2, func(s *scenario, a int) { s.faults = a == 1 }},
}

// combination is an answer to each dimension.
type combination []int

func anyCombination(random *rand.Rand) combination {
	c := make(combination, len(dimensions))
	for i, d := range dimensions {
		c[i] = random.IntN(d.answers)
	}
	return c
}

func (c combination) scenario() scenario {
	var s scenario
	for i, d := range dimensions {
		d.give(&s, c[i])
	}
	switch s.readings.Empty {
	case wolkvoxtest.NullData, wolkvoxtest.EmptyObject, wolkvoxtest.EmptyText, wolkvoxtest.FalseData:
		if s.readings.Data == wolkvoxtest.DataBare {
			s.readings.Empty = wolkvoxtest.EmptyArray // Without an envelope, the others say nothing.
		}
	default:
	}
	if s.readings.Code == wolkvoxtest.CodeMissing && s.readings.Message == wolkvoxtest.MessageSilent {
		s.readings.Message = wolkvoxtest.MessageReturned // Or nothing says that an empty report is one.
	}
	s.prompt = s.readings.SelectOn == wolkvoxtest.End && s.lateness <= options().Overlap
	return s
}

func (c combination) String() string {
	var b strings.Builder
	for i, d := range dimensions {
		fmt.Fprintf(&b, "%s=%d ", d.name, c[i])
	}
	return strings.TrimSpace(b.String())
}

// pair is an answer in each of two dimensions.
type pair struct{ d1, a1, d2, a2 int }

func toPair(d1, a1, d2, a2 int) pair {
	if d1 > d2 {
		d1, a1, d2, a2 = d2, a2, d1, a1
	}
	return pair{d1, a1, d2, a2}
}

// pairs returns all pairs, the dimensions with the most answers first.
func pairs() []pair {
	var all []pair
	for d1 := range dimensions {
		for d2 := d1 + 1; d2 < len(dimensions); d2++ {
			for a1 := range dimensions[d1].answers {
				for a2 := range dimensions[d2].answers {
					all = append(all, pair{d1, a1, d2, a2})
				}
			}
		}
	}
	return all
}

// matrix returns combinations that contain every pair of answers. Each begins with a
// pair that is not in an earlier one. Each further dimension gets the answer that adds
// the most new pairs.
func matrix() []combination {
	random := rand.New(rand.NewPCG(1, 0))
	met := map[pair]bool{}
	var all []combination
	for _, p := range pairs() {
		if met[p] {
			continue
		}
		c := make(combination, len(dimensions))
		given := []int{p.d1, p.d2}
		c[p.d1], c[p.d2] = p.a1, p.a2
		for d := range dimensions {
			if d == p.d1 || d == p.d2 {
				continue
			}
			best := -1
			// Among equal answers, the choice is random.
			for _, a := range random.Perm(dimensions[d].answers) {
				news := 0
				for _, g := range given {
					if !met[toPair(g, c[g], d, a)] {
						news++
					}
				}
				if news > best {
					best, c[d] = news, a
				}
			}
			given = append(given, d)
		}
		for d1 := range dimensions {
			for d2 := d1 + 1; d2 < len(dimensions); d2++ {
				met[pair{d1, c[d1], d2, c[d2]}] = true
			}
		}
		all = append(all, c)
	}
	return all
}

// eachAnswerOnce returns combinations of the matrix that contain each answer at least once.
func eachAnswerOnce(random *rand.Rand) []combination {
	type answer struct{ d, a int }
	given := map[answer]bool{}
	news := func(c combination) (n int) {
		for d, a := range c {
			if !given[answer{d, a}] {
				n++
			}
		}
		return n
	}
	all := matrix()
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var some []combination
	for {
		best := all[0]
		for _, c := range all {
			if news(c) > news(best) {
				best = c
			}
		}
		if news(best) == 0 {
			return some
		}
		for d, a := range best {
			given[answer{d, a}] = true
		}
		some = append(some, best)
	}
}

func TestCombinations_CoverAllPairs(t *testing.T) {
	all := matrix()
	if len(all) < 60 {
		t.Errorf("combinations: have %d, want 60 or more", len(all))
	}
	for _, p := range pairs() {
		if !hasPair(all, p) {
			t.Errorf("no combination has %s=%d and %s=%d", dimensions[p.d1].name, p.a1, dimensions[p.d2].name, p.a2)
		}
	}
	t.Logf("%d combinations, %d pairs", len(all), len(pairs()))
}

func hasPair(all []combination, p pair) bool {
	for _, c := range all {
		if c[p.d1] == p.a1 && c[p.d2] == p.a2 {
			return true
		}
	}
	return false
}

func TestPlaces_CoverZonesAndClockChanges(t *testing.T) {
	zones, forward, back := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, p := range places {
		zones[p.zone.String()] = true
		switch change := p.change(); {
		case change > 0:
			forward[p.zone.String()] = true
		case change < 0:
			back[p.zone.String()] = true
		}
	}
	if len(zones) < 5 || len(forward) < 4 || len(back) != len(forward) {
		t.Errorf("have %d zones, %d nights forward, %d back, want 5 or more, and 4 or more of each", len(zones), len(forward), len(back))
	}
}

func TestPoller_CountsEveryChatOnceUnderEveryReadingThroughKills(t *testing.T) {
	const seed = 1
	random := rand.New(rand.NewPCG(seed, 0))
	if !torture {
		for i, c := range eachAnswerOnce(random) {
			if sampled(i) {
				play(t, c.scenario(), c.String(), uint64(i))
			}
		}
		return
	}
	for i, c := range matrix() {
		play(t, c.scenario(), c.String(), uint64(i))
	}
	for i := range 100 {
		c := anyCombination(random)
		play(t, c.scenario(), "mix: "+c.String(), uint64(1000+i))
	}
	for name, readings := range wolkvoxtest.EveryReading() {
		at := random.IntN(len(places))
		play(t, scenario{readings: readings, place: places[at], kills: 1}, fmt.Sprint(name, " place=", at), 1)
	}
	for name, readings := range wolkvoxtest.EveryVariant() {
		if readings.HandoffsOnly || readings.Growth != nil || readings.WrongType != nil {
			continue // These leave something out, or change it: see TestPoller_LosesNoChatUnderAnyVariant.
		}
		at := random.IntN(len(places))
		play(t, scenario{readings: readings, place: places[at], kills: 1, faults: true}, fmt.Sprint(name, " place=", at), 2)
	}
}

// play simulates two days of chats, and the hours in which the last of them are found.
func play(t *testing.T, sc scenario, name string, seed uint64) {
	t.Helper()
	t.Run(fmt.Sprint(name, " seed=", seed), func(t *testing.T) {
		t.Parallel()
		start, end := sc.place.start, sc.place.start.Add(2*day)
		s := newSimulation(seed, sc.place.zone)
		s.readings, s.slow, s.prompt = sc.readings, sc.kills > 0, sc.prompt
		if sc.faults {
			s.fail = s.faultsBetween(start.Add(time.Hour), end)
		}
		chats := s.makeChats(200, start.Add(time.Second), end, sc.place.matters)
		// Chats that had ended by the first start are not counted.
		before := s.makeChats(20, start.Add(-day), start.Add(-4*time.Hour), start)
		s.chats = slices.Concat(chats, at(never, before))
		s.liveThrough(t, start, end.Add(8*time.Hour), sc.kills)
		s.wantAll(t, chats)
	})
}

// faultsBetween returns faults for a tenth of the requests within a time.
func (s *simulation) faultsBetween(from, to time.Time) func(int) wolkvoxtest.Fault {
	random := rand.New(rand.NewPCG(s.random.Uint64(), 0))
	faults := []wolkvoxtest.Fault{
		wolkvoxtest.ServerError, wolkvoxtest.Maintenance, wolkvoxtest.PHPFatal, wolkvoxtest.CutBody,
		wolkvoxtest.CutConnection, wolkvoxtest.TokenBusy, wolkvoxtest.Hang, wolkvoxtest.RateLimited,
	}
	return func(int) wolkvoxtest.Fault {
		if now := time.Now(); now.Before(from) || now.After(to) || random.IntN(10) > 0 {
			return wolkvoxtest.None
		}
		return faults[random.IntN(len(faults))]
	}
}
