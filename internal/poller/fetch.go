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

// run is one turn of polling.
type run struct {
	*Poller
	began time.Time
	to    time.Time // the whole second that it reads up to
	from  time.Time // how far back its poll has read

	lasting  *fault          // of what is being read: a poll or a reconcile
	failed   int             // requests, one after the other
	pauses   backoff.BackOff // the waits between them
	splits   int             // of the piece that is being read
	requests int
	rows     [ledger.Outcomes]uint64
	newest   wolkvox.LocalTime // end among the rows
	overfull int               // windows that could not be split far enough
}

func (p *Poller) newRun() *run {
	now := time.Now()
	return &run{Poller: p, began: now, to: now.Truncate(time.Second), lasting: &p.polling, pauses: pauses(p.options.Interval)}
}

// pauses are about 1, 2 and 4 seconds.
func pauses(interval time.Duration) backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(time.Second, interval/10)
	b.Multiplier = 2
	return b
}

// taker is told of each row. A [ledger.Transaction] books it.
type taker interface {
	Apply(chat *wolkvox.Chat, reading ledger.Reading)
	Reject() // a row that could not be decoded
}

// errCut is a response with as many rows as the API shows at most. It only gets
// out of a run whose windows are cut however short they are.
var errCut = errors.New("far too many responses are cut at 60,000 rows")

// read books the rows of a window. If there is more in it than one response can
// bring, it is split. Rows of a cut response are as true as any. The answer is
// the number of rows.
func (r *run) read(ctx context.Context, w wolkvox.Window, t taker, reading ledger.Reading) (int, error) {
	if lengthOf(w) >= 2*r.reach {
		return r.readHalves(ctx, w, t, reading) // Its other half was too much already.
	}
	rows, split, err := r.fetch(ctx, w, t, reading)
	if !split {
		return rows, err
	}
	level.Debug(r.logger).Log("msg", "splitting the window", "window", w, "rows", rows, "err", err)
	parts, splitErr := r.readHalves(ctx, w, t, reading)
	if splitErr != nil || resultOf(err) == wolkvox.Timeout {
		return parts, splitErr
	}
	r.status.TruncatedWindows++
	if parts < rows || len(w.Split()) == 0 {
		r.status.TruncatedSeconds++
		r.overfull++
	}
	return max(rows, parts), nil
}

func (r *run) readHalves(ctx context.Context, w wolkvox.Window, t taker, reading ledger.Reading) (rows int, err error) {
	for _, half := range w.Split() {
		n, err := r.read(ctx, half, t, reading)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func lengthOf(w wolkvox.Window) time.Duration { return time.Duration(w.To-w.From) * time.Second }

// fetch makes a request, and again as long as that promises something. After
// some failures it is the window's halves that promise more.
func (r *run) fetch(ctx context.Context, w wolkvox.Window, t taker, reading ledger.Reading) (rows int, split bool, err error) {
	for {
		asked := time.Now()
		rows, err = r.request(ctx, w, t, reading)
		if ctx.Err() != nil {
			return rows, false, err
		}
		r.fit(w, rows, err, time.Since(asked))
		if err == nil {
			r.failed = 0
			r.pauses.Reset()
			return rows, false, nil
		}
		r.failed++
		next := r.after(err, w, r.pauses.NextBackOff())
		switch {
		case next.split:
			return rows, true, err
		case !next.again:
			r.quietUntil = time.Now().Add(next.wait)
			return rows, false, err
		}
		level.Debug(r.logger).Log("msg", "request failed, trying again", "window", w, "err", err, "in", next.wait)
		if err := sleep(ctx, next.wait); err != nil {
			return rows, false, err
		}
	}
}

func (r *run) request(ctx context.Context, w wolkvox.Window, t taker, reading ledger.Reading) (rows int, err error) {
	r.requests++
	for chat, err := range r.report.Chats(ctx, w) {
		switch {
		case errors.Is(err, wolkvox.ErrBadRow):
			t.Reject()
		case err != nil:
			return rows, err
		default:
			t.Apply(&chat, reading)
			r.newest = max(r.newest, chat.End)
		}
		rows++
	}
	if rows >= wolkvox.MaxRows {
		return rows, errCut
	}
	return rows, nil
}

// fit adapts how much time is asked for at once to what the API brings in one
// response: half of what was too much, or what would fill half of a response by
// the time that this one took and the rows that it had.
func (p *Poller) fit(w wolkvox.Window, rows int, err error, took time.Duration) {
	length, result := lengthOf(w), resultOf(err)
	switch {
	case errors.Is(err, errCut), result == wolkvox.TooLarge, result == wolkvox.Timeout:
		p.reach = min(p.reach, max((length/2).Truncate(time.Second), minPiece))
	case err == nil:
		// Some responses take as long whatever they bring: a little more is tried.
		byTime := max(float64(p.options.Timeout)/2/float64(1+took), 1.25)
		byRows := wolkvox.MaxRows / 2 / float64(1+rows)
		p.reach = max(p.reach, time.Duration(min(byTime*float64(length), byRows*float64(length), float64(maxPiece))).Truncate(time.Second))
	}
}

// next is what to do after a failed request: the same again after a wait, the
// window's halves, or nothing in this run and, until the wait is over, in any
// other.
type next struct {
	again, split bool
	wait         time.Duration
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
	// maxSplits is how often a piece is split: enough for three million chats a
	// day. An API that cuts whatever it is asked for would be asked for each
	// second of the piece.
	maxSplits = 200
	// fewSplits is as often while it goes on doing so: enough for a minute with
	// a second that holds too many chats.
	fewSplits = 20
)

// after decides what becomes of a failed request.
func (r *run) after(err error, w wolkvox.Window, pause time.Duration) next {
	if errors.Is(err, errCut) || resultOf(err) == wolkvox.TooLarge {
		return r.afterCut()
	}
	failure, ok := errors.AsType[*wolkvox.Error](err)
	if !ok {
		return next{}
	}
	if failure.RetryAfter > patience {
		return next{wait: failure.RetryAfter}
	}
	switch failure.Result {
	case wolkvox.Timeout:
		// The same again would take as long. Halves of less than three seconds
		// may not show what the window would have.
		return next{split: w.To-w.From >= 3 && r.mayRetry()}
	case wolkvox.Network, wolkvox.ServerError:
		return next{again: r.mayRetry(), wait: max(pause, failure.RetryAfter)}
	case wolkvox.RateLimited:
		return next{again: failure.RetryAfter > 0 && r.mayRetry(), wait: failure.RetryAfter}
	case wolkvox.TokenBusy:
		return next{again: r.mayRetry(), wait: min(busyPause, r.options.Interval) + pause}
	case wolkvox.QuotaExceeded:
		return next{wait: min(quotaProbe, untilMidnight(time.Now().In(r.options.Zone)))}
	default:
		return next{}
	}
}

// afterCut splits, with an end.
func (r *run) afterCut() next {
	limit := maxSplits
	if errors.Is(r.lasting.err, errCut) || r.lasting.result == wolkvox.TooLarge {
		limit = fewSplits
	}
	if r.splits >= limit {
		return next{wait: quotaProbe}
	}
	r.splits++
	return next{split: true}
}

// mayRetry tells whether a failed request is worth another, and takes it from
// what there is for retries: ten, and one more with each interval. While a fault
// lasts, one request a poll is enough to see its end.
func (r *run) mayRetry() bool {
	if r.failed >= quickTries || r.lasting.err != nil {
		return false
	}
	now := time.Now()
	from := later(r.retriesUsed, now.Add(-maxRetries*r.options.Interval))
	if used := from.Add(r.options.Interval); !used.After(now) {
		r.retriesUsed = used
		return true
	}
	return false
}

// untilMidnight is how long the day lasts on now's wall clock.
func untilMidnight(now time.Time) time.Duration {
	year, month, day := now.Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, now.Location()).Sub(now)
}
