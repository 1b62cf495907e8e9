package poller

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// poisoned is an operation in which some chats make their responses unreadable. Chats last
// some minutes, so that polls find them under either reading of U1.
type poisoned struct {
	*operation
	kind    wolkvoxtest.Poison
	seconds map[int64]bool // of the dates that the report selects on
}

// newPoisoned returns an operation with a chat about every two minutes, up to the given time
// from now.
func newPoisoned(t *testing.T, kind wolkvoxtest.Poison, readings wolkvoxtest.Readings, within time.Duration, random *rand.Rand) *poisoned {
	t.Helper()
	p := &poisoned{operation: newOperation(t, wolkvoxtest.Config{Readings: readings}), kind: kind, seconds: map[int64]bool{}}
	n := 0
	for end := time.Now().Add(time.Second); end.Before(time.Now().Add(within)); n++ {
		p.server.Add(chatAt(n, end, time.Duration(random.IntN(600))*time.Second, "7"))
		end = end.Add(time.Duration(1+random.IntN(240)) * time.Second)
	}
	return p
}

// date returns the second on which the report selects a chat.
func (p *poisoned) date(c wolkvoxtest.Chat, readings wolkvoxtest.Readings) int64 {
	if readings.SelectOn == wolkvoxtest.End {
		return c.End.Unix()
	}
	return c.Start.Unix()
}

// addPoison adds two chats of the same second, the first of them with the poison.
func (p *poisoned) addPoison(number int, at time.Time, readings wolkvoxtest.Readings) {
	for i := range 2 {
		c := chatAt(number+i, at, 0, "7")
		p.server.Add(c)
		p.seconds[p.date(c, readings)] = true
	}
	p.server.PoisonWith(func(c wolkvoxtest.Chat) wolkvoxtest.Poison {
		if n, err := strconv.Atoi(c.ConnID); err == nil && n >= 101_000 && n%2 == 0 {
			return p.kind
		}
		return wolkvoxtest.NoPoison
	})
}

// wantAround compares the figures with those of the chats outside the poisoned seconds,
// and of those inside that are read before the poison.
func (p *poisoned) wantAround(when string, readings wolkvoxtest.Readings) {
	p.t.Helper()
	want := figuresOfTruth(p.server.TruthOf(p.poller.Snapshot().Status.LastPoll, func(c wolkvoxtest.Chat) bool {
		before := p.kind != wolkvoxtest.PoisonEmpty && len(c.ConnID) < len("101000")
		return before || !p.seconds[p.date(c, readings)]
	}))
	if have := p.figures(); !maps.Equal(have, want) {
		p.t.Errorf("%s: figures around the poison:\n%s", when, difference(have, want))
	}
}

// passUp runs polls that all succeed.
func (p *poisoned) passUp(polls int) {
	p.t.Helper()
	for range polls {
		p.pass(p.options.Interval)
		if s := p.poller.Snapshot().Status; !s.Up {
			p.t.Errorf("%v: have up false with failure %q, want true", time.Now(), s.Failure)
		}
	}
}

// wantUnreadable compares the seconds that were skipped since the process started with
// the lines about all of them.
func (p *poisoned) wantUnreadable(when string, seconds, lines int) {
	p.t.Helper()
	have, logged := p.poller.Snapshot().Status.UnreadableSeconds, p.logged("is skipped, reconciles will retry")
	if have != uint64(seconds) || logged != lines {
		p.t.Errorf("%s: have %d unreadable seconds and %d lines, want %d and %d\n%s", when, have, logged, seconds, lines, p.log.String())
	}
}

// wantComplete checks that the counts are complete up to the newest poll.
func (p *poisoned) wantComplete(when string) {
	p.t.Helper()
	if behind := time.Since(p.poller.Snapshot().View.Progress.CompleteUntil); behind > p.options.Interval+time.Minute {
		p.t.Errorf("%s: have all chats complete until %v ago, want at most an interval", when, behind)
	}
}

var (
	bothDates = []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End}
	allEnds   = []wolkvoxtest.Ends{wolkvoxtest.BothInclusive, wolkvoxtest.StartInclusive, wolkvoxtest.BothExclusive}
)

// unreadablePoisons returns the poisons that make a response unreadable.
func unreadablePoisons() (kinds []wolkvoxtest.Poison) {
	for _, kind := range wolkvoxtest.AllPoisons() { // NaN is read as a value of the wrong type.
		if kind.Unreadable() && kind != wolkvoxtest.PoisonNaN {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// forEachPoison runs a test under each reading of U1 and U2, with one kind of poison each
// in turn; all of them in the long part of the tests. share is how many readings there
// are to one that is tried in the short part; with -short only one is.
func forEachPoison(t *testing.T, share int, test func(t *testing.T, kind wolkvoxtest.Poison, readings wolkvoxtest.Readings, random *rand.Rand)) {
	t.Helper()
	if testing.Short() {
		share = len(bothDates) * len(allEnds)
	}
	i := 0
	for _, selectOn := range bothDates {
		for _, ends := range allEnds {
			i++
			seed := uint64(i)
			for k, kind := range unreadablePoisons() {
				if !torture && (k != i%len(unreadablePoisons()) || i%share > 0) {
					continue
				}
				t.Run(fmt.Sprintf("%v, selects on %d, ends %d", kind, selectOn, ends), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						test(t, kind, wolkvoxtest.Readings{SelectOn: selectOn, Ends: ends}, rand.New(rand.NewPCG(seed, uint64(k))))
					})
				})
			}
		}
	}
}

func TestPoller_CountsAllButTheUnreadableSecond(t *testing.T) {
	forEachPoison(t, 1, func(t *testing.T, kind wolkvoxtest.Poison, readings wolkvoxtest.Readings, random *rand.Rand) {
		t.Helper()
		p := newPoisoned(t, kind, readings, day+2*time.Hour, random)
		p.run()
		p.passUp(12)
		p.wantAround("before", readings)
		at := time.Now().Add(time.Duration(61+random.IntN(299)) * time.Second)
		p.addPoison(100_000, at, readings)
		before := p.requests()
		p.passUp(2)
		p.wantAround("after a poll or two", readings)
		p.wantUnreadable("after a poll or two", 0, 0)
		if complete := p.poller.Snapshot().View.Progress.CompleteUntil; !complete.Before(at) {
			t.Errorf("before it is skipped: have complete until %v, want before %v", complete, at)
		}
		p.passUp(2)
		p.wantUnreadable("after three polls", 1, 1)
		p.wantComplete("after three polls")
		t.Logf("requests in 20 minutes: %d", p.requests()-before)
		p.passUp(24*12 - 4)
		p.wantAround("after a day", readings)
		p.wantUnreadable("after a day", 1, 1)
		p.wantComplete("after a day")
		requests := p.requests() - before
		t.Logf("requests in the day: %d", requests)
		if requests > 600 {
			t.Errorf("requests in the day: have %d, want at most 600", requests)
		}
		late := p.poller.Snapshot().View.Counts.Late
		p.server.PoisonWith(nil)
		p.pass(settled)
		p.wantTruth()
		p.wantUnreadable("at the end", 1, 1)
		p.wantLines(0, 0)
		if have := p.poller.Snapshot().View.Counts.Late - late; have != 2 || p.logged("can be read again") != 1 {
			t.Errorf("have %d chats late and %d lines that the second can be read, want 2 and 1", have, p.logged("can be read again"))
		}
	})
}

// While an API fails for all requests, no second is skipped.
func TestPoller_SkipsNothingWhileTheAPIIsDown(t *testing.T) {
	for i, fault := range []wolkvoxtest.Fault{
		wolkvoxtest.LoginPage, wolkvoxtest.EmptyBody, wolkvoxtest.PHPFatal, wolkvoxtest.ServerError, wolkvoxtest.CutBody, wolkvoxtest.CutConnection,
		wolkvoxtest.BadGateway, wolkvoxtest.CodeServerError,
	} {
		if !sampled(i) {
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPoisoned(t, wolkvoxtest.PoisonEmpty, wolkvoxtest.Readings{}, 12*time.Hour, rand.New(rand.NewPCG(1, 2)))
				p.run()
				p.pass(30 * time.Minute)
				p.addPoison(100_000, time.Now().Add(time.Minute), wolkvoxtest.Readings{})
				p.pass(6 * time.Minute) // The second is known to be unreadable.
				p.server.FailAlways(fault)
				p.pass(6 * time.Hour)
				p.wantUnreadable("while it lasts", 0, 0)
				p.server.PoisonWith(nil)
				p.server.Recover()
				p.pass(settled)
				p.wantTruth()
				p.wantUnreadable("afterwards", 0, 0)
				if gaps := p.poller.Snapshot().View.Progress.Gaps; len(gaps) > 0 {
					t.Errorf("have gaps %+v, want none", gaps)
				}
			})
		})
	}
}

func TestPoller_SkipsNoRowForAnHourWhileTheAPIFailsAtEveryRow(t *testing.T) {
	forEachPoison(t, 1, func(t *testing.T, kind wolkvoxtest.Poison, readings wolkvoxtest.Readings, random *rand.Rand) {
		t.Helper()
		p := newPoisoned(t, kind, readings, 5*time.Hour, random)
		p.run()
		p.passUp(12)
		p.server.PoisonWith(func(wolkvoxtest.Chat) wolkvoxtest.Poison { return kind })
		before := p.requests()
		p.pass(54 * time.Minute)
		p.wantUnreadable("within an hour", 0, 0)
		if p.poller.Snapshot().Status.Up {
			t.Error("have up true while no row can be read, want false")
		}
		p.pass(5 * time.Hour)
		requests := p.requests() - before
		t.Logf("requests in 6 hours: %d, unreadable seconds: %d", requests, p.poller.Snapshot().Status.UnreadableSeconds)
		if most := maxExtra + 6*(12+12+4); requests > most {
			t.Errorf("requests in 6 hours: have %d, want at most %d", requests, most)
		}
		p.server.PoisonWith(nil)
		p.pass(settled)
		p.wantTruth()
		p.wantStatus("afterwards", true, wolkvox.OK)
	})
}

func TestPoller_KeepsGapsThroughKills(t *testing.T) {
	forEachPoison(t, 1, func(t *testing.T, kind wolkvoxtest.Poison, readings wolkvoxtest.Readings, random *rand.Rand) {
		t.Helper()
		p := newPoisoned(t, kind, readings, 5*time.Hour, random)
		p.run()
		p.pass(time.Hour)
		p.addPoison(100_000, time.Now().Add(time.Duration(61+random.IntN(200))*time.Second), readings)
		for range 4 {
			p.pass(p.options.Interval)
			p.kill()
			p.run() // It polls at once.
			synctest.Wait()
		}
		if lines := p.logged("is skipped, reconciles will retry"); lines != 1 {
			t.Errorf("have %d lines, want 1:\n%s", lines, p.log.String())
		}
		p.wantAround("after kills", readings)
		p.wantComplete("after kills")
		p.pass(2 * time.Hour)
		p.kill()
		p.run()
		p.pass(time.Hour)
		p.wantUnreadable("after another kill", 0, 1)
		p.server.PoisonWith(nil)
		p.pass(settled)
		p.wantTruth()
	})
}

// poisonPlaces are the possible times of poison, relative to the first start.
var poisonPlaces = map[string]func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int{
	"two in a second": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		p.addPoison(100_000, now.Add(2*time.Hour), readings)
		p.addPoison(100_002, now.Add(2*time.Hour), readings)
		return 1
	},
	"two in adjacent seconds": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		p.addPoison(100_000, now.Add(2*time.Hour), readings)
		p.addPoison(100_002, now.Add(2*time.Hour+time.Second), readings)
		return 2
	},
	"three in adjacent seconds": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		for i := range 3 {
			p.addPoison(100_000+2*i, now.Add(2*time.Hour+time.Duration(i)*time.Second), readings)
		}
		return 3
	},
	"two with a second between them": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		p.addPoison(100_000, now.Add(2*time.Hour), readings)
		p.addPoison(100_002, now.Add(2*time.Hour+2*time.Second), readings)
		return 2
	},
	"ten in a window": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		for i := range 10 {
			p.addPoison(100_000+2*i, now.Add(2*time.Hour+time.Duration(i*29)*time.Second), readings)
		}
		return 10
	},
	"one every hour": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		for i := range 10 {
			p.addPoison(100_000+2*i, now.Add(time.Duration(i)*61*time.Minute+7*time.Minute), readings)
		}
		return 10
	},
	"before the first start": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		p.addPoison(100_000, now.Add(-3*time.Hour), readings)
		p.addPoison(100_002, now.Add(-30*time.Hour), readings)
		return 2
	},
	"in the initial window": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		p.addPoison(100_000, now.Add(-2*time.Minute), readings)
		return 1
	},
	"at the end of the initial window": func(p *poisoned, now time.Time, readings wolkvoxtest.Readings) int {
		p.addPoison(100_000, now.Add(-5*time.Minute), readings)
		return 1
	},
}

func TestPoller_CountsAllChatsAroundUnreadableSeconds(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(poisonPlaces)) {
		if !sampled(i) {
			continue
		}
		place := poisonPlaces[name]
		t.Run(name, func(t *testing.T) {
			forEachPoison(t, 3, func(t *testing.T, kind wolkvoxtest.Poison, readings wolkvoxtest.Readings, random *rand.Rand) {
				t.Helper()
				p := newPoisoned(t, kind, readings, 14*time.Hour, random)
				start := time.Now()
				seconds := place(p, start, readings)
				p.run()
				p.pass(14 * time.Hour)
				p.wantUnreadable("after a while", seconds, seconds)
				p.wantComplete("after a while")
				p.wantStatus("after a while", true, wolkvox.OK)
				t.Logf("requests in 14 hours: %d", p.requests())
				if p.requests() > 700 {
					t.Errorf("requests in 14 hours: have %d, want at most 700", p.requests())
				}
				if name == "one every hour" {
					p.pass(settled) // Some of the chats are found by reconciles.
				}
				p.wantAround("after a while", readings)
				p.server.PoisonWith(nil)
				p.pass(settled)
				// What had ended before the initial window is not counted.
				want := figuresOfTruth(p.server.TruthOf(p.poller.Snapshot().Status.LastPoll, func(c wolkvoxtest.Chat) bool {
					return !c.End.Before(start.Add(-p.options.InitialWindow - time.Second))
				}))
				if have := p.figures(); !maps.Equal(have, want) {
					t.Errorf("at the end:\n%s", difference(have, want))
				}
			})
		})
	}
}
