package poller

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// chatAt returns a chat with a bot with the given length and end.
func chatAt(number int, end time.Time, length time.Duration, routingPoint string) wolkvoxtest.Chat {
	phone := fmt.Sprintf("57300%07d", number)
	return wolkvoxtest.Chat{
		ConnID: fmt.Sprint(1000 + number), SessionID: phone + "@web", Start: end.Add(-length), End: end,
		BotTime: length, Total: length,
		Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, AgentChars: wolkvoxtest.Absent,
		RoutingPoint: routingPoint, Channel: "web", Customer: wolkvoxtest.Customer{Phone: phone},
		Messages: 3, CustomerChars: 50, LastSender: "customer",
	}
}

// chatsBetween returns n chats of half a minute with evenly spread ends.
func chatsBetween(from, to time.Time, n int) []wolkvoxtest.Chat {
	chats := make([]wolkvoxtest.Chat, n)
	for i := range chats {
		end := from.Add(time.Duration(float64(to.Sub(from)) * float64(i) / float64(n)))
		chats[i] = chatAt(i, end, 30*time.Second, "7")
	}
	return chats
}

// runAndStop polls for a while and then stops.
func (o *operation) runAndStop() {
	o.t.Helper()
	o.run()
	o.pass(10 * time.Minute)
	o.kill()
	o.wantResults("before the stop", wolkvox.OK)
}

// runAgain polls after a stop, and compares the requests that this takes.
func (o *operation) runAgain(d time.Duration, most int) {
	o.t.Helper()
	before := o.requests()
	o.run()
	o.pass(d)
	o.wantStatus("after the stop", true, wolkvox.OK)
	have := o.requests() - before
	o.t.Logf("requests in %v after the stop: %d", d, have)
	if have > most {
		o.t.Errorf("requests in %v after the stop: have %d, want at most %d", d, have, most)
	}
}

func TestPoller_CatchesUpAWeekOverAMonthsEnd(t *testing.T) {
	// If the API excludes the ends of a window, no window inside a month shows its last
	// second.
	const last, first = "last", "first"
	for _, test := range []struct {
		ends       wolkvoxtest.Ends
		outOfReach []string
	}{
		{wolkvoxtest.BothInclusive, nil},
		{wolkvoxtest.StartInclusive, []string{last}},
		{wolkvoxtest.BothExclusive, []string{last, first}},
	} {
		for _, selectOn := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
			t.Run(fmt.Sprintf("ends %d, select on %d", test.ends, selectOn), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Until(inBogota(time.January, 28, 12, 0)))
					o := newOperation(t, wolkvoxtest.Config{Readings: wolkvoxtest.Readings{Ends: test.ends, SelectOn: selectOn}})
					o.runAndStop()
					back := time.Now().Add(7*day - time.Hour)
					o.server.Add(chatsBetween(time.Now(), back, 150)...)
					midnight := inBogota(time.February, 1, 0, 0)
					for second := -9; second < 9; second++ {
						routingPoint := "midnight"
						switch second {
						case -1:
							routingPoint = last
						case 0:
							routingPoint = first
						}
						o.server.Add(chatAt(1000+second, midnight.Add(time.Duration(second)*time.Second), 0, routingPoint))
					}
					time.Sleep(time.Until(back))
					// A piece is a day: a week of them, a week and a day to
					// reconcile, each with a month's end, and another poll.
					o.runAgain(6*time.Minute, 7+8+2+1)
					o.wantResults("after the stop", wolkvox.OK)
					o.wantTruth(test.outOfReach...)
				})
			})
		}
	}
}

func TestPoller_SkipsTimeBeyondCatchUpLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOperation(t, wolkvoxtest.Config{})
		o.options.MaxCatchUp = 31 * day
		o.runAndStop()
		start, back := time.Now(), time.Now().Add(40*day)
		oldest := back.Add(-o.options.MaxCatchUp)
		o.server.Add(chatsBetween(oldest.Add(time.Minute), back, 400)...)
		// The reconcile reads more than the catch-up.
		deepest := maxReconcileSpan(o.options.ReconcileInterval, o.options.ReconcileWindow)
		for i, c := range chatsBetween(start.Add(time.Hour), oldest.Add(-deepest-time.Hour), 100) {
			o.server.Add(chatAt(1000+i, c.End, time.Minute, "beyond"))
		}
		time.Sleep(time.Until(back))
		o.runAgain(6*time.Minute, 31+32+2*2+1)
		o.wantResults("after the stop", wolkvox.OK)
		o.wantTruth("beyond")
		skipped, lines := o.poller.Snapshot().Status.Skipped, o.logged("beyond the catch-up limit")
		if want := 9 * day; (skipped-want).Abs() > 2*o.options.Interval || lines != 1 {
			t.Errorf("skipped: have %v and %d lines about it, want about %v and 1", skipped, lines, want)
		}
	})
}

func TestPoller_CatchesUpAfterSpentQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quota = 100
		time.Sleep(time.Until(inBogota(time.January, 18, 6, 0)))
		o := newOperation(t, wolkvoxtest.Config{Limits: wolkvoxtest.Limits{RequestsPerDay: quota}})
		midnight := inBogota(time.January, 19, 0, 0)
		o.server.Add(chatsBetween(time.Now().Add(time.Second), midnight, 300)...)
		o.run()
		o.pass(2 * time.Hour)
		o.wantStatus("before it is spent", true, wolkvox.OK)
		o.wantResults("before it is spent", wolkvox.OK)

		o.server.Spend(quota)
		before := o.requests()
		o.pass(10 * time.Minute)
		for time.Until(midnight) > time.Minute {
			o.wantStatus("while it is spent", true, wolkvox.QuotaExceeded)
			o.pass(min(time.Hour, time.Until(midnight)-time.Minute))
		}
		o.wantResults("while it is spent", wolkvox.QuotaExceeded)
		have := o.requests() - before
		t.Logf("requests in 16 hours of it: %d", have)
		if most := 2 * 16; have > most {
			t.Errorf("requests in 16 hours of it: have %d, want at most %d", have, most)
		}

		o.pass(time.Until(midnight.Add(6 * time.Minute)))
		o.wantStatus("after midnight", true, wolkvox.OK)
		o.wantResults("after midnight", wolkvox.OK)
		o.wantTruth()
		o.wantLines(1, 1)
	})
}

func TestPoller_SplitsWindowBeyondTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 1,200 rows take a minute, and there are 2,000 a day.
		o := newOperation(t, wolkvoxtest.Config{Latency: func(rows int) time.Duration { return time.Duration(rows) * 50 * time.Millisecond }})
		o.runAndStop()
		back := time.Now().Add(36 * time.Hour)
		o.server.Add(chatsBetween(time.Now(), back.Add(3*time.Hour), 3250)...)
		time.Sleep(time.Until(back))
		o.runAgain(14*time.Minute, 24) // Windows of the same number of rows are looked at twice.
		before := o.requests()
		o.pass(3 * time.Hour)
		o.wantStatus("three hours later", true, wolkvox.OK)
		have := o.requests() - before
		t.Logf("requests in three hours: %d", have)
		if most := 3 * (12 + 6); have > most {
			t.Errorf("requests in three hours: have %d, want at most %d", have, most)
		}
		o.wantTruth()
		o.wantLines(0, 0)
	})
}

// Each response is slow, however short the window is. The poller must not keep the short
// spans of an outage.
func TestPoller_RequestsLongWindowsAgainAfterOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOperation(t, wolkvoxtest.Config{Latency: func(int) time.Duration { return 20 * time.Second }})
		o.server.Add(chatsBetween(time.Now().Add(time.Second), time.Now().Add(5*time.Hour), 200)...)
		o.run()
		o.pass(2 * time.Hour)
		o.server.FailAlways(wolkvoxtest.Hang)
		o.pass(30 * time.Minute)
		o.server.Recover()
		before := o.requests()
		o.pass(3 * time.Hour)
		o.wantStatus("three hours after an outage", true, wolkvox.OK)
		o.wantTruth()
		if have, most := o.requests()-before, 100; have > most {
			t.Errorf("requests in three hours: have %d, want at most %d", have, most)
		}
	})
}

func TestPoller_CountsEveryChatWithSharedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOperation(t, wolkvoxtest.Config{Latency: func(int) time.Duration { return 20 * time.Second }})
		o.server.Add(chatsBetween(time.Now().Add(time.Second), time.Now().Add(5*time.Hour), 200)...)
		other := o.connect(func(wolkvox.Request) {})
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			for end := time.Now().Add(5 * time.Hour); time.Now().Before(end); time.Sleep(41 * time.Second) {
				now := wolkvox.ToLocalTime(time.Now().In(bogota))
				for _, err := range other.Chats(t.Context(), wolkvox.Window{From: now - 60, To: now}) {
					_ = err // Ours may have the token.
				}
			}
		}()
		o.run()
		o.pass(5 * time.Hour)
		<-gone
		// Ours and the other's.
		if have := o.server.MaxInFlight(); have != 2 {
			t.Errorf("requests at the same time: have %d, want 2", have)
		}
		o.pass(time.Hour)
		o.wantStatus("afterwards", true, wolkvox.OK)
		o.wantTruth()
		o.kill()
		refused := 0
		for _, result := range o.results {
			switch result {
			case wolkvox.TokenBusy:
				refused++
			case wolkvox.OK, wolkvox.Empty:
			default:
				t.Errorf("have a request with the result %s, want %s at worst", result, wolkvox.TokenBusy)
			}
		}
		t.Logf("requests in 6 hours: %d, refused: %d", len(o.results), refused)
		if have, most := len(o.results), 6*(12+3)+6*12+maxExtra; refused == 0 || have > most {
			t.Errorf("requests in 6 hours: have %d, %d of them refused, want at most %d and some", have, refused, most)
		}
	})
}

func TestBudgets_KeepDayWithinOneLicence(t *testing.T) {
	const (
		licence  = 1000
		interval = 5 * time.Minute
		polls    = int(day / interval)
		hourly   = 24 // token_info; probes of the zone are within the budget
		names    = 24 // routing points, if they fail each hour
		extra    = polls + reader.MaxExtra + polls/3 + reader.MaxGapRequests
	)
	reconciles := int(math.Ceil(ReconcileRequests(time.Hour, 48*time.Hour)))
	if have := polls + reconciles + hourly + names + extra; have >= licence {
		t.Errorf("requests in a day: have up to %d, want fewer than %d", have, licence)
	}
}
