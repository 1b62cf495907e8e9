package poller

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
)

// A reconcile that always read the whole window would read each hour of the report
// once an hour for two days, though few chats last longer than a few hours. So the
// depth of reconciles follows the pattern of a ruler: each level runs half as often
// as the one before it and reads twice as far back. With an interval of 1h and a
// window of 48h:
//
//	level  runs every  finds chats of up to
//	0      1h          3h
//	1      2h          6h
//	2      4h          12h
//	3      8h          24h
//	4      16h         48h
//
// Each also reads its own period, so that nothing falls between two of its runs.
// That is 12 hours of report an hour on average.

// reconcileLevel is one mark of the ruler.
type reconcileLevel struct {
	period time.Duration // runs at each multiple of it since the epoch
	length time.Duration // finds every chat that lasts no longer
}

// reconcileLevels returns the levels of an interval and a window, the deepest last. The
// deepest period is at most a third of the window, so a chat of any length that the
// window allows is found while it is still news.
func reconcileLevels(interval, window time.Duration) []reconcileLevel {
	deepest := 0
	for interval<<(deepest+1) <= window/3 {
		deepest++
	}
	levels := make([]reconcileLevel, deepest+1)
	for k := range levels {
		levels[k] = reconcileLevel{period: interval << k, length: window >> (deepest - k)}
	}
	return levels
}

// reconcileFrom returns how far back a reconcile at now reads if the last one that was
// completed ran at last. It reads as deep as the deepest level that has become due
// since, so a fault or a restart in between loses no depth. A gap of more than maxGap
// between the two is not made up for.
func reconcileFrom(last, now time.Time, interval, window, maxGap time.Duration) time.Time {
	var from time.Time
	for k, level := range reconcileLevels(interval, window) {
		if k > 0 && !now.Truncate(level.period).After(last) {
			break // A deeper level is due only with all that are less deep.
		}
		from = level.from(last, now, maxGap)
	}
	return from
}

// reconcileReach returns the oldest time that any reconcile may read if the last one
// that was completed ran at last and the newest poll at now.
func reconcileReach(last, now time.Time, interval, window, maxGap time.Duration) time.Time {
	levels := reconcileLevels(interval, window)
	return levels[len(levels)-1].from(last, now, maxGap)
}

// maxReconcileSpan returns the longest time that a reconcile reads where none was missed.
func maxReconcileSpan(interval, window time.Duration) time.Duration {
	levels := reconcileLevels(interval, window)
	deepest := levels[len(levels)-1]
	return deepest.period + deepest.length
}

// from returns how far back a level reads. Its previous run was at or after the multiple
// of its period that precedes last.
func (l reconcileLevel) from(last, now time.Time, maxGap time.Duration) time.Time {
	previous := last.Truncate(l.period)
	return later(previous, now.Add(-max(maxGap, l.period)-l.period)).Add(-l.length)
}

// ReconcileRequests returns how many requests reconciles take a day, on average, where
// no response is truncated.
func ReconcileRequests(interval, window time.Duration) float64 {
	if interval <= 0 {
		return 0
	}
	levels := reconcileLevels(interval, window)
	runs, requests := 0.0, 0.0
	for k, level := range levels {
		// Of all runs at a level's multiples, every other one is a deeper level's.
		n := 1 / float64(int64(2)<<k)
		if k == len(levels)-1 {
			n *= 2
		}
		runs += n
		requests += n * float64(1+(level.period+level.length-1)/reader.MaxSpan)
	}
	return requests / runs * float64(24*time.Hour) / float64(interval)
}
