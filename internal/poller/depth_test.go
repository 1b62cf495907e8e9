package poller

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
)

func TestReconcileLevels_HaveDocumentedDepths(t *testing.T) {
	hours := func(hours ...int) (durations []time.Duration) {
		for _, h := range hours {
			durations = append(durations, time.Duration(h)*time.Hour)
		}
		return durations
	}
	for _, test := range []struct {
		name             string
		interval, window time.Duration
		periods, lengths []time.Duration
	}{
		{"the defaults", time.Hour, 48 * time.Hour, hours(1, 2, 4, 8, 16), hours(3, 6, 12, 24, 48)},
		{"a day", time.Hour, 24 * time.Hour, hours(1, 2, 4, 8), hours(3, 6, 12, 24)},
		{"a week", 6 * time.Hour, 168 * time.Hour, hours(6, 12, 24, 48), hours(21, 42, 84, 168)},
		{"interval and window alike", 3 * time.Hour, 3 * time.Hour, hours(3), hours(3)},
		{"interval beyond the window", 48 * time.Hour, 3 * time.Hour, hours(48), hours(3)},
		{"less than two levels", time.Hour, 5 * time.Hour, hours(1), hours(5)},
		{"just two levels", time.Hour, 6 * time.Hour, hours(1, 2), hours(3, 6)},
		{
			"seconds", time.Second, 10 * time.Minute,
			[]time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 32e9, 64e9, 128e9},
			[]time.Duration{600e9 / 128, 600e9 / 64, 600e9 / 32, 600e9 / 16, 600e9 / 8, 600e9 / 4, 600e9 / 2, 600e9},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var periods, lengths []time.Duration
			for _, level := range reconcileLevels(test.interval, test.window) {
				periods, lengths = append(periods, level.period), append(lengths, level.length)
			}
			if !slices.Equal(periods, test.periods) || !slices.Equal(lengths, test.lengths) {
				t.Errorf("have periods %v and lengths %v, want %v and %v", periods, lengths, test.periods, test.lengths)
			}
			if periods[len(periods)-1] > max(test.window/3, test.interval) {
				t.Errorf("have a deepest period of %v, want at most a third of %v", periods[len(periods)-1], test.window)
			}
		})
	}
}

// reconciles is a history of reconciles that were completed.
type reconciles struct {
	interval, window, maxGap time.Duration
	start                    time.Time
	at, from                 []time.Time
}

func drawReconciles(t *rapid.T, faults bool) *reconciles {
	minutes := func(least, most int, name string) time.Duration {
		return time.Duration(rapid.IntRange(least, most).Draw(t, name)) * time.Minute
	}
	interval := minutes(1, 180, "interval")
	levels := rapid.IntRange(0, 6).Draw(t, "levels")
	r := &reconciles{interval: interval, window: 3*interval<<levels + minutes(0, 600, "window"), maxGap: minutes(0, 7*24*60, "longest gap")}
	r.start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 5*24*60*60).Draw(t, "start")) * time.Second)
	last := r.start
	for range rapid.IntRange(1, 60).Draw(t, "reconciles") {
		// A reconcile runs at a tick of polls, and when it can.
		wait := interval + time.Duration(rapid.IntRange(0, int(interval/time.Second/2)).Draw(t, "seconds late"))*time.Second
		if faults && rapid.IntRange(0, 4).Draw(t, "fault") == 0 {
			wait += minutes(0, 8*24*60, "minutes of a fault")
		}
		now := last.Add(wait)
		r.at = append(r.at, now)
		r.from = append(r.from, reconcileFrom(last, now, r.interval, r.window, r.maxGap))
		last = now
	}
	return r
}

// found returns the first reconcile whose window shows a chat, or -1.
func (r *reconciles) found(start, end time.Time) int {
	for i, from := range r.from {
		if !from.After(start) && !r.at[i].Before(end) {
			return i
		}
	}
	return -1
}

func (r *reconciles) drawChat(t *rapid.T) (start, end time.Time, length time.Duration) {
	last := r.at[len(r.at)-1]
	end = r.start.Add(time.Duration(rapid.IntRange(1, int(last.Sub(r.start)/time.Second)).Draw(t, "end")) * time.Second)
	length = r.window >> rapid.IntRange(0, 6).Draw(t, "halvings")
	length -= time.Duration(rapid.IntRange(0, int(length/time.Second)).Draw(t, "shorter")) * time.Second
	return end.Add(-length), end, length
}

// periodFor returns the period of the shallowest level that finds a chat.
func (r *reconciles) periodFor(length time.Duration) time.Duration {
	for _, level := range reconcileLevels(r.interval, r.window) {
		if length <= level.length {
			return level.period
		}
	}
	return math.MaxInt64
}

func TestReconcileFrom_FindsEachChatWithinThePeriodOfItsLength(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReconciles(t, false)
		start, end, length := r.drawChat(t)
		// Each is up to half an interval later than it might be.
		due := end.Add(r.periodFor(length) + r.interval*3/2)
		switch n := r.found(start, end); {
		case n < 0 && due.After(r.at[len(r.at)-1]):
		case n < 0:
			t.Fatalf("a chat of %v that ended at %v was due by %v and not found by %v", length, end, due, r.at)
		case r.at[n].After(due):
			t.Fatalf("a chat of %v that ended at %v was found at %v, want by %v", length, end, r.at[n], due)
		}
	})
}

func TestReconcileFrom_LosesNoDepthThroughFaults(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReconciles(t, true)
		start, end, length := r.drawChat(t)
		longest, before := time.Duration(0), r.start
		for _, at := range r.at {
			if at.After(end.Add(-2 * r.window)) {
				longest = max(longest, at.Sub(before))
			}
			before = at
		}
		if longest > r.maxGap {
			return // More than is made up for.
		}
		// The first reconcile after a level is due makes up for all that were missed.
		due := slices.IndexFunc(r.at, func(at time.Time) bool { return at.Truncate(r.periodFor(length)).After(end) })
		if n := r.found(start, end); due >= 0 && (n < 0 || n > due) {
			t.Fatalf("a chat of %v that ended at %v was found by reconcile %d of %v, want by %d", length, end, n, r.at, due)
		}
	})
}

func TestDeepestReconcileFrom_IsNoLaterThanAnyLaterReconcile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawReconciles(t, true)
		last := r.start
		var reaches []time.Time
		for i, at := range r.at {
			// A poll between two reconciles forgets what it thinks no reconcile reads.
			poll := last.Add(time.Duration(rapid.IntRange(0, int(at.Sub(last)/time.Second)).Draw(t, "poll")) * time.Second)
			reaches = append(reaches, deepestReconcileFrom(last, poll, r.interval, r.window, r.maxGap))
			for _, reach := range reaches {
				if r.from[i].Before(reach) {
					t.Fatalf("a reconcile at %v reads from %v, which was said to be out of reach: %v", at, r.from[i], reach)
				}
			}
			last = at
		}
	})
}

func TestReconcileFrom_ReadsHalfADayOnAverage(t *testing.T) {
	for _, test := range []struct {
		interval, window, average time.Duration
	}{
		{time.Hour, 48 * time.Hour, 12 * time.Hour},
		{time.Hour, 24 * time.Hour, 10 * time.Hour},
		{time.Hour, 3 * time.Hour, 4 * time.Hour},
		{6 * time.Hour, 168 * time.Hour, 67*time.Hour + 30*time.Minute},
	} {
		const runs = 16 * 1024
		var read time.Duration
		requests := 0
		for last, n := time.Unix(0, 0).Truncate(1<<10*test.interval), 0; n < runs; n++ {
			now := last.Add(test.interval)
			span := now.Sub(reconcileFrom(last, now, test.interval, test.window, 168*time.Hour))
			if longest := maxReconcileSpan(test.interval, test.window); span > longest {
				t.Fatalf("have a reconcile of %v, want at most %v", span, longest)
			}
			read += span
			for range reader.New(nil, reader.Options{}).Spans(now.Add(-span), now) {
				requests++
			}
			last = now
		}
		if have := read / runs; have != test.average {
			t.Errorf("%v and %v: have %v a run, want %v", test.interval, test.window, have, test.average)
		}
		perDay := float64(requests) / runs * float64(day) / float64(test.interval)
		if have := ReconcileRequests(test.interval, test.window); math.Abs(have-perDay) > 0.01*perDay {
			t.Errorf("%v and %v: have %v requests a day, want %v", test.interval, test.window, have, perDay)
		}
		t.Logf("%v and %v: %v a run, %.1f requests a day", test.interval, test.window, read/runs, perDay)
	}
	if have := ReconcileRequests(0, day); have != 0 {
		t.Errorf("without reconciles: have %v requests a day, want 0", have)
	}
}
