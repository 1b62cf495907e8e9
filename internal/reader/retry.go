package reader

import (
	"errors"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// action is what to do after a failed request.
type action uint8

const (
	giveUp       action = iota // no request in this cycle, nor in any other until the wait is over
	retry                      // repeat the request after the wait
	splitWindow                // request the window's halves: it holds too much
	narrowWindow               // request the window's halves: something in it cannot be read
)

// decision is an action and its wait.
type decision struct {
	action
	wait time.Duration
}

const (
	// maxRetryWait is the longest wait within a cycle.
	maxRetryWait = 30 * time.Second
	// maxQuickTries is how often in a row a request may fail before it is not retried
	// within the cycle.
	maxQuickTries = 4
	// quotaProbeInterval is how often a spent quota is tested: it may have been raised.
	quotaProbeInterval = 30 * time.Minute
	// tokenBusyWait lets another user of the token finish.
	tokenBusyWait = 5 * time.Second
	// maxSplits is how often a span is split: enough for three million chats a day.
	// Without a limit, an API that truncates every response would be asked for each
	// second of the span.
	maxSplits = 200
	// maxSplitsWhileTruncated is the same after a cycle that failed because of truncated
	// responses: enough for a minute with a second that holds too many chats.
	maxSplitsWhileTruncated = 20
)

// decide returns what to do after a failed request. pause is the next wait of the
// exponential backoff.
func (c *Cycle) decide(err error, w wolkvox.Window, pause time.Duration) decision {
	if isTruncated(err) {
		return c.decideTruncated()
	}
	failure, ok := errors.AsType[*wolkvox.Error](err)
	if !ok {
		return decision{}
	}
	if failure.RetryAfter > maxRetryWait {
		return decision{wait: failure.RetryAfter}
	}
	// A failure may be transient at first. If it persists, its cause is in the window.
	retryOr := func(fallback action, wait time.Duration) decision {
		if c.mayRetry() {
			return decision{retry, wait}
		}
		if c.failedInRow < maxQuickTries && c.lastErr == nil && len(c.unreadable) == 0 {
			fallback = giveUp // The budget is too short to see whether the failure persists.
		}
		return decision{fallback, wait}
	}
	fallback := giveUp
	if mayBeRowFault(failure) {
		fallback = narrowWindow
	}
	switch failure.Result {
	case wolkvox.Malformed:
		return decision{action: fallback}
	case wolkvox.Timeout:
		// The same request would take as long. The halves of a window of less than three
		// seconds may not show all that the window shows.
		if w.To-w.From >= 3 && c.mayRetry() {
			return decision{action: splitWindow}
		}
		return decision{action: fallback}
	case wolkvox.Network, wolkvox.ServerError:
		return retryOr(fallback, max(pause, failure.RetryAfter))
	case wolkvox.RateLimited:
		if failure.RetryAfter > 0 {
			return retryOr(giveUp, failure.RetryAfter)
		}
		return decision{}
	case wolkvox.TokenBusy:
		return retryOr(giveUp, min(tokenBusyWait, c.reader.options.Interval)+pause)
	case wolkvox.QuotaExceeded:
		return decision{wait: min(quotaProbeInterval, UntilMidnight(time.Now().In(c.reader.options.Zone)))}
	default:
		return decision{}
	}
}

// mayRetry reports whether a failed request is to be repeated, and acquires the retry from
// the budget. While a fault lasts, one request a poll is enough to notice its end.
func (c *Cycle) mayRetry() bool {
	if c.failedInRow >= maxQuickTries || c.lastErr != nil || c.retries >= maxRetries || !c.reader.AcquireExtra() {
		return false
	}
	c.retries++
	return true
}

// budget limits requests beyond those that the windows need: up to max at once, and one
// more with each interval. It is full until the first request is acquired.
type budget struct {
	max       int
	usedUntil time.Time // up to when the intervals' requests are used
}

// acquire uses one request of the budget, and reports whether there was one.
func (b *budget) acquire(interval time.Duration) bool {
	now := time.Now()
	next := b.next(now, interval)
	if next.After(now) {
		return false
	}
	b.usedUntil = next
	return true
}

// hasMoreThan reports whether more than n requests are left.
func (b *budget) hasMoreThan(n int, interval time.Duration) bool {
	now := time.Now()
	return !b.next(now, interval).Add(time.Duration(n) * interval).After(now)
}

// next returns the end of the interval that the next request uses.
func (b *budget) next(now time.Time, interval time.Duration) time.Time {
	return Later(b.usedUntil, now.Add(-time.Duration(b.max)*interval)).Add(interval)
}
