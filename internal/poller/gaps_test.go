package poller

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// failsOver returns a report error for each window that contains one of the seconds.
func failsOver(failure error, seconds ...time.Time) func(wolkvox.Window) error {
	return func(w wolkvox.Window) error {
		for _, second := range seconds {
			if at := wolkvox.ToLocalTime(second.In(bogota)); w.From <= at && at <= w.To && !second.After(time.Now()) {
				return failure
			}
		}
		return nil
	}
}

// busy returns a report with a chat every half minute, beginning some time before now.
func busy(within time.Duration) *truncating {
	report := &truncating{limit: wolkvox.MaxRows, says: saysNothing}
	report.add(int(within/(30*time.Second)), time.Now().Add(-time.Hour), within, rand.New(rand.NewPCG(1, 0)))
	return report
}

// addAt adds a chat that ends at a time, and returns it.
func (f *truncating) addAt(end time.Time) time.Time {
	f.chats = append(f.chats, chat(len(f.chats)+1, end))
	slices.SortFunc(f.chats, func(a, b wolkvox.Chat) int { return int(a.End - b.End) })
	return end
}

// shown returns the number of chats that ended within a time.
func (f *truncating) shown(from, to time.Time, but ...time.Time) (n int) {
	for _, chat := range f.chats {
		left := slices.ContainsFunc(but, func(second time.Time) bool { return wolkvox.ToLocalTime(second.In(bogota)) == chat.End })
		if chat.End >= wolkvox.ToLocalTime(from.In(bogota)) && chat.End <= wolkvox.ToLocalTime(to.In(bogota)) && !left {
			n++
		}
	}
	return n
}

// The second of an unreadable row is found for any kind of failure.
func TestPoller_NarrowsWindowWithUnreadableRow(t *testing.T) {
	for name, failure := range map[string]error{
		"malformed":              failing(wolkvox.Malformed),
		"server error":           failing(wolkvox.ServerError),
		"dropped in the body":    &wolkvox.Error{Result: wolkvox.Network, Status: 200},
		"too slow in the body":   &wolkvox.Error{Result: wolkvox.Timeout, Status: 200},
		"server error with text": &wolkvox.Error{Result: wolkvox.ServerError, Status: 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report := busy(12 * time.Hour)
				start := time.Now()
				second := report.addAt(start.Add(time.Hour))
				report.fail = failsOver(failure, second)
				p := newPoller(t, report, &store.Memory{}, options())
				runFor(t, p, 59*time.Minute)
				before := report.requests
				runFor(t, p, 12*time.Minute)
				s := p.Snapshot().Status
				if have, want := int(interactions(p)), report.shown(start.Add(-5*time.Minute), s.LastPoll, second); have != want || !s.Up {
					t.Errorf("after two polls: have %d chats, up %v, failure %q, want %d and true", have, s.Up, s.Failure, want)
				}
				runFor(t, p, 12*time.Minute)
				s = p.Snapshot().Status
				t.Logf("requests: %d", report.requests-before)
				if s.UnreadableSeconds != 1 || !s.Up {
					t.Errorf("after four polls: have %d unreadable seconds, up %v, want 1 and true", s.UnreadableSeconds, s.Up)
				}
			})
		})
	}
}

// A row is not the cause of these failures.
func TestPoller_DoesNotNarrowOtherFaults(t *testing.T) {
	for name, failure := range map[string]error{
		"dropped before the body":  failing(wolkvox.Network),
		"too slow before the body": failing(wolkvox.Timeout),
		"refused":                  failing(wolkvox.Unavailable),
		"unknown":                  failing(wolkvox.BadRequest),
		"busy":                     failing(wolkvox.TokenBusy),
		"asks to wait":             &wolkvox.Error{Result: wolkvox.ServerError, RetryAfter: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				report := busy(12 * time.Hour)
				report.fail = failsOver(failure, report.addAt(time.Now().Add(time.Hour)))
				p := newPoller(t, report, &store.Memory{}, options())
				runFor(t, p, 4*time.Hour)
				s, view := p.Snapshot().Status, p.Snapshot().View
				if s.UnreadableSeconds != 0 || len(view.Progress.Gaps) != 0 || s.Up {
					t.Errorf("have %d unreadable seconds, gaps %v, up %v, want none and false", s.UnreadableSeconds, view.Progress.Gaps, s.Up)
				}
			})
		})
	}
}

// A gap remains if the window around it is read in halves.
func TestPoller_KeepsGapsOfWindowsThatAreSplit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := busy(12 * time.Hour)
		start := time.Now()
		second := report.addAt(start.Add(time.Hour))
		report.limit, report.says = 40, saysFound
		report.fail = failsOver(failing(wolkvox.Malformed), second)
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 71*time.Minute)
		if complete := p.Snapshot().View.Progress.CompleteUntil; complete.After(second) {
			t.Errorf("after two polls: have complete until %v, want before %v", complete, second)
		}
		runFor(t, p, 5*time.Hour)
		s := p.Snapshot().Status
		want := report.shown(start.Add(-5*time.Minute), s.LastPoll, second)
		if have := int(interactions(p)); have != want || s.UnreadableSeconds != 1 || s.TruncatedWindows == 0 {
			t.Errorf("have %d chats, %d unreadable seconds and %d truncated windows, want %d, 1 and some", have, s.UnreadableSeconds, s.TruncatedWindows, want)
		}
		report.fail = nil
		runFor(t, p, settled)
		if have, want := int(interactions(p)), report.shown(start.Add(-5*time.Minute), time.Now()); have != want {
			t.Errorf("at the end: have %d chats, want %d", have, want)
		}
	})
}

// The row of an unreadable second came late, so only a reconcile finds it.
func TestPoller_LeavesOutASecondThatOnlyAReconcileReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := busy(24 * time.Hour)
		start := time.Now()
		second := start.Add(time.Hour)
		late := report.fail
		report.fail = func(w wolkvox.Window) error {
			if late != nil {
				return late(w)
			}
			return nil
		}
		var log lines
		o := options()
		o.Logger = log.logger()
		kept := &store.Memory{}
		p := newPoller(t, report, kept, o)
		runFor(t, p, 6*time.Hour)
		complete := p.Snapshot().View.Progress.CompleteUntil
		report.addAt(second)
		late = failsOver(failing(wolkvox.Malformed), second)
		runFor(t, p, 17*time.Hour)
		s, view := p.Snapshot().Status, p.Snapshot().View
		if s.UnreadableSeconds != 1 || log.count("is skipped, reconciles will retry") != 1 || !s.Up || !view.Progress.CompleteUntil.After(complete.Add(16*time.Hour)) {
			t.Errorf("have %d unreadable seconds, up %v, complete until %v, want 1, true, and now\n%s", s.UnreadableSeconds, s.Up, view.Progress.CompleteUntil, log.text.String())
		}
		if behind := time.Since(s.LastReconcile); behind > 70*time.Minute {
			t.Errorf("have the last reconcile %v ago, want an hour at most", behind)
		}
		// The gap is in the state, so a new process reads around it, too.
		p = newPoller(t, report, kept, o)
		runFor(t, p, 3*time.Hour)
		if lines := log.count("is skipped, reconciles will retry"); lines != 1 {
			t.Errorf("have %d lines, want 1", lines)
		}
		late = nil
		runFor(t, p, settled)
		if have, want := int(interactions(p)), report.shown(start.Add(-5*time.Minute), time.Now()); have != want {
			t.Errorf("at the end: have %d chats, want %d", have, want)
		}
	})
}

// A second at the end of a month is in a window that ends there.
func TestPoller_LeavesOutSecondsAroundAMonthsEnd(t *testing.T) {
	for i, test := range []struct {
		name    string
		offsets []time.Duration
	}{
		{"both", []time.Duration{-time.Second, 0}},
		{"the last", []time.Duration{-time.Second}},
		{"the first", []time.Duration{0}},
		{"the second", []time.Duration{time.Second}},
		{"the last but one", []time.Duration{-2 * time.Second}},
	} {
		if !sampled(i) {
			continue
		}
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				midnight := inBogota(time.February, 1, 0, 0)
				time.Sleep(time.Until(midnight.Add(-3 * time.Hour)))
				report := busy(24 * time.Hour)
				start := time.Now()
				var seconds []time.Time
				for _, offset := range test.offsets {
					seconds = append(seconds, report.addAt(midnight.Add(offset)))
				}
				report.fail = failsOver(failing(wolkvox.Malformed), seconds...)
				p := newPoller(t, report, &store.Memory{}, options())
				runFor(t, p, 8*time.Hour)
				s := p.Snapshot().Status
				want := report.shown(start.Add(-5*time.Minute), s.LastPoll, seconds...)
				if have := int(interactions(p)); have != want || s.UnreadableSeconds != uint64(len(seconds)) || !s.Up {
					t.Errorf("have %d chats, %d unreadable seconds, up %v, want %d, %d and true", have, s.UnreadableSeconds, s.Up, want, len(seconds))
				}
				report.fail = nil
				runFor(t, p, settled)
				if have, want := int(interactions(p)), report.shown(start.Add(-5*time.Minute), time.Now()); have != want {
					t.Errorf("at the end: have %d chats, want %d", have, want)
				}
			})
		})
	}
}
