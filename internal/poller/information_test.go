package poller

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// fakeInformation returns what it has, or the error of fail; in a list after its first
// routing point.
type fakeInformation struct {
	points iter.Seq[wolkvox.RoutingPoint]
	info   wolkvox.TokenInfo
	fail   func() error

	lists, quotas []time.Time // when it was asked
}

func newInformation() *fakeInformation {
	used, limit := 8.0, 1000.0
	return &fakeInformation{
		points: slices.Values([]wolkvox.RoutingPoint{{ID: "7", Name: "Ventas"}, {ID: "8", Name: "Soporte"}}),
		info:   wolkvox.TokenInfo{Used: &used, Limit: &limit},
		fail:   func() error { return nil },
	}
}

func (f *fakeInformation) RoutingPoints(context.Context) iter.Seq2[wolkvox.RoutingPoint, error] {
	return func(yield func(wolkvox.RoutingPoint, error) bool) {
		f.lists = append(f.lists, time.Now())
		err := f.fail()
		for point := range f.points {
			if !yield(point, nil) {
				return
			}
			if err != nil {
				yield(wolkvox.RoutingPoint{}, err)
				return
			}
		}
	}
}

func (f *fakeInformation) TokenInfo(context.Context) (wolkvox.TokenInfo, error) {
	f.quotas = append(f.quotas, time.Now())
	if err := f.fail(); err != nil {
		return wolkvox.TokenInfo{}, err
	}
	return f.info, nil
}

// optionsWithInfo returns options with the program's intervals.
func optionsWithInfo(information Information) Options {
	o := options()
	o.Information, o.RoutingPointsInterval, o.TokenInfoInterval = information, day, time.Hour
	return o
}

var namesOfTwo = map[string]string{"7": "Ventas", "8": "Soporte"}

func TestPoller_RequestsInformationAtItsIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		p := newPoller(t, &fakeReport{}, &store.Memory{}, optionsWithInfo(f))
		start := time.Now()
		runFor(t, p, 2*day)
		if lists, quotas := len(f.lists), len(f.quotas); lists != 2 || quotas != 48 {
			t.Fatalf("in two days: have %d looks at routing points, %d at the quota, want 2 and 48", lists, quotas)
		}
		for _, first := range []time.Time{f.lists[0], f.quotas[0]} {
			if !first.Equal(start) {
				t.Errorf("first look after %v, want it after the first poll", first.Sub(start))
			}
		}
		for _, asked := range f.quotas[1:] {
			if late := asked.Sub(asked.Truncate(time.Hour)); late > 5*time.Minute {
				t.Errorf("have a look %v after the hour, want it at the first poll", late)
			}
		}
		s := p.Snapshot().Status
		if !maps.Equal(s.RoutingPoints, namesOfTwo) || s.TokenInfo != f.info {
			t.Errorf("have %v and %v", s.RoutingPoints, s.TokenInfo)
		}
	})
}

// No fault of these calls changes when polls are made or what they read.
func TestPoller_PollsWhileInformationFails(t *testing.T) {
	run := func(t *testing.T, fault wolkvoxtest.Fault) (polls []wolkvoxtest.Request) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			o := newOperation(t, wolkvoxtest.Config{})
			o.options.Information, o.options.RoutingPointsInterval, o.options.TokenInfoInterval = o.client, day, time.Hour
			o.server.Add(chatsBetween(time.Now().Add(time.Second), time.Now().Add(5*time.Hour), 200)...)
			o.server.FailInformation(fault)
			time.Sleep(2 * time.Minute) // to well before a tick: a look that hangs takes a minute
			o.run()
			o.pass(6 * time.Hour)
			o.wantTruth()
			o.wantStatus("at the end", true, wolkvox.OK)
			o.wantLines(0, 0)
			s := o.poller.Snapshot().Status
			if known := s.RoutingPoints != nil || s.TokenInfo != (wolkvox.TokenInfo{}); known != (fault == wolkvoxtest.None) {
				t.Errorf("have the routing points %v and %v", s.RoutingPoints, s.TokenInfo)
			}
			looks := 0
			for _, request := range o.server.Requests() {
				if request.API == "chat_8" {
					polls = append(polls, wolkvoxtest.Request{Time: request.Time, From: request.From, To: request.To, Rows: request.Rows})
				} else {
					looks++
				}
			}
			if most := 2 * 7; looks > most || looks == 0 {
				t.Errorf("looks in six hours: have %d, want at most %d", looks, most)
			}
		})
		return polls
	}
	want := run(t, wolkvoxtest.None)
	for _, fault := range []wolkvoxtest.Fault{
		wolkvoxtest.NoSuchAPI, wolkvoxtest.CodeNoSuchAPI, wolkvoxtest.PageMissing, wolkvoxtest.TokenRejected, wolkvoxtest.TokenBusy,
		wolkvoxtest.QuotaExceeded, wolkvoxtest.Maintenance, wolkvoxtest.RateLimited, wolkvoxtest.UnavailableFor, wolkvoxtest.LoginPage,
		wolkvoxtest.ServerError, wolkvoxtest.Hang, wolkvoxtest.RedirectHost,
	} {
		t.Run(fault.String(), func(t *testing.T) {
			if have := run(t, fault); !slices.Equal(have, want) {
				t.Errorf("have %d requests for chats, want the same %d as without it", len(have), len(want))
			}
		})
	}
}

func TestPoller_RequestsNoInformationWhilePollsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		start := time.Now()
		report := &fakeReport{fail: func(int, wolkvox.Window) error {
			if since := time.Since(start); since < 2*time.Hour || since > 30*time.Hour {
				return failing(wolkvox.TokenRejected)
			}
			return nil
		}}
		runFor(t, newPoller(t, report, &store.Memory{}, optionsWithInfo(f)), 2*day)
		for _, asked := range slices.Concat(f.lists, f.quotas) {
			if since := asked.Sub(start); since < 2*time.Hour || since > 30*time.Hour {
				t.Errorf("have a look after %v, while polling fails", since)
			}
		}
		if len(f.lists) != 2 || len(f.quotas) < 28 {
			t.Errorf("have %d looks at routing points, %d at the quota, want 2 and one each hour between", len(f.lists), len(f.quotas))
		}
	})
}

// After a reconcile with Retry-After, no request is made, even if the poll before it
// succeeded.
func TestPoller_RequestsNoInformationDuringRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		report := &fakeReport{fail: func(n int, _ wolkvox.Window) error {
			if n == 1 {
				return &wolkvox.Error{Result: wolkvox.RateLimited, RetryAfter: 3 * time.Hour}
			}
			return nil
		}}
		p := newPoller(t, report, &store.Memory{}, optionsWithInfo(f))
		start := time.Now()
		runFor(t, p, 4*time.Hour)
		if len(f.lists) != 1 || f.lists[0].Sub(start) < 3*time.Hour || f.quotas[0].Sub(start) < 3*time.Hour {
			t.Errorf("have looks at %v and %v, want the first three hours after %v", f.lists, f.quotas, start)
		}
	})
}

func TestPoller_KeepsInformationWhileItFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		p := newPoller(t, &fakeReport{}, &store.Memory{}, optionsWithInfo(f))
		runFor(t, p, 30*time.Minute)
		f.fail = func() error { return failing(wolkvox.Network) }
		f.points = slices.Values([]wolkvox.RoutingPoint{{ID: "9", Name: "half of a list"}, {ID: "10", Name: "the rest"}})
		runFor(t, p, 3*time.Hour)
		if s := p.Snapshot().Status; !maps.Equal(s.RoutingPoints, namesOfTwo) || s.TokenInfo != f.info {
			t.Errorf("have %v and %v, want what was known", s.RoutingPoints, s.TokenInfo)
		}
		f.fail = func() error { return nil }
		runFor(t, p, day)
		if have, want := p.Snapshot().Status.RoutingPoints, map[string]string{"9": "half of a list", "10": "the rest"}; !maps.Equal(have, want) {
			t.Errorf("have %v, want %v", have, want)
		}
	})
}

func TestPoller_DropsTokenInfoAtMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A synctest bubble begins at 19:00 in Bogota.
		f := newInformation()
		p := newPoller(t, &fakeReport{}, &store.Memory{}, optionsWithInfo(f))
		runFor(t, p, 10*time.Minute)
		f.fail = func() error { return failing(wolkvox.BadRequest) }
		runFor(t, p, 4*time.Hour+45*time.Minute)
		if have := p.Snapshot().Status.TokenInfo; have != f.info {
			t.Errorf("five minutes before midnight: have %v, want %v", have, f.info)
		}
		runFor(t, p, 15*time.Minute)
		if have := p.Snapshot().Status.TokenInfo; have != (wolkvox.TokenInfo{}) {
			t.Errorf("after midnight: have %v, want nothing", have)
		}
	})
}

func TestPoller_RetriesInformationWithinTheHour(t *testing.T) {
	for name, c := range map[string]struct {
		err         error
		least, most time.Duration
	}{
		"at once":            {failing(wolkvox.BadRequest), 55 * time.Minute, 65 * time.Minute},
		"after what it asks": {&wolkvox.Error{Result: wolkvox.RateLimited, RetryAfter: 5 * time.Hour}, 5 * time.Hour, 5*time.Hour + 5*time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newInformation()
				first := true
				f.fail = func() error {
					if first {
						first = false
						return c.err
					}
					return nil
				}
				start := time.Now()
				runFor(t, newPoller(t, &fakeReport{}, &store.Memory{}, optionsWithInfo(f)), 10*time.Hour)
				if len(f.lists) != 2 {
					t.Fatalf("looks in ten hours: have %d, want 2", len(f.lists))
				}
				if have := f.lists[1].Sub(start); have < c.least || have > c.most {
					t.Errorf("have the second look after %v, want it after %v to %v", have, c.least, c.most)
				}
				// The other is not requested at once after a failure, but later.
				if have := f.quotas[0].Sub(start); have == 0 || have > 5*time.Minute {
					t.Errorf("have the first look at the quota after %v, want it after the next poll", have)
				}
			})
		})
	}
}

func TestPoller_LogsFailingInformationOnceAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		f := newInformation()
		f.fail = func() error { return failing(wolkvox.BadRequest) }
		o := optionsWithInfo(f)
		o.Logger = log.logger()
		p := newPoller(t, &fakeReport{}, &store.Memory{}, o)
		runFor(t, p, day)
		f.fail = func() error { return nil }
		runFor(t, p, day)
		for _, text := range []string{"the names of routing points are not available", "the number of requests today is not available"} {
			wantWarnings(t, &log, text, 1)
			if have := log.count("resolved: " + text); have != 1 {
				t.Errorf("have %d lines that it is over, want 1", have)
			}
		}
		if log.count("level=error") != 0 {
			t.Errorf("have errors:\n%s", log.withoutPolls())
		}
	})
}

func TestPoller_LimitsRoutingPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		f.points = func(yield func(wolkvox.RoutingPoint) bool) {
			for i := range 1_000_000 {
				if !yield(wolkvox.RoutingPoint{ID: strconv.Itoa(i), Name: "Ventas"}) {
					return
				}
			}
		}
		p := newPoller(t, &fakeReport{}, &store.Memory{}, optionsWithInfo(f))
		runFor(t, p, time.Minute)
		if have := p.Snapshot().Status.RoutingPoints; len(have) != maxRoutingPoints || have["0"] != "Ventas" {
			t.Errorf("have %d names, want %d", len(have), maxRoutingPoints)
		}
	})
}

func TestPoller_UsesLastNameOfRoutingPoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		f.points = slices.Values([]wolkvox.RoutingPoint{{ID: "7", Name: "Ventas"}, {ID: "8", Name: "Soporte"}, {ID: "7", Name: "Sales"}})
		p := newPoller(t, &fakeReport{}, &store.Memory{}, optionsWithInfo(f))
		runFor(t, p, time.Minute)
		if have, want := p.Snapshot().Status.RoutingPoints, map[string]string{"7": "Sales", "8": "Soporte"}; !maps.Equal(have, want) {
			t.Errorf("have %v, want %v", have, want)
		}
	})
}

func TestPoller_PrefersConfiguredNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newInformation()
		o := optionsWithInfo(f)
		o.RoutingPoints = map[string]string{"8": "Support", "9": "not listed"}
		p := newPoller(t, &fakeReport{}, &store.Memory{}, o)
		if have := p.Snapshot().Status.RoutingPoints; !maps.Equal(have, o.RoutingPoints) {
			t.Errorf("before a look: have %v, want %v", have, o.RoutingPoints)
		}
		runFor(t, p, time.Minute)
		if have, want := p.Snapshot().Status.RoutingPoints, map[string]string{"7": "Ventas", "8": "Support", "9": "not listed"}; !maps.Equal(have, want) {
			t.Errorf("after a look: have %v, want %v", have, want)
		}
	})
}

func TestPoller_IgnoresCancelledInformation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		f := newInformation()
		o := optionsWithInfo(f)
		o.Logger = log.logger()
		ctx, cancel := context.WithCancel(t.Context())
		f.fail = func() error {
			cancel()
			return ctx.Err()
		}
		report := &fakeReport{chats: []wolkvox.Chat{chat(1, time.Now().Add(-time.Minute))}}
		newPoller(t, report, &store.Memory{}, o).Run(ctx)
		if len(f.lists) != 1 || len(f.quotas) != 0 || log.warnings("") != 0 {
			t.Errorf("have %d and %d looks, and the log\n%s", len(f.lists), len(f.quotas), log.withoutPolls())
		}
	})
}
