package reader

import (
	"errors"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// action is what to do after a failed request.
type action uint8

const (
	giveUp       action = iota // nothing in this cycle and, until the wait is over, in any other
	retry                      // the same again after the wait
	splitWindow                // ask for the window's halves: it is too much
	narrowWindow               // ask for the window's halves: something in it cannot be read
)

// decision is an action and its wait.
type decision struct {
	action
	wait time.Duration
}

const (
	// maxRetryWait is the longest wait within a cycle.
	maxRetryWait = 30 * time.Second
	// quickTries is how often a request is made that may succeed at once.
	quickTries = 4
	// quotaProbe is how often a spent quota is tried: it may have been raised.
	quotaProbe = 30 * time.Minute
	// busyPause lets another user of the token finish.
	busyPause = 5 * time.Second
	// maxSplits is how often a piece is split: enough for three million chats a
	// day. An API that cuts whatever it is asked for would be asked for each
	// second of the piece.
	maxSplits = 200
	// fewSplits is as often while it goes on doing so: enough for a minute with
	// a second that holds too many chats.
	fewSplits = 20
)

// decide returns what to do after a failed request. pause is the next wait of those that
// grow.
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
	// A failure may be transient at first. If it persists, it is the window's.
	retryOr := func(otherwise action, wait time.Duration) decision {
		if c.mayRetry() {
			return decision{retry, wait}
		}
		if c.failed < quickTries && c.lasting == nil && len(c.unreadable) == 0 {
			otherwise = giveUp // There is no allowance to find out whether it lasts.
		}
		return decision{otherwise, wait}
	}
	otherwise := giveUp
	if spoils(failure) {
		otherwise = narrowWindow
	}
	switch failure.Result {
	case wolkvox.Malformed:
		return decision{action: otherwise}
	case wolkvox.Timeout:
		// The same again would take as long. Halves of less than three seconds
		// may not show what the window would have.
		if w.To-w.From >= 3 && c.mayRetry() {
			return decision{action: splitWindow}
		}
		return decision{action: otherwise}
	case wolkvox.Network, wolkvox.ServerError:
		return retryOr(otherwise, max(pause, failure.RetryAfter))
	case wolkvox.RateLimited:
		if failure.RetryAfter > 0 {
			return retryOr(giveUp, failure.RetryAfter)
		}
		return decision{}
	case wolkvox.TokenBusy:
		return retryOr(giveUp, min(busyPause, c.reader.options.Interval)+pause)
	case wolkvox.QuotaExceeded:
		return decision{wait: min(quotaProbe, UntilMidnight(time.Now().In(c.reader.options.Zone)))}
	default:
		return decision{}
	}
}

// mayRetry reports whether a failed request is worth another, and takes it from the
// allowance. While a fault lasts, one request a poll is enough to see its end.
func (c *Cycle) mayRetry() bool {
	if c.failed >= quickTries || c.lasting != nil || c.retries >= maxRetries || !c.reader.TakeExtra() {
		return false
	}
	c.retries++
	return true
}

// allowance is how many requests there may be beyond those that the windows need: max at
// once, and one more with each interval. It is full until the first request is taken.
type allowance struct {
	max  int
	used time.Time // up to when the intervals' requests are used
}

// take takes a request, and reports whether there was one.
func (a *allowance) take(interval time.Duration) bool {
	now := time.Now()
	if a.next(now, interval).After(now) {
		return false
	}
	a.used = a.next(now, interval)
	return true
}

// has reports whether there are more than so many requests left.
func (a *allowance) has(interval time.Duration, more int) bool {
	now := time.Now()
	return !a.next(now, interval).Add(time.Duration(more) * interval).After(now)
}

func (a *allowance) next(now time.Time, interval time.Duration) time.Time {
	return later(a.used, now.Add(-time.Duration(a.max)*interval)).Add(interval)
}

// UntilMidnight returns how long the day lasts on now's wall clock.
func UntilMidnight(now time.Time) time.Duration {
	year, month, day := now.Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now)
}
