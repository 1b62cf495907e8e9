package wolkvoxtest_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

var demo = wolkvoxtest.Day(wolkvoxtest.DayConfig{Seed: 42, Location: bogota})

func started(from time.Time, d time.Duration) []wolkvoxtest.Chat {
	return slices.Collect(demo.Started(from, from.Add(d)))
}

func TestDay_IsIndependentOfRanges(t *testing.T) {
	whole := started(noon, 3*time.Hour)
	var pieces []wolkvoxtest.Chat
	for from := noon; from.Before(noon.Add(3 * time.Hour)); from = from.Add(7 * time.Second) {
		pieces = append(pieces, slices.Collect(demo.Started(from, minTime(from.Add(7*time.Second), noon.Add(3*time.Hour))))...)
	}
	byID := func(a, b wolkvoxtest.Chat) int { return strings.Compare(a.ConnID, b.ConnID) }
	slices.SortFunc(whole, byID)
	slices.SortFunc(pieces, byID)
	if !slices.Equal(whole, pieces) {
		t.Errorf("%d chats at once, %d in pieces", len(whole), len(pieces))
	}
	other := slices.Collect(wolkvoxtest.Day(wolkvoxtest.DayConfig{Seed: 43, Location: bogota}).Started(noon, noon.Add(3*time.Hour)))
	slices.SortFunc(other, byID)
	if slices.Equal(whole, other) {
		t.Error("another seed makes the same day")
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func TestDay_HasRealisticFigures(t *testing.T) {
	type shares struct{ handed, abandoned, all int }
	var day shares
	channels, points, agents := map[string]int{}, map[string]int{}, map[string]int{}
	perHour := map[int]int{}
	wait := map[int]time.Duration{}
	waits := map[int]int{}
	for _, c := range started(noon.Add(-12*time.Hour), 24*time.Hour) {
		hour := c.Start.In(bogota).Hour()
		day.all++
		channels[c.Channel]++
		points[c.RoutingPoint]++
		perHour[hour]++
		if !c.HandedOff {
			continue
		}
		day.handed++
		if c.Answer < 0 {
			day.abandoned++
			continue
		}
		agents[c.AgentName]++
		wait[hour] += c.Answer
		waits[hour]++
	}
	if share := float64(day.handed) / float64(day.all); share < 0.35 || share > 0.45 {
		t.Errorf("%.2f are handed over", share)
	}
	if share := float64(day.abandoned) / float64(day.handed); share < 0.04 || share > 0.15 {
		t.Errorf("%.2f of them are not answered", share)
	}
	if len(points) != len(demo.RoutingPoints()) || len(agents) < 20 || len(channels) != 5 {
		t.Errorf("have %v %v %v", points, agents, channels)
	}
	if channels["whatsapp"] < day.all/2 || channels["telegram"] > day.all/10 || channels["web"] < channels["facebook"] {
		t.Errorf("have %v of %d", channels, day.all)
	}
	for hour := range 24 {
		if perHour[hour] < 5*60 {
			t.Errorf("%d chats at %d o'clock", perHour[hour], hour)
		}
	}
	for _, rush := range []int{10, 15} {
		if perHour[rush] < 2*perHour[3] || perHour[rush] < perHour[13]*11/10 {
			t.Errorf("no rush at %d o'clock: %v", rush, perHour)
		}
		if mean := func(h int) time.Duration { return wait[h] / time.Duration(waits[h]) }; mean(rush) < 3*mean(3) || mean(3) < 5*time.Second {
			t.Errorf("speed of answer is %v at %d o'clock and %v at 3", mean(rush), rush, mean(3))
		}
	}
}

func TestDay_ChatsAreConsistent(t *testing.T) {
	var handled time.Duration
	identities := map[string]bool{}
	for _, c := range started(noon.Add(-12*time.Hour), 24*time.Hour) {
		handled = max(handled, c.HandleTime)
		parts := c.BotTime + max(c.Answer, 0) + max(c.HandleTime, 0)
		identity := c.SessionID + c.Start.String()
		switch {
		case identities[identity] || identities[c.ConnID]:
			t.Errorf("twice: %+v", c)
		case c.End != c.Start.Add(c.Total) || parts > c.Total || c.Total > demo.Longest() || c.BotTime <= 0:
			t.Errorf("times: %+v", c)
		case c.HandedOff && (c.Answer < 0) != (c.HandleTime < 0), (c.AgentID == "") != (c.HandleTime < 0), (c.AgentChars < 0) != (c.AgentID == ""):
			t.Errorf("agent: %+v", c)
		case !c.HandedOff && c.Answer >= 0:
			t.Errorf("bot: %+v", c)
		case !strings.HasPrefix(c.SessionID, c.Customer.Phone) || !strings.HasSuffix(c.Customer.Email, "@example.com") || c.Customer.Name == "":
			t.Errorf("customer: %+v", c)
		case c.HandleTime >= 0 && (c.HandleTime < 40*time.Second || c.HandleTime > time.Hour):
			t.Errorf("handle time: %+v", c)
		case c.Messages <= 0 || c.CustomerChars <= 0 || c.LastSender == "":
			t.Errorf("counts: %+v", c)
		}
		identities[identity], identities[c.ConnID] = true, true
	}
	if handled < 30*time.Minute {
		t.Errorf("no chat is handled longer than %v", handled)
	}
}

func TestDay_LongerChatsHaveMoreCharacters(t *testing.T) {
	var short, long, shorts, longs int
	for _, c := range started(noon, 6*time.Hour) {
		switch {
		case c.HandleTime > 15*time.Minute:
			long, longs = long+c.AgentChars, longs+1
		case c.HandleTime > 0 && c.HandleTime < 5*time.Minute:
			short, shorts = short+c.AgentChars, shorts+1
		}
	}
	if longs < 30 || shorts < 30 || long/longs < 2*short/shorts {
		t.Errorf("%d characters in %d long chats, %d in %d short ones", long, longs, short, shorts)
	}
}

// Any five minutes have chats of agents, whenever they are requested and whichever date
// selects.
func TestDay_EveryWindowHasChats(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the chats of days in one goroutine")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, on := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
		var now time.Time
		s := newServer(t, wolkvoxtest.Config{Location: bogota, Source: demo, Readings: readings{SelectOn: on}})
		for range 50 {
			now = noon.Add(time.Duration(random.Int64N(int64(48 * time.Hour)))).Truncate(time.Second)
			truth := s.TruthBetween(now.Add(-5*time.Minute), now)
			points, channels := map[string]bool{}, map[string]bool{}
			for key, figures := range maps.All(truth.By) {
				if figures.SpeedOfAnswer.Count > 0 && figures.HandleTime.Count > 0 {
					points[key.RoutingPoint], channels[key.Channel] = true, true
				}
			}
			if len(points) < 3 || len(channels) < 3 {
				t.Errorf("selecting on %v, %v: %v %v", on, now, points, channels)
			}
		}
	}
}

func TestDay_WorksBefore1970(t *testing.T) {
	if n := len(started(time.Date(1901, 1, 1, 0, 0, 0, 0, time.UTC), time.Hour)); n < 100 {
		t.Errorf("have %d chats", n)
	}
}

func TestReport_ShowsDay(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Source: demo, Now: clockAt(noon)})
	s.Add(botOnly(1, noon.Add(-30*time.Minute)))
	d := get(t, s, chat8(noon.Add(-time.Hour), noon.Add(time.Hour))).document(t)
	dates := d.column("start_date")
	if len(dates) < 200 || !slices.IsSortedFunc(dates, func(a, b any) int { return strings.Compare(a.(string), b.(string)) }) {
		t.Errorf("have %d rows: %v", len(dates), dates)
	}
	if !slices.Contains(d.column("conn_id"), any("1001")) {
		t.Error("the chat added is not among those made")
	}
	for _, end := range d.column("end_date") {
		if end.(string) > "2026-03-10 12:00:00" {
			t.Errorf("ends at %v", end)
		}
	}
}

// The report finds the chats of its local times, also in the night in which the clocks are
// put back and an hour occurs twice.
func TestReport_FindsAllChatsOfSource(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the chats of days in one goroutine")
	}
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Skip(err)
	}
	for day, length := range map[int]time.Duration{25: time.Hour, 26: 2 * time.Hour} {
		two := time.Date(2025, 10, day, 0, 0, 0, 0, time.UTC) // 02:00 in summer
		for _, on := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
			s := newServer(t, wolkvoxtest.Config{
				Location: madrid, Source: demo, Now: clockAt(two.Add(48 * time.Hour)), Readings: readings{SelectOn: on},
			})
			date := "202510" + strconv.Itoa(day)
			d := get(t, s, reports+"?api=chat_8&date_ini="+date+"020000&date_end="+date+"025959").document(t)
			want := 0
			for c := range demo.Started(two.Add(-12*time.Hour), two.Add(12*time.Hour)) {
				at := c.Start
				if on == wolkvoxtest.End {
					at = c.End
				}
				if !at.Before(two) && at.Before(two.Add(length)) {
					want++
				}
			}
			if len(d.Data) != want {
				t.Errorf("%s, selecting on %v: want %d, have %d", date, on, want, len(d.Data))
			}
		}
	}
}

// A report of several days is cut like any other.
func TestReport_CutsLongRange(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the chats of days in one goroutine")
	}
	for cut, first := range map[wolkvoxtest.Cut]string{wolkvoxtest.First: "2026-03-09 00:0", wolkvoxtest.Last: "2026-03-10 11:"} {
		s := newServer(t, wolkvoxtest.Config{
			Location: bogota, Source: demo, Now: clockAt(noon), Limits: wolkvoxtest.Limits{Rows: 100}, Readings: readings{Cut: cut},
		})
		d := get(t, s, reports+"?api=chat_8&date_ini=20260309000000&date_end=20260331235959").document(t)
		if have := d.Data[0]["start_date"].(string); len(d.Data) != 100 || !strings.HasPrefix(have, first) {
			t.Errorf("have %d rows from %s", len(d.Data), have)
		}
	}
}

func BenchmarkDay(b *testing.B) {
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		for range demo.Started(noon.Add(-24*time.Hour), noon) {
			n++
		}
	}
	b.ReportMetric(float64(n)/float64(b.N), "chats/op")
}
