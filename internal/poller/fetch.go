package poller

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// maxRetries is how many requests a run may make beyond those that its windows
// need.
const maxRetries = 10

// run is one turn of polling.
type run struct {
	*Poller
	began time.Time
	to    time.Time // the whole second that it reads up to
	from  time.Time // how far back its poll has read

	lasting  *fault // of what is being read: a poll or a reconcile
	retries  int    // left
	requests int
	rows     [ledger.Outcomes]uint64
	overfull int // windows that could not be split far enough
}

func (p *Poller) newRun() *run {
	now := time.Now()
	return &run{Poller: p, began: now, to: now.Truncate(time.Second), lasting: &p.polling, retries: maxRetries}
}

// read books the rows of a window, and splits it if the response was cut. Rows
// of a cut response are as true as any. It answers with the number of rows.
func (r *run) read(ctx context.Context, w wolkvox.Window, t *ledger.Transaction, reading ledger.Reading) (int, error) {
	rows, err := r.fetch(ctx, w, t, reading)
	if err != nil && resultOf(err) != wolkvox.TooLarge || err == nil && rows < wolkvox.MaxRows {
		return rows, err
	}
	level.Debug(r.logger).Log("msg", "response was cut, splitting the window", "window", w, "rows", rows)
	r.status.TruncatedWindows++
	parts := 0
	for _, part := range w.Split() {
		n, err := r.read(ctx, part, t, reading)
		if err != nil {
			return rows, err
		}
		parts += n
	}
	if parts < rows || len(w.Split()) == 0 {
		r.status.TruncatedSeconds++
		r.overfull++
	}
	return max(rows, parts), nil
}

// fetch makes a request, and again as long as that promises something.
func (r *run) fetch(ctx context.Context, w wolkvox.Window, t *ledger.Transaction, reading ledger.Reading) (int, error) {
	pauses := r.pauses()
	for tries := 1; ; tries++ {
		rows, err := r.request(ctx, w, t, reading)
		if err == nil || ctx.Err() != nil {
			return rows, err
		}
		next := r.after(err, tries, pauses.NextBackOff())
		if !next.again || r.retries == 0 {
			r.quietUntil = time.Now().Add(next.wait)
			return rows, err
		}
		level.Debug(r.logger).Log("msg", "request failed, trying again", "window", w, "err", err, "in", next.wait)
		r.retries--
		if err := sleep(ctx, next.wait); err != nil {
			return rows, err
		}
	}
}

func (r *run) request(ctx context.Context, w wolkvox.Window, t *ledger.Transaction, reading ledger.Reading) (rows int, err error) {
	r.requests++
	for chat, err := range r.report.Chats(ctx, w) {
		switch {
		case errors.Is(err, wolkvox.ErrBadRow):
			t.Reject()
		case err != nil:
			return rows, err
		default:
			t.Apply(&chat, reading)
		}
		rows++
	}
	return rows, nil
}

// next is what to do after a failed request: the same again after a wait, or
// nothing in this run and, until the wait is over, in any other.
type next struct {
	again bool
	wait  time.Duration
}

const (
	// patience is the longest wait within a run.
	patience = 30 * time.Second
	// quickTries is how often a request is made that may succeed at once.
	quickTries = 4
	// quotaProbe is how often a spent quota is tried: it may have been raised.
	quotaProbe = 30 * time.Minute
	// busyPause lets another user of the token finish.
	busyPause = 5 * time.Second
)

// after decides what becomes of a failed request.
func (r *run) after(err error, tries int, pause time.Duration) next {
	failure, ok := errors.AsType[*wolkvox.Error](err)
	if !ok {
		return next{}
	}
	if failure.RetryAfter > patience {
		return next{wait: failure.RetryAfter}
	}
	// While a fault lasts, one request a poll is enough to see its end, and many
	// would spend the day's quota.
	passing := tries < quickTries && r.lasting.err == nil
	switch failure.Result {
	case wolkvox.Network, wolkvox.Timeout, wolkvox.ServerError:
		return next{again: passing, wait: max(pause, failure.RetryAfter)}
	case wolkvox.RateLimited:
		return next{again: passing && failure.RetryAfter > 0, wait: failure.RetryAfter}
	case wolkvox.TokenBusy:
		return next{again: passing, wait: min(busyPause, r.options.Interval) + pause}
	case wolkvox.QuotaExceeded:
		return next{wait: min(quotaProbe, untilMidnight(time.Now().In(r.options.Zone)))}
	default:
		return next{}
	}
}

// untilMidnight is how long the day lasts on now's wall clock.
func untilMidnight(now time.Time) time.Duration {
	year, month, day := now.Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now)
}

// pauses are the waits before quick retries: about 1, 2 and 4 seconds.
func (r *run) pauses() backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(time.Second, r.options.Interval/10)
	b.Multiplier = 2
	return b
}
