package poller

import (
	"maps"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestPoller_LosesNoChatUnderAnyVariant(t *testing.T) {
	i := -1
	for name, readings := range wolkvoxtest.EveryVariant() {
		i++
		seed := uint64(i)
		if !sampled(i) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOperation(t, wolkvoxtest.Config{Readings: readings})
				random := rand.New(rand.NewPCG(seed, 0))
				if readings.Growth == nil {
					o.addChats(80, 6*time.Hour, random)
				} else {
					// Longer ones are found after they have grown.
					o.server.Add(chatsBetween(time.Now().Add(time.Second), time.Now().Add(6*time.Hour), 80)...)
				}
				o.run()
				o.pass(2 * time.Hour)
				o.kill()
				o.run()
				o.pass(settled)
				o.wantStatus("at the end", true, wolkvox.OK)
				o.wantTruth()
				o.wantResults("at the end", wolkvox.OK)
				o.wantLines(0, 0)
				s, view := o.poller.Snapshot().Status, o.poller.Snapshot().View
				if s.UnreadableSeconds > 0 || s.TruncatedWindows > 0 || len(o.missingKeys()) > 0 || o.warnings() > 0 {
					t.Errorf("have %+v, want nothing unreadable, truncated or missing:\n%s", s, o.log.String())
				}
				errors := map[string]int{}
				for field, n := range view.Counts.FieldErrors {
					if n > 0 {
						errors[wolkvox.Field(field).String()] = int(n)
					}
				}
				if want := o.server.Truth(time.Now()).FieldErrors; !maps.Equal(errors, want) {
					t.Errorf("field errors: have %v, want %v", errors, want)
				}
			})
		})
	}
}

// Each growth of a row that polls see is a changed record (U13), and no other is.
func TestPoller_ReportsEachGrowthOfARow(t *testing.T) {
	after := []time.Duration{150 * time.Minute, 200 * time.Minute, 6 * time.Hour}
	for i, readings := range []wolkvoxtest.Readings{{SelectOn: wolkvoxtest.Start}, {SelectOn: wolkvoxtest.End}, {SelectOn: wolkvoxtest.End, GrowEnd: true}} {
		if !sampled(i) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			grows := wolkvoxtest.Share("grows", 40)
			readings.Growth = func(c wolkvoxtest.Chat) []time.Duration {
				if grows(c) {
					return after
				}
				return nil
			}
			o := newOperation(t, wolkvoxtest.Config{Readings: readings})
			o.options.Overlap = 8 * time.Hour // for each state to be seen
			for n := range 100 {
				o.server.Add(chatAt(n, time.Now().Add(time.Duration(n)*97*time.Second+time.Second), time.Minute, "7"))
			}
			o.run()
			o.pass(settled)
			o.wantTruth()
			truth := o.server.Truth(time.Now())
			if have := o.poller.Snapshot().View.Counts.Records[ledger.Changed]; int(have) != truth.Growths || have == 0 {
				t.Errorf("changed records: have %d, want %d", have, truth.Growths)
			}
		})
	}
}

// A 404 that the API did not say moves nothing.
func TestPoller_RefusesForeign404(t *testing.T) {
	for i, fault := range wolkvoxtest.ForeignNotFound() {
		if !sampled(i) {
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOperation(t, wolkvoxtest.Config{Readings: wolkvoxtest.Readings{Empty: wolkvoxtest.Status404}})
				o.addChats(60, 5*time.Hour, rand.New(rand.NewPCG(6, 0)))
				o.run()
				o.pass(time.Hour)
				before := o.poller.Snapshot().View.Progress
				o.server.FailAlways(fault)
				o.pass(10 * time.Minute)
				o.wantStatus("while it lasts", true, wolkvox.BadRequest)
				requests := o.requests()
				o.pass(2 * time.Hour)
				o.wantStatus("while it lasts", true, wolkvox.BadRequest)
				if have := o.poller.Snapshot().View.Progress; !have.CompleteUntil.Equal(before.CompleteUntil) || !have.Reconciled.Equal(before.Reconciled) {
					t.Errorf("have complete until %v, reconciled %v, want %v and %v", have.CompleteUntil, have.Reconciled, before.CompleteUntil, before.Reconciled)
				}
				if have := o.requests() - requests; have > 24 {
					t.Errorf("requests in two hours: have %d, want at most 24", have)
				}
				o.server.Recover()
				o.pass(settled)
				o.wantStatus("afterwards", true, wolkvox.OK)
				o.wantTruth()
				o.wantLines(1, 1)
			})
		})
	}
}

// What is around the JSON is one line in the log, and costs nothing.
func TestPoller_IgnoresTextAroundJSON(t *testing.T) {
	for i, fault := range append(wolkvoxtest.Surroundings(), wolkvoxtest.PHPWarning) {
		if !sampled(i) {
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOperation(t, wolkvoxtest.Config{})
				o.addChats(60, 5*time.Hour, rand.New(rand.NewPCG(7, 0)))
				o.run()
				o.pass(time.Hour)
				o.server.FailAlways(fault)
				o.pass(3 * time.Hour)
				o.wantStatus("while it lasts", true, wolkvox.OK)
				const line = "other text around their JSON"
				lines := 1
				if fault == wolkvoxtest.ByteOrderMarks || fault == wolkvoxtest.NULsBehind {
					lines = 0 // They are no text.
				}
				if have := o.logged(line); have != lines {
					t.Errorf("while it lasts: have %d lines, want %d", have, lines)
				}
				o.server.Recover()
				o.pass(settled)
				o.wantTruth()
				o.wantLines(0, 0)
				if have := o.logged(line); have != 2*lines {
					t.Errorf("afterwards: have %d lines, want %d", have, 2*lines)
				}
			})
		})
	}
}

func TestPoller_WarnsWhileThereHasNeverBeenARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOperation(t, wolkvoxtest.Config{})
		o.run()
		const line = "the report has never shown a chat"
		o.pass(12 * time.Hour)
		if have := o.logged("level=warn"); have != 1 || o.logged(line) != 1 {
			t.Errorf("without a row: have %d warnings and %d lines, want 1 and 1", have, o.logged(line))
		}
		o.server.Add(chatAt(1, time.Now().Add(time.Minute), time.Minute, "7"))
		o.pass(6 * time.Hour)
		if have := o.logged(line); have != 2 || o.logged("level=warn") != 1 {
			t.Errorf("with a row: have %d lines, want 2:\n%s", have, o.log.String())
		}
		o.kill()
		o.run()
		o.pass(6 * time.Hour)
		if have := o.logged(line); have != 2 {
			t.Errorf("after a restart: have %d lines, want 2", have)
		}
	})
}

// Chats that no agent closes last 23 hours, some of them 47, and are found under either
// reading of U1.
func TestPoller_FindsChatsThatATimeoutEnds(t *testing.T) {
	for i, selectOn := range bothDates {
		if !sampled(i) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			o := newOperation(t, wolkvoxtest.Config{Readings: wolkvoxtest.Readings{SelectOn: selectOn}})
			random := rand.New(rand.NewPCG(8, 0))
			s := simulation{zone: bogota, random: random}
			ends := make([]time.Time, 0, 60)
			for n := range 60 {
				start := time.Now().Add(time.Second + time.Duration(random.Int64N(int64(36*time.Hour))))
				c := wolkvoxtest.TimedOut(s.makeChat(n, start, start.Add(5*time.Minute)))
				ends = append(ends, c.End)
				o.server.Add(c)
			}
			o.run()
			for range 90 * 4 {
				o.pass(15 * time.Minute)
				// Each is found within the period of its level and the interval of reconciles.
				due := 0
				for _, end := range ends {
					if end.Before(time.Now().Add(-(16+2)*time.Hour)) || selectOn == wolkvoxtest.End && end.Before(time.Now().Add(-10*time.Minute)) {
						due++
					}
				}
				if have := int(interactions(o.poller)); have < due {
					t.Fatalf("%v: have %d chats, want %d", time.Now(), have, due)
				}
			}
			o.pass(settled)
			o.wantTruth()
			t.Logf("requests in a day: %d", o.requests()*24/(90+17))
		})
	}
}
