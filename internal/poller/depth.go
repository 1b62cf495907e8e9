package poller

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
)

// Reading the whole window in each reconcile would take many requests, though few chats last
// longer than a few hours. So reconciles have levels: each level runs half as often as the
// one before it and reads twice as far back. With an interval of 1h and a window of 48h:
//
//	level  runs every  finds chats of up to
//	0      1h          3h
//	1      2h          6h
//	2      4h          12h
//	3      8h          24h
//	4      16h         48h
//
// Each level also reads its own period, so that no time is missed between two of its runs.
// On average, that is 12 hours of the report in each hour.

// reconcileLevel is how often reconciles of one level run and how far they read.
type reconcileLevel struct {
	period time.Duration // the level runs at each multiple since the epoch
	length time.Duration // the level finds all chats that are no longer than this
}

// reconcileLevels returns the levels of an interval and a window, the deepest last. The
// longest period is at most a third of the window, so that long chats are found soon.
func reconcileLevels(interval, window time.Duration) []reconcileLevel {
	last := 0
	for interval<<(last+1) <= window/3 {
		last++
	}
	levels := make([]reconcileLevel, last+1)
	for k := range levels {
		levels[k] = reconcileLevel{period: interval << k, length: window >> (last - k)}
	}
	return levels
}

// reconcileFrom returns how far back a reconcile at now reads if the last completed one ran
// at last. It reads as far as the deepest level that has become due since then, so that a
// fault or a restart does not skip a deep level. The time between the two that exceeds
// maxGap is not read.
func reconcileFrom(last, now time.Time, interval, window, maxGap time.Duration) time.Time {
	var from time.Time
	for k, level := range reconcileLevels(interval, window) {
		if k > 0 && !now.Truncate(level.period).After(last) {
			break // A level is due only together with all levels before it.
		}
		from = level.from(last, now, maxGap)
	}
	return from
}

// deepestReconcileFrom returns the oldest time that any reconcile may read if the last
// completed one ran at last and the newest poll at now.
func deepestReconcileFrom(last, now time.Time, interval, window, maxGap time.Duration) time.Time {
	levels := reconcileLevels(interval, window)
	return levels[len(levels)-1].from(last, now, maxGap)
}

// maxReconcileSpan returns the longest time that a reconcile reads if none was missed.
func maxReconcileSpan(interval, window time.Duration) time.Duration {
	levels := reconcileLevels(interval, window)
	deepest := levels[len(levels)-1]
	return deepest.period + deepest.length
}

// from returns how far back a level reads. Its previous run was at or after the multiple
// of its period that precedes last.
func (l reconcileLevel) from(last, now time.Time, maxGap time.Duration) time.Time {
	previous := last.Truncate(l.period)
	return reader.Later(previous, now.Add(-max(maxGap, l.period)-l.period)).Add(-l.length)
}

// ReconcileRequests returns the average number of requests for reconciles in a day if no
// response is truncated.
func ReconcileRequests(interval, window time.Duration) float64 {
	if interval <= 0 {
		return 0
	}
	levels := reconcileLevels(interval, window)
	runs, requests := 0.0, 0.0
	for k, level := range levels {
		// Half of the runs at multiples of a level's period belong to deeper levels.
		n := 1 / float64(int64(2)<<k)
		if k == len(levels)-1 {
			n *= 2
		}
		runs += n
		requests += n * float64(1+(level.period+level.length-1)/reader.MaxSpan)
	}
	return requests / runs * float64(24*time.Hour) / float64(interval)
}
