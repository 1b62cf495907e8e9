package poller

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func countInteractions(v *ledger.View) (n uint64) {
	for _, set := range v.LabelSets {
		n += set.Interactions
	}
	return n
}

func TestPoller_PublishesLoadedCountsDuringZeroHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.ZeroHold = 2 * time.Minute
		kept := &store.Memory{}
		report := &fakeReport{chats: []wolkvox.Chat{chat(1, time.Now())}}
		first := newPoller(t, report, kept, o)
		check := func(when string, p *Poller, want int) {
			t.Helper()
			have := -1
			if loaded := p.Snapshot().Loaded; loaded != nil {
				have = int(countInteractions(loaded))
			}
			if have != want {
				t.Errorf("%s: have %d loaded interactions, want %d (-1 = none)", when, have, want)
			}
		}
		check("first start", first, -1)
		runFor(t, first, time.Hour)
		check("an hour after the first start", first, -1)

		time.Sleep(time.Hour)
		report.chats = append(report.chats, chat(2, time.Now()))
		second := newPoller(t, report, kept, o)
		time.Sleep(time.Minute) // until the exporter listens
		check("second start", second, 1)
		if since := second.Snapshot().HeldSince; !since.IsZero() {
			t.Errorf("before Run: have the hold since %s, want none", since)
		}
		began := time.Now()
		runFor(t, second, time.Second)
		check("after the first poll", second, 1)
		if have := interactions(second); have != 2 {
			t.Errorf("have %d interactions, want 2", have)
		}
		if since := second.Snapshot().HeldSince; !since.Equal(began) {
			t.Errorf("have the hold since %s, want %s", since, began)
		}

		third := newPoller(t, report, kept, o)
		runFor(t, third, 2*time.Minute-1)
		check("just before the end of the hold", third, 2)
		fourth := newPoller(t, report, kept, o)
		runFor(t, fourth, 2*time.Minute+o.Interval)
		check("after the first poll after the hold", fourth, -1)

		o.ZeroHold = 0
		fifth := newPoller(t, report, kept, o)
		runFor(t, fifth, time.Second)
		check("without zero-hold", fifth, -1)
	})
}

// The wall clock may be set back or forward during the hold.
func TestPoller_MeasuresHoldByMonotonicClock(t *testing.T) {
	p := newPoller(t, &fakeReport{}, &store.Memory{}, options())
	runFor(t, p, time.Millisecond)
	// The text of a time with a reading of the monotonic clock ends with it.
	if since := p.Snapshot().HeldSince.String(); !strings.Contains(since, " m=") {
		t.Errorf("have the hold since %s, want it by the monotonic clock", since)
	}
}
