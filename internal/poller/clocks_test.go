package poller

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// clocks are the operation's and ours, and what a response says of the first.
type clocks struct {
	// ahead is how far the operation's clock is ahead of ours.
	ahead func(random *rand.Rand, start time.Time) func(ours time.Time) time.Duration
	// date is the error of the header Date. It is nil if there is no such header.
	date func(ours time.Time) time.Duration
	// wantWarnings is the number of warnings in one process, or negative for several.
	wantWarnings int
}

func always(d time.Duration) func(time.Time) time.Duration {
	return func(time.Time) time.Duration { return d }
}

func apart(d time.Duration) func(*rand.Rand, time.Time) func(time.Time) time.Duration {
	return func(*rand.Rand, time.Time) func(time.Time) time.Duration { return always(d) }
}

// leaping clocks are far apart for two hours.
func leaping(far time.Duration) func(*rand.Rand, time.Time) func(time.Time) time.Duration {
	return func(_ *rand.Rand, start time.Time) func(time.Time) time.Duration {
		return func(ours time.Time) time.Duration {
			if since := ours.Sub(start); since < 11*time.Hour || since > 13*time.Hour {
				return 0
			}
			return far
		}
	}
}

// stepping clocks are set every 7 to 13 minutes, to within an hour of the right
// time. They agree in the end.
func stepping(random *rand.Rand, start time.Time) func(time.Time) time.Duration {
	type step struct {
		until time.Time
		ahead time.Duration
	}
	var steps []step
	for _, l := range steppingLives(random, 2*day) {
		start = start.Add(l.lasts)
		steps = append(steps, step{start, -l.wrong})
	}
	return func(ours time.Time) time.Duration {
		i, _ := slices.BinarySearchFunc(steps, ours, func(s step, ours time.Time) int { return s.until.Compare(ours) })
		return steps[min(i, len(steps)-1)].ahead
	}
}

const year = 365 * day

var clockTests = map[string]clocks{
	"an hour behind":  {apart(time.Hour), always(0), 1},
	"an hour ahead":   {apart(-time.Hour), always(0), 1},
	"5 hours behind":  {apart(5 * time.Hour), always(0), 1},
	"5 hours ahead":   {apart(-5 * time.Hour), always(0), 1},
	"20 hours behind": {apart(20 * time.Hour), always(0), 1},
	"20 hours ahead":  {apart(-20 * time.Hour), always(0), 1},
	"stepping":        {stepping, always(0), -1},

	"3 years behind for two hours": {leaping(3 * year), always(0), 1},
	"3 years ahead for two hours":  {leaping(-3 * year), always(0), 1},

	"an hour behind, no date": {apart(time.Hour), nil, 0},
	"an hour ahead, no date":  {apart(-time.Hour), nil, 0},
	"stepping, no date":       {stepping, nil, 0},

	"date 5 hours behind": {apart(0), always(-5 * time.Hour), 1},
	"date 5 hours ahead":  {apart(0), always(5 * time.Hour), 1},
	"date 2 days behind":  {apart(0), always(-2 * day), 1},
	"date 2 days ahead":   {apart(0), always(2 * day), 1},
	"two dates by turns": {apart(0), func(ours time.Time) time.Duration {
		return time.Duration(ours.Unix()/300%2) * -20 * time.Hour
	}, -1},
}

var selections = map[wolkvoxtest.SelectOn]string{wolkvoxtest.Start: "start", wolkvoxtest.End: "end"}

func TestPoller_CountsEveryChatOnceWithAnyClocks(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(clockTests)) {
		for j := range 4 {
			if !torture && j != i%4 || !sampled(i) {
				continue
			}
			selectOn, kills := wolkvoxtest.SelectOn(j%2), j/2*3
			t.Run(fmt.Sprintf("%s, selects on %s, %d kills", name, selections[selectOn], kills), func(t *testing.T) {
				t.Parallel()
				clockTests[name].play(t, selectOn, kills, true)
			})
		}
	}
}

// Nothing but the header Date keeps a poll that is ahead of the operation from
// passing over what ends in between.
func TestPoller_FindsEveryChatByPollsWithSkew(t *testing.T) {
	for i, name := range []string{
		"an hour ahead", "5 hours ahead", "20 hours ahead", "20 hours behind", "stepping",
		"date 5 hours behind", "date 2 days behind", "two dates by turns",
	} {
		for j, kills := range []int{0, 3} {
			if !torture && j != i%2 || !sampled(i) {
				continue
			}
			t.Run(fmt.Sprintf("%s, %d kills", name, kills), func(t *testing.T) {
				t.Parallel()
				clockTests[name].play(t, wolkvoxtest.End, kills, false)
			})
		}
	}
}

func (c clocks) play(t *testing.T, selectOn wolkvoxtest.SelectOn, kills int, reconciling bool) {
	t.Helper()
	start := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	s := newSimulation(1, bogota)
	s.readings = wolkvoxtest.Readings{SelectOn: selectOn, ListOpen: wolkvoxtest.EmptyEnd}
	s.slow = kills > 0
	if !reconciling {
		s.options.ReconcileInterval, s.prompt = 0, true
	}
	s.ahead = c.ahead(s.random, start)
	s.header = dating(c.date)
	var log lines
	s.options.Logger = log.logger()

	first := start.Add(s.ahead(start)) // on the operation's clock
	last := first.Add(30 * time.Hour)
	chats := s.makeChats(100, first.Add(time.Second), last, first)
	s.chats = slices.Concat(chats, at(perhaps, s.makeChats(20, first.Add(-20*time.Hour), first, first)))
	// Where ours is behind, it comes to the last chat later.
	s.liveThrough(t, start, reader.Later(last, start.Add(30*time.Hour)).Add(3*time.Hour), kills)
	s.wantAll(t, chats)

	// A restart logs the warning again.
	if have := log.warnings("our clock and the API's differ"); c.wantWarnings >= 0 && kills == 0 && have != c.wantWarnings || c.wantWarnings < 0 && have == 0 {
		t.Errorf("clocks that differ: have %d lines, want %d", have, c.wantWarnings)
	}
	// Every five minutes a poll, every hour a reconcile, and some more of both.
	// A clock that goes to and fro may cost more.
	if most := s.mostRequests(); most > 500 && c.wantWarnings >= 0 || most > 900 {
		t.Errorf("requests: have %d on the busiest day, want fewer than the quota of 1,000", most)
	}
	t.Logf("%d requests on the busiest day", s.mostRequests())
}

// dating makes the header Date wrong, or removes it.
func dating(wrong func(ours time.Time) time.Duration) func(http.Header) {
	return func(h http.Header) {
		date, err := http.ParseTime(h.Get("Date"))
		if wrong == nil || err != nil {
			h.Del("Date")
			return
		}
		h.Set("Date", date.Add(wrong(time.Now())).UTC().Format(http.TimeFormat))
	}
}

// life is a while in which our clock is wrong by so much. Between two of them it
// is set and the exporter restarted. The operation's clock just goes on.
type life struct {
	lasts, wrong time.Duration
}

// steppingLives are lives of 7 to 13 minutes on clocks that are within an hour
// of the right time, and some hours on the right one.
func steppingLives(random *rand.Rand, lasts time.Duration) []life {
	var lives []life
	for ; lasts > 0; lasts -= lives[len(lives)-1].lasts {
		lives = append(lives, life{
			lasts: 7*time.Minute + time.Duration(random.Int64N(int64(6*time.Minute))),
			wrong: time.Duration(random.Int64N(int64(2*time.Hour))) - time.Hour,
		})
	}
	return append(lives, life{lasts: 3 * time.Hour})
}

func TestPoller_CountsEveryChatOnceAfterClockChange(t *testing.T) {
	const seed = 3
	steps := steppingLives(rand.New(rand.NewPCG(seed, 0)), 30*time.Hour)
	tests := map[string]struct {
		lives   []life
		date    func(time.Time) time.Duration
		initial time.Duration
	}{
		"stepping":                  {steps, always(0), 5 * time.Minute},
		"stepping, no date":         {steps, nil, 5 * time.Minute},
		"an hour ahead, no date":    {[]life{{5 * time.Hour, 0}, {10 * time.Hour, time.Hour}, {18 * time.Hour, 0}}, nil, 5 * time.Minute},
		"a day ahead, then right":   {[]life{{5 * time.Hour, 23 * time.Hour}, {28 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"25 hours ahead and back":   {[]life{{5 * time.Hour, 0}, {5 * time.Hour, 25 * time.Hour}, {23 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"23 hours behind and back":  {[]life{{5 * time.Hour, 0}, {5 * time.Hour, -23 * time.Hour}, {23 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"3 years ahead and back":    {[]life{{5 * time.Hour, 0}, {time.Hour, 3 * year}, {27 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"3 years behind and back":   {[]life{{5 * time.Hour, 0}, {time.Hour, -3 * year}, {27 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"first start in 3 years":    {[]life{{time.Hour, 3 * year}, {32 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"first start 20 years ago":  {[]life{{time.Hour, -20 * year}, {32 * time.Hour, 0}}, always(0), 5 * time.Minute},
		"in 3 years, counts no old": {[]life{{time.Hour, 3 * year}, {32 * time.Hour, 0}}, always(0), 0},
	}
	for i, name := range slices.Sorted(maps.Keys(tests)) {
		tt := tests[name]
		for selectOn, selected := range selections {
			if !torture && int(selectOn) != i/2%2 || !sampled(i) {
				continue
			}
			t.Run(name+", selects on "+selected, func(t *testing.T) {
				t.Parallel()
				s := newSimulation(seed, bogota)
				s.readings.SelectOn = selectOn
				s.options.InitialWindow = tt.initial
				s.header = dating(tt.date)
				now := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
				chats := s.makeChats(100, now.Add(time.Second), now.Add(30*time.Hour), now.Add(5*time.Hour))
				s.chats = slices.Concat(chats, at(perhaps, s.makeChats(20, now.Add(-20*time.Hour), now, now)))
				for _, l := range tt.lives {
					s.ahead = always(-l.wrong)
					s.live(t, now.Add(l.wrong), l.lasts)
					now = now.Add(l.lasts)
				}
				s.wantAll(t, chats)
			})
		}
	}
}
