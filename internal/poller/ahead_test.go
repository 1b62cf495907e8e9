package poller

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// shortChats returns chats that end every few minutes, each shorter than the overlap of
// polls, so that a right zone's polls find all of them.
func (s *simulation) shortChats(from, to time.Time, every time.Duration) []wolkvoxtest.Chat {
	var chats []wolkvoxtest.Chat
	for end := from.Add(every); end.Before(to); end = end.Add(every) {
		n := len(chats)
		c := s.makeChat(n, end.Add(-time.Duration(30+n%7*60)*time.Second), end)
		if !s.besideAMonthsEnd(c.Start) && !s.besideAMonthsEnd(c.End) {
			chats = append(chats, c)
		}
	}
	return chats
}

// completeOnDisk is up to when the saved figures claim to be complete.
func (s *simulation) completeOnDisk(t *testing.T) time.Time {
	t.Helper()
	return newPoller(t, nil, &s.kept, s.options).Snapshot().View.Progress.CompleteUntil
}

func TestPoller_NoticesZoneBehindWithinAnHour(t *testing.T) {
	for i, test := range []struct {
		real, configured string
		behind           time.Duration
		fits             string
	}{
		{"America/Bogota", "America/Mexico_City", time.Hour, "UTC-05:00"},
		{"America/Sao_Paulo", "America/Bogota", 2 * time.Hour, "UTC-03:00"},
		{"Europe/Madrid", "America/Sao_Paulo", 5 * time.Hour, "UTC+02:00"},
		{"Pacific/Kiritimati", "America/Bogota", 19 * time.Hour, "UTC+14:00"},
	} {
		for selectOn, selection := range selections {
			if !sampled(i) {
				continue
			}
			t.Run(fmt.Sprintf("%s as %s, selects on %s", test.real, test.configured, selection), func(t *testing.T) {
				t.Parallel()
				start := time.Date(2026, 5, 12, 10, 7, 0, 0, time.UTC)
				s := newSimulation(1, mustLoad(test.real))
				s.options.Zone = mustLoad(test.configured)
				// Up to where the figures claim to be complete, they are.
				s.readings.SelectOn, s.prompt = selectOn, true
				chats := s.shortChats(start, start.Add(6*time.Hour), 11*time.Minute)
				s.chats = slices.Concat(chats, at(perhaps, s.shortChats(start.Add(-20*time.Hour), start, 11*time.Minute)))
				var log lines
				s.options.Logger = log.logger()
				s.live(t, start, 65*time.Minute)
				wantWarnings(t, &log, endsInTheFuture, 1)
				if log.count("fits="+test.fits) != 1 {
					t.Errorf("want %s to fit:\n%s", test.fits, log.withoutPolls())
				}
				end := start.Add(65 * time.Minute)
				if have, most := s.completeOnDisk(t), end.Add(-test.behind); have.After(most) || most.Sub(have) > 6*time.Minute {
					t.Errorf("complete until: have %v, want at most %v, and little less", have, most)
				}
				s.live(t, end, 2*time.Hour)
				wantWarnings(t, &log, endsInTheFuture, 2) // Logged again after the restart.
				if have, most := s.completeOnDisk(t), end.Add(2*time.Hour-test.behind); have.After(most) {
					t.Errorf("complete until, after a restart: have %v, want at most %v", have, most)
				}

				s.options.Zone = s.zone
				end = end.Add(2 * time.Hour)
				s.live(t, end, 4*time.Hour)
				s.wantAll(t, chats)
				wantWarnings(t, &log, endsInTheFuture, 2)
				if have := s.completeOnDisk(t); have.Before(end.Add(4*time.Hour - 6*time.Minute)) {
					t.Errorf("complete until, with the right zone: have %v, want the last poll", have)
				}
			})
		}
	}
}

func TestPoller_NoticesZoneAheadWithinAnHour(t *testing.T) {
	for _, test := range []struct{ real, configured string }{
		{"America/Mexico_City", "America/Bogota"}, // by an hour
		{"America/Sao_Paulo", "Europe/Madrid"},    // by 5
		{"America/Bogota", "Asia/Tokyo"},          // by 14
	} {
		for selectOn, selection := range selections {
			t.Run(fmt.Sprintf("%s as %s, selects on %s", test.real, test.configured, selection), func(t *testing.T) {
				t.Parallel()
				start := time.Date(2026, 5, 12, 10, 7, 0, 0, time.UTC)
				s := newSimulation(1, mustLoad(test.real))
				s.options.Zone, s.readings.SelectOn = mustLoad(test.configured), selectOn
				s.chats = s.shortChats(start.Add(-20*time.Hour), start.Add(6*time.Hour), 11*time.Minute)
				var log lines
				s.options.Logger = log.logger()
				s.live(t, start, 70*time.Minute)
				wantWarnings(t, &log, foundLate, 1)
				wantWarnings(t, &log, endsInTheFuture, 0)
			})
		}
	}
}

func TestPoller_DoesNotSuspectRightZone(t *testing.T) {
	all := append([]place{newPlace("America/Santiago", "2026-04-04 12:00:00"), newPlace("America/Santiago", "2026-09-05 12:00:00")}, places...)
	for i, place := range all {
		for selectOn, selection := range selections {
			// Half of them by turns, so that each selection meets each kind of clock.
			if !torture && int(selectOn) != i/2%2 || !sampled(i) {
				continue
			}
			t.Run(fmt.Sprintf("%s %s, selects on %s", place.zone, place.start.Format(time.DateOnly), selection), func(t *testing.T) {
				t.Parallel()
				s := newSimulation(uint64(i), place.zone)
				s.readings.SelectOn, s.readings.ListOpen = selectOn, wolkvoxtest.EmptyEnd
				// Clocks that are minutes apart, with a Date that shows it or without.
				s.ahead = always(time.Duration(i%3-1) * 7 * time.Minute)
				if i%2 == 0 {
					s.header = dating(nil)
				}
				s.chats = s.shortChats(place.start, place.start.Add(2*day), 7*time.Minute)
				var log lines
				s.options.Logger = log.logger()
				s.live(t, place.start, 2*day)
				if have := log.count("fits="); have != 0 {
					t.Errorf("have %d warnings, want none:\n%s", have, log.withoutPolls())
				}
			})
		}
	}
}

// zonedReport is that of an operation whose clock may be set. Its chats are a minute long,
// the last one before a night 70.
type zonedReport struct {
	clock
	onStart bool          // what it selects on, or else on the end
	offset  time.Duration // of the operation's clock from UTC
	ends    []time.Time
	junk    []wolkvox.Chat // shown before they end
	fail    error          // of windows that lie ahead
	ahead   []wolkvox.Window
}

func (f *zonedReport) Chats(_ context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		if w.To > wolkvox.ToLocalTime(time.Now().In(bogota)) {
			f.ahead = append(f.ahead, w)
			if f.fail != nil {
				yield(wolkvox.Chat{}, f.fail)
				return
			}
		}
		for _, c := range f.junk {
			if c.End >= w.From && c.End <= w.To && !yield(c, nil) {
				return
			}
		}
		for n, end := range f.ends {
			local := wolkvox.ToLocalTime(end.UTC().Add(f.offset))
			c := wolkvox.Chat{ID: wolkvox.ID(n + 1), Start: local - 60, End: local, RoutingPoint: "7", Channel: "web"}
			if n+1 < len(f.ends) && f.ends[n+1].Sub(end) > 5*time.Hour {
				c.Start = local - 70*60
			}
			date := c.End
			if f.onStart {
				date = c.Start
			}
			if !end.After(time.Now()) && date >= w.From && date <= w.To && !yield(c, nil) {
				return
			}
		}
	}
}

// workingHours returns an end every few minutes, but for ten hours of each night.
func workingHours(from time.Time, lasts, every time.Duration) []time.Time {
	var ends []time.Time
	for end := from; end.Before(from.Add(lasts)); end = end.Add(every) {
		if end.Hour() >= 10 {
			ends = append(ends, end)
		}
	}
	return ends
}

const bogotaOffset = -5 * time.Hour

// probedPoller polls a report for an operation that is thought to be in Bogota.
func probedPoller(t *testing.T, report Report) (*Poller, *lines) {
	t.Helper()
	o, log := options(), &lines{}
	o.ZoneProbeInterval, o.Logger = time.Hour, log.logger()
	return newPoller(t, report, &store.Memory{}, o), log
}

func wantZoneBehind(t *testing.T, p *Poller, want time.Duration) {
	t.Helper()
	status := p.Snapshot().Status
	if !status.ZoneProbed || status.ZoneBehind != want {
		t.Errorf("zone behind: have %v (probed: %v), want %v", status.ZoneBehind, status.ZoneProbed, want)
	}
}

// An operation whose server goes over to another summer time than the zone's.
func TestPoller_NoticesZoneIsRightAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour)
		report := &zonedReport{offset: bogotaOffset, ends: workingHours(time.Now().UTC().Add(-time.Hour), 5*day, 9*time.Minute)}
		p, log := probedPoller(t, report)
		runFor(t, p, 2*time.Hour)
		wantZoneBehind(t, p, 0)
		report.offset += time.Hour
		runFor(t, p, time.Hour+6*time.Minute)
		wantZoneBehind(t, p, time.Hour)
		runFor(t, p, 2*day)
		wantZoneBehind(t, p, time.Hour)
		wantWarnings(t, log, endsInTheFuture, 1)
		if age := time.Since(p.Snapshot().View.Progress.CompleteUntil); age < time.Hour || age > 66*time.Minute {
			t.Errorf("complete until %v ago, want an hour", age)
		}
		report.offset -= time.Hour
		runFor(t, p, 4*time.Hour)
		wantZoneBehind(t, p, time.Hour)
		runFor(t, p, 8*time.Hour)
		wantZoneBehind(t, p, 0)
		if log.count("resolved: "+endsInTheFuture) != 1 {
			t.Errorf("want a line that it is over:\n%s", log.withoutPolls())
		}
		if age := time.Since(p.Snapshot().View.Progress.CompleteUntil); age > 6*time.Minute {
			t.Errorf("complete until %v ago, want the last poll", age)
		}
		wantWarnings(t, log, endsInTheFuture, 1)
	})
}

func TestPoller_IgnoresSingleChatAhead(t *testing.T) {
	for name, test := range map[string]struct {
		junk []time.Duration // from the start to the wall-clock end
		want time.Duration
	}{
		"one in 5 hours":                {[]time.Duration{5 * time.Hour}, 0},
		"in 2099":                       {[]time.Duration{73 * 365 * day, 74 * 365 * day}, 0},
		"one that is minutes early":     {[]time.Duration{2 * time.Minute}, 0},
		"two at once":                   {[]time.Duration{50 * time.Minute, 40 * time.Minute}, time.Hour},
		"two that are a long way ahead": {[]time.Duration{4 * time.Hour, 3 * time.Hour}, 4 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report := &zonedReport{offset: bogotaOffset}
				for n, at := range test.junk {
					report.junk = append(report.junk, chat(1000+n, time.Now().Add(at)))
				}
				p, _ := probedPoller(t, report)
				runFor(t, p, 3*time.Hour)
				wantZoneBehind(t, p, test.want)
			})
		})
	}
}

// With a chat every 45 minutes, each probe shows one.
func TestPoller_NoticesZoneBehindByOneChatInEachProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &zonedReport{offset: bogotaOffset + time.Hour}
		for at := -35 * time.Minute; at < 5*time.Hour; at += 45 * time.Minute {
			report.ends = append(report.ends, time.Now().Add(at))
		}
		p, _ := probedPoller(t, report)
		runFor(t, p, 2*time.Minute)
		wantZoneBehind(t, p, 0)
		runFor(t, p, 66*time.Minute)
		wantZoneBehind(t, p, time.Hour)
	})
}

// At night no chat shows that the zone is behind, nor that it is not.
func TestPoller_KeepsZoneBehindOverQuietNight(t *testing.T) {
	for _, onStart := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(12 * time.Hour)
			report := &zonedReport{offset: bogotaOffset + time.Hour, onStart: onStart}
			report.ends = workingHours(time.Now().UTC().Add(-2*time.Hour), 4*day, 9*time.Minute)
			p, log := probedPoller(t, report)
			runFor(t, p, 3*day)
			wantZoneBehind(t, p, time.Hour)
			wantWarnings(t, log, endsInTheFuture, 1)
			if log.count("resolved: "+endsInTheFuture) != 0 {
				t.Errorf("selects on start: %v: have a line that it is over:\n%s", onStart, log.withoutPolls())
			}
		})
	}
}

func TestPoller_FirstPollHoldsCompleteUntilBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &zonedReport{offset: bogotaOffset + 2*time.Hour}
		for ago := time.Minute; ago < 5*time.Hour; ago += 7 * time.Minute {
			report.ends = append(report.ends, time.Now().Add(-ago))
		}
		p, _ := probedPoller(t, report)
		p.poll(t.Context())
		if have, want := p.Snapshot().View.Progress.CompleteUntil, time.Now().Add(-2*time.Hour); !have.Equal(want) {
			t.Errorf("complete until: have %v, want %v", have, want)
		}
	})
}

// What is held back was read, so it is no gap.
func TestPoller_ZoneBehindSkipsNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &zonedReport{offset: bogotaOffset + 5*time.Hour, ends: workingHours(time.Now().UTC().Add(-14*time.Hour), 2*day, 9*time.Minute)}
		o := options()
		o.ZoneProbeInterval, o.MaxCatchUp = time.Hour, 0
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, 20*time.Hour)
		wantZoneBehind(t, p, 5*time.Hour)
		if skipped := p.Snapshot().Status.Skipped; skipped != 0 {
			t.Errorf("skipped: have %v, want none", skipped)
		}
	})
}

func TestPoller_SlowClockIsNoZoneBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &zonedReport{clock: clock{ahead: time.Hour, known: true}, offset: bogotaOffset + time.Hour}
		for ago := time.Minute; ago < 5*time.Hour; ago += 7 * time.Minute {
			report.ends = append(report.ends, time.Now().Add(-ago))
		}
		p, _ := probedPoller(t, report)
		runFor(t, p, time.Minute)
		wantZoneBehind(t, p, 0)
	})
}

// An API that answers with other rows than those of the range.
func TestPoller_IgnoresRowsOutsideProbedWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var chats []wolkvox.Chat
		for n, end := range []time.Duration{-time.Hour, -2 * time.Hour, 73 * 365 * day, 74 * 365 * day} {
			c := chat(n+1, time.Now().Add(end))
			c.Start = wolkvox.ToLocalTime(time.Now().In(bogota)) - 10_000
			chats = append(chats, c)
		}
		p, _ := probedPoller(t, &sameRows{chats: chats})
		runFor(t, p, 3*time.Hour)
		wantZoneBehind(t, p, 0)
	})
}

func TestPoller_ProbesZoneOnceAnHour(t *testing.T) {
	for name, test := range map[string]struct {
		start string
		want  int
	}{
		"in a month":            {"2026-05-12 00:03:00", 24},
		"on the last day of it": {"2026-05-31 00:03:00", 24 + 19}, // From 5:00 on, the hours are of two months.
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start, err := time.ParseInLocation(time.DateTime, test.start, bogota)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Until(start))
				report := &zonedReport{offset: bogotaOffset}
				p, _ := probedPoller(t, report)
				runFor(t, p, day)
				if have := len(report.ahead); have != test.want {
					t.Errorf("probes in a day: have %d, want %d", have, test.want)
				}
				for _, w := range report.ahead {
					from, to := w.From.In(time.UTC), w.To.In(time.UTC)
					if from.Month() != to.Month() || to.Sub(from) > 19*time.Hour {
						t.Errorf("have window %v, want one month and 19 hours at most", w)
					}
				}
			})
		})
	}
}

// An API may refuse a range that lies ahead.
func TestPoller_LogsFailedZoneProbeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &zonedReport{offset: bogotaOffset + time.Hour, fail: failing(wolkvox.BadRequest)}
		p, log := probedPoller(t, report)
		runFor(t, p, 5*time.Hour)
		status := p.Snapshot().Status
		if !status.Up || status.ZoneProbed || status.Failure != "" {
			t.Errorf("have %+v, want it up and not probed", status)
		}
		if have := log.warnings("the hours ahead of the clock cannot be read"); have != 1 {
			t.Errorf("have %d warnings, want 1:\n%s", have, log.withoutPolls())
		}
	})
}

func TestPoller_ReadsQuietHoursWithinReconcileWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		o := options()
		o.ReconcileWindow = 3 * time.Hour
		p := newPoller(t, report, &store.Memory{}, o)
		p.poll(t.Context())
		report.windows = nil
		time.Sleep(time.Hour)
		p.poll(t.Context())
		wantSpans(t, report, "1999-12-31 18:30:00 1999-12-31 20:00:00", "1999-12-31 16:00:00 1999-12-31 18:30:00")
	})
}
