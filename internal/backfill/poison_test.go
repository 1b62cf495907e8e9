package backfill

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// poison puts a chat that spoils responses at each of some times. The others of its
// second are no part of the truth.
func (p *past) poison(times ...time.Time) {
	random := rand.New(rand.NewPCG(3, 4))
	for n, at := range times {
		p.poisoned = append(p.poisoned, makeChat(random, 10_000+n, at, 0))
		p.chats = slices.DeleteFunc(p.chats, func(c wolkvoxtest.Chat) bool {
			return c.Start.Unix() == at.Unix() || c.End.Unix() == at.Unix()
		})
	}
}

func TestRun_SkipsUnreadableSeconds(t *testing.T) {
	i := -1
	for _, selectOn := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
		for _, ends := range []wolkvoxtest.Ends{wolkvoxtest.BothInclusive, wolkvoxtest.StartInclusive, wolkvoxtest.BothExclusive} {
			if i++; !isSelected(i) {
				continue
			}
			t.Run(fmt.Sprintf("selects on %d, ends %d", selectOn, ends), func(t *testing.T) {
				p := newPast("America/Bogota", "2026-01-10T20:11:07Z", 2*day)
				p.options.Step = time.Hour
				p.readings = wolkvoxtest.Readings{SelectOn: selectOn, Ends: ends}
				from := p.options.From
				p.poison(
					from.Add(-20*time.Hour), // in the first piece
					from.Add(time.Hour), from.Add(time.Hour+time.Second),
					from.Add(day), // where a piece ends
					from.Add(30*time.Hour+7*time.Second), from.Add(31*time.Hour),
				)
				have, err := p.run(t)
				if err != nil {
					t.Fatalf("%v\n%s", err, p.log.String())
				}
				p.wantTruth(t, have)
				if done := fmt.Sprintf("unreadable_seconds=%d", len(p.poisoned)); !strings.Contains(p.log.String(), done) {
					t.Errorf("have no %s in the log:\n%s", done, p.log.String())
				}
				if lines := strings.Count(p.log.String(), "is skipped"); lines != len(p.poisoned) {
					t.Errorf("have %d lines about skipped seconds, want %d", lines, len(p.poisoned))
				}
				t.Logf("requests for 3 days: %d", p.requests)
				if p.requests > 400 {
					t.Errorf("requests: have %d, want at most 400", p.requests)
				}
			})
		}
	}
}

func TestRun_CountsAllDespiteTruncation(t *testing.T) {
	i := -1
	for _, limit := range []int{50, 100, 300} {
		for _, cut := range []wolkvoxtest.Cut{wolkvoxtest.First, wolkvoxtest.Last} {
			for _, message := range []wolkvoxtest.Message{wolkvoxtest.MessageFound, wolkvoxtest.MessageSilent} {
				if limit < 100 && message == wolkvoxtest.MessageSilent {
					continue // The first time, so few rows do not look like a limit.
				}
				if i++; !isSelected(i) {
					continue
				}
				t.Run(fmt.Sprintf("%d rows, cut %d, message %d", limit, cut, message), func(t *testing.T) {
					p := newPast("America/Bogota", "2026-01-10T20:11:07Z", 2*day)
					p.options.Step = time.Hour
					p.limit, p.readings = limit, wolkvoxtest.Readings{Cut: cut, Message: message}
					have, err := p.run(t)
					if err != nil {
						t.Fatalf("%v\n%s", err, p.log.String())
					}
					p.wantTruth(t, have)
					t.Logf("requests for 3 days: %d", p.requests)
					if p.requests > 200 {
						t.Errorf("requests: have %d, want at most 200", p.requests)
					}
				})
			}
		}
	}
}

func TestRun_CountsUnderEveryVariant(t *testing.T) {
	i := -1
	for name, readings := range wolkvoxtest.EveryVariant() {
		if i++; !isSelected(i) {
			continue
		}
		if readings.HandoffsOnly || readings.Growth != nil || readings.WrongType != nil {
			continue // These leave something out, or change it.
		}
		t.Run(name, func(t *testing.T) {
			p := newPast("America/Bogota", "2026-01-10T20:11:07Z", day)
			p.options.Step = 6 * time.Hour
			p.readings = readings
			have, err := p.run(t)
			if err != nil {
				t.Fatal(err)
			}
			p.wantTruth(t, have)
		})
	}
}
