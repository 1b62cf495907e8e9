package poller

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// stay is a while with a time zone.
type stay struct {
	zone  string
	lasts time.Duration
}

const (
	reykjavik = "Atlantic/Reykjavik" // where the operation is, at UTC
	nairobi   = "Africa/Nairobi"     // 3 hours ahead
	kolkata   = "Asia/Kolkata"       // 5:30
	tokyo     = "Asia/Tokyo"         // 9
	brasilia  = "America/Sao_Paulo"  // 3 hours behind
	gambier   = "Pacific/Gambier"    // 9
)

var zoneTests = map[string][]stay{
	"3 hours ahead":        {{nairobi, 10 * time.Hour}, {reykjavik, 25 * time.Hour}},
	"5:30 hours ahead":     {{kolkata, 10 * time.Hour}, {reykjavik, 25 * time.Hour}},
	"9 hours ahead":        {{tokyo, 10 * time.Hour}, {reykjavik, 25 * time.Hour}},
	"9 hours ahead, long":  {{tokyo, 30 * time.Hour}, {reykjavik, 5 * time.Hour}},
	"3 hours behind":       {{brasilia, 10 * time.Hour}, {reykjavik, 25 * time.Hour}},
	"9 hours behind":       {{gambier, 10 * time.Hour}, {reykjavik, 25 * time.Hour}},
	"9 hours behind, long": {{gambier, 30 * time.Hour}, {reykjavik, 5 * time.Hour}},
	"right, ahead, right":  {{reykjavik, 8 * time.Hour}, {tokyo, 12 * time.Hour}, {reykjavik, 15 * time.Hour}},
	"right, behind, right": {{reykjavik, 8 * time.Hour}, {gambier, 12 * time.Hour}, {reykjavik, 15 * time.Hour}},
	"ahead, behind, right": {{tokyo, 8 * time.Hour}, {gambier, 12 * time.Hour}, {reykjavik, 15 * time.Hour}},
	"behind, ahead, right": {{gambier, 8 * time.Hour}, {tokyo, 12 * time.Hour}, {reykjavik, 15 * time.Hour}},
}

// seeding is the time that the first start needs to read the seed. If the zone is ahead, all
// chats that end meanwhile are seeded too.
const seeding = time.Minute

func TestPoller_CountsEveryChatOnceAfterZoneChange(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(zoneTests)) {
		for j := range 4 {
			if !torture && j != i%4 || !sampled(i) {
				continue
			}
			selectOn, kills := wolkvoxtest.SelectOn(j%2), j/2*2
			t.Run(fmt.Sprintf("%s, selects on %s, %d kills", name, selections[selectOn], kills), func(t *testing.T) {
				t.Parallel()
				s := newSimulation(uint64(j), mustLoad(reykjavik))
				s.readings.SelectOn, s.slow = selectOn, kills > 0
				now := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
				// What ended before the first start is counted if a wrong zone's windows show it.
				chats := s.makeChats(150, now.Add(seeding), now.Add(30*time.Hour), now.Add(10*time.Hour))
				s.chats = slices.Concat(chats, at(perhaps, s.makeChats(80, now.Add(-20*time.Hour), now, now)))
				for i, stay := range zoneTests[name] {
					var log lines
					s.options.Logger = log.logger()
					s.options.Zone = mustLoad(stay.zone)
					if i > 0 && stay.zone == reykjavik {
						s.live(t, now, seeding)
						wantNoLess(t, s.onDisk(t), expectedFigures(endedBy(now, chats)))
					}
					s.liveThrough(t, now, now.Add(stay.lasts), kills)
					now = now.Add(stay.lasts)
					wantWarning(t, stay.zone, &log)
				}
				s.wantAll(t, chats)
			})
		}
	}
}

func endedBy(t time.Time, chats []wolkvoxtest.Chat) []wolkvoxtest.Chat {
	return slices.DeleteFunc(slices.Clone(chats), func(c wolkvoxtest.Chat) bool { return c.End.After(t) })
}

// wantWarning looks for what leads to a wrong zone.
func wantWarning(t *testing.T, zone string, log *lines) {
	t.Helper()
	_, off := time.Now().In(mustLoad(zone)).Zone()
	switch {
	case off > 0 && log.warnings("no chat is found soon after its end") == 0:
		t.Errorf("%s: have no warning that chats are found late, want one", zone)
	case off < 0 && log.warnings("chats end in the future") == 0:
		t.Errorf("%s: have no warning of ends in the future, want one", zone)
	}
	if clocks := log.warnings("our clock and the API's differ"); clocks > 0 {
		t.Errorf("%s: have %d warnings of clocks that differ, want none", zone, clocks)
	}
}

func TestPoller_CountsEveryChatFromStartInRepeatedHour(t *testing.T) {
	back := newPlace("Europe/Madrid", "2025-10-26 00:45:00")
	s := newSimulation(1, back.zone)
	s.readings.SelectOn, s.options.ReconcileInterval = wolkvoxtest.End, 0
	end := back.matters.Add(5 * time.Minute) // 02:05, for the second time
	s.chats = []wolkvoxtest.Chat{s.makeChat(1, end.Add(-time.Minute), end)}
	s.live(t, back.start, time.Hour)
	s.wantAll(t, s.chats)
}

// A zone, our clock and the header Date may be wrong at once. As long as nothing
// but the reconcile window limits what is found, every chat is.
func TestPoller_CountsEveryChatOnceInRandomHistories(t *testing.T) {
	histories := 6
	if torture {
		histories = 60
	}
	for seed := range uint64(histories) {
		if !sampled(int(seed)) {
			continue
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 1))
			place := places[random.IntN(len(places))]
			s := newSimulation(seed, place.zone)
			mix := anyCombination(random)
			s.readings, s.slow = mix.scenario().readings, random.IntN(2) == 0
			now, end := place.start, place.start.Add(2*day)
			chats := s.makeChats(150, now.Add(seeding), end, place.matters)
			s.chats = slices.Concat(chats, at(perhaps, s.makeChats(50, now.Add(-20*time.Hour), now, now)))
			story := mix.String()
			for now.Before(end) {
				l := life{lasts: time.Hour + time.Duration(random.Int64N(int64(11*time.Hour)))}
				story += "\n" + s.mistake(random, now, &l)
				s.live(t, now.Add(l.wrong), l.lasts)
				now = now.Add(l.lasts)
			}
			s.options.Zone, s.ahead, s.header = place.zone, always(0), dating(always(0))
			s.live(t, now, 6*time.Hour)
			s.wantAll(t, chats)
			if t.Failed() {
				t.Log(story)
			}
		})
	}
}

// mistake makes our clock, the zone or the header Date wrong, or several of
// them, or none.
func (s *simulation) mistake(random *rand.Rand, now time.Time, l *life) string {
	within := func(most time.Duration) time.Duration {
		return time.Duration(random.Int64N(int64(2*most))) - most
	}
	var zone, date time.Duration
	s.header = dating(always(0))
	switch random.IntN(6) {
	case 0:
		l.wrong = within(20 * time.Hour)
	case 1:
		date = within(20 * time.Hour)
		s.header = dating(always(date))
	case 2:
		l.wrong = within(time.Hour)
		s.header = dating(nil)
	}
	s.options.Zone = s.zone
	if random.IntN(2) == 0 {
		const quarter = 15 * time.Minute
		zone = within(9 * time.Hour).Truncate(quarter)
		_, right := now.In(s.zone).Zone()
		s.options.Zone = time.FixedZone(zone.String(), right+int(zone/time.Second))
	}
	s.ahead = always(-l.wrong)
	return fmt.Sprintf("from %v for %v: clock wrong by %v, zone by %v, Date by %v", now, l.lasts, l.wrong, zone, date)
}
