package poller

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestPoller_PollsUpToAPIClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{}
		p := newPoller(t, report, &store.Memory{}, options())
		report.clock = clock{ahead: -time.Hour, known: true}
		for range 3 {
			p.poll(t.Context())
			want := time.Now().Add(-time.Hour)
			if have := p.Snapshot().View.Progress.CompleteUntil; have.Sub(want).Abs() > time.Second {
				t.Errorf("complete until: have %v, want %v", have, want)
			}
			time.Sleep(5 * time.Minute)
		}
		if have := p.Snapshot().View.Progress.Reconciled; time.Since(have) < time.Hour {
			t.Errorf("reconciled: have %v, want the API's time", have)
		}
	})
}

func TestPoller_ReconcilesHourlyWithAPIClockBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(2 * day) // A window that crosses the end of a month is two.
		report := &fakeReport{clock: clock{ahead: -2 * time.Hour, known: true}}
		runFor(t, newPoller(t, report, &store.Memory{}, options()), day)
		if have, most := len(report.windows), 288+2*24+5; have > most {
			t.Errorf("requests in a day: have %d, want at most %d", have, most)
		}
	})
}

func TestPoller_IgnoresAPIClockAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{clock: clock{ahead: 3 * time.Hour, known: true}}
		p := newPoller(t, report, &store.Memory{}, options())
		p.poll(t.Context())
		if have := p.Snapshot().View.Progress.CompleteUntil; !have.Equal(time.Now()) {
			t.Errorf("complete until: have %v, want %v", have, time.Now())
		}
	})
}

// A machine that boots with the clock of another year, and is set right later.
func TestPoller_ForgetsNothingWithClocksADayApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		report := &fakeReport{clock: clock{ahead: -3 * 365 * day, known: true}}
		kept := &store.Memory{}
		time.Sleep(3 * 365 * day)
		newPoller(t, report, kept, options()).poll(t.Context())
		state, _ := kept.Load()

		right := &store.Memory{}
		_ = right.Save(state)
		p := newPoller(t, report, right, options())
		report.clock = clock{known: true}
		c := p.newCycle()
		c.began, c.to = start.Add(time.Hour), start.Add(time.Hour)
		report.chats = []wolkvox.Chat{chat(1, start.Add(10*time.Minute)), chat(2, start.Add(59*time.Minute))}
		if err := p.pollReport(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if !p.reconcileDue(c) {
			t.Error("have no reconcile due, want one")
		}
		if err := p.reconcile(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if have := interactions(p); have != 2 {
			t.Errorf("interactions: have %d, want 2", have)
		}
	})
}

// A date that is years behind may as well be a proxy's fault.
func TestPoller_UsesOwnClockWithAPIClockADayBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{clock: clock{ahead: -3 * 365 * day, known: true}}
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 2*time.Hour)
		have := p.Snapshot()
		if age := time.Since(have.View.Progress.CompleteUntil); age > 10*time.Minute || have.Status.Skipped != 0 {
			t.Errorf("have it complete until %v ago, skipped %v, want some minutes and nothing", age, have.Status.Skipped)
		}
		if have := len(report.windows); have > 35 {
			t.Errorf("requests in two hours: have %d, want about 30", have)
		}
	})
}

func TestPoller_LogsWrongClockOnceAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := options()
		o.Logger = log.logger()
		report := &fakeReport{clock: clock{ahead: -time.Hour, known: true}}
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, time.Hour)
		if have := log.count("clock and the API's differ"); have != 1 || log.count("api_ahead=-1h0m0s") != 1 {
			t.Errorf("have %d lines, want 1:\n%s", have, log.text.String())
		}
		report.clock = clock{known: true}
		runFor(t, p, time.Hour)
		if have := log.count("resolved: our clock and the API's differ"); have != 1 {
			t.Errorf("have %d lines at the end, want 1:\n%s", have, log.text.String())
		}
	})
}

func TestPoller_WarnsAboutFutureEndsWithZoneBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := options()
		o.Logger = log.logger()
		ahead := chat(1, time.Now().Add(2*time.Hour))
		p := newPoller(t, &sameRows{chats: []wolkvox.Chat{ahead}}, &store.Memory{}, o)
		runFor(t, p, time.Hour)
		if have := log.count("chats end in the future"); have != 1 || log.count("ahead=2h0m0s") != 1 {
			t.Errorf("have %d lines, want 1:\n%s", have, log.text.String())
		}
		if have, want := p.Snapshot().Status.NewestEnd, ahead.End.In(bogota); !have.Equal(want) {
			t.Errorf("newest end: have %v, want %v", have, want)
		}
	})
}

func TestPoller_WarnsAboutLateChatsWithZoneAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := options()
		o.Logger = log.logger()
		o.Zone = time.FixedZone("three hours ahead", -2*3600)
		report := &fakeReport{}
		start := time.Now()
		for n := range 300 {
			report.chats = append(report.chats, chat(n+1, start.Add(time.Duration(n)*time.Minute)))
		}
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, 4*time.Hour)
		if have := log.count("no chat is found soon after its end"); have != 1 {
			t.Errorf("have %d lines, want 1:\n%s", have, log.text.String())
		}
		if have := interactions(p); have == 0 || have != p.Snapshot().View.Counts.Late {
			t.Errorf("have %d interactions, %d late, want all of them", have, p.Snapshot().View.Counts.Late)
		}
	})
}

func TestPoller_AcceptsEndDuringSlowPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := options()
		o.Logger, o.Timeout = log.logger(), 5*time.Minute
		ends := chat(1, time.Now().Add(2*time.Minute))
		report := &byStart{chats: []wolkvox.Chat{ends}}
		p := newPoller(t, report, &store.Memory{}, o)
		c := p.newCycle()
		time.Sleep(3 * time.Minute)
		if err := p.pollReport(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if p.warn(&reader.Stats{NewestEnd: ends.End}); log.count("chats end in the future") != 0 {
			t.Errorf("have a warning, want none:\n%s", log.text.String())
		}
	})
}
