package poller

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// run is one turn of polling.
type run struct {
	*Poller
	began time.Time
	to    time.Time // the whole second that it reads up to
	from  time.Time // how far back its poll has read

	lasting   *fault.Fault    // of what is being read: a poll or a reconcile
	failed    int             // requests, one after the other
	pauses    backoff.BackOff // the waits between them
	retries   int
	splits    int // of the piece that is being read
	requests  int
	rows      [ledger.Outcomes]uint64
	newest    wolkvox.LocalTime // end among the rows
	whole     int               // rows that have most of the documented keys
	keys      wolkvox.Fields    // that any of those has
	extraText bool              // a response had other text around its JSON
	overfull  int               // windows that could not be split far enough

	health
	gaps       []ledger.Gap // those of the book, as this step leaves them
	deferred   bool         // a part of the step's span was left for later
	narrowing  int          // how deep what is being read is inside an unreadable window
	unreadable map[wolkvox.Window]error
}

func (p *Poller) newRun() *run {
	now := time.Now()
	return &run{
		Poller: p, began: now, to: now.Truncate(time.Second), lasting: &p.polling, pauses: pauses(p.options.Interval),
		unreadable: map[wolkvox.Window]error{},
	}
}

// pauses are about 1, 2 and 4 seconds.
func pauses(interval time.Duration) backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(time.Second, interval/10)
	b.Multiplier = 2
	return b
}

// rowSink takes each row. A [ledger.Transaction] books it.
type rowSink interface {
	Apply(chat *wolkvox.Chat, reading ledger.Reading)
	Reject() // a row that could not be decoded
}

// read books the rows of a window. If there is more in it than one response can
// bring, it is split; if it cannot be read while others can, it is narrowed. Rows of
// a truncated response are as true as any. The result is the number of rows.
func (r *run) read(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading) (int, error) {
	return r.readOr(ctx, w, sink, reading, func() error {
		level.Debug(r.logger).Log("msg", "narrowing a window that cannot be read", "window", w, "err", r.unreadable[w])
		return r.narrow(ctx, w, sink, reading)
	})
}

// readOr is read with another way to go on with a window that cannot be read while others can.
func (r *run) readOr(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading, otherwise func() error) (int, error) {
	if lengthOf(w) >= 2*r.reach {
		return r.readHalves(ctx, w, sink, reading) // Its other half was too much already.
	}
	rows, next, err := r.fetch(ctx, w, sink, reading)
	switch next {
	case splitWindow:
		level.Debug(r.logger).Log("msg", "splitting the window", "window", w, "rows", rows, "err", err)
		return r.readTruncated(ctx, w, sink, reading, rows, err)
	case narrowWindow:
		r.setUnreadable(w, err)
		if err := r.confirmHealthy(ctx, w, sink, reading, err); err != nil {
			return rows, err
		}
		return rows, otherwise()
	default:
		return rows, err
	}
}

func (r *run) readHalves(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading) (rows int, err error) {
	for _, half := range w.Split() {
		n, err := r.read(ctx, half, sink, reading)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func lengthOf(w wolkvox.Window) time.Duration { return time.Duration(w.To-w.From) * time.Second }

// fetch makes a request, and again as long as that promises something. After
// some failures it is the window's halves that promise more: the action says so, and
// the error is that of the window.
func (r *run) fetch(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading) (rows int, next action, err error) {
	for {
		asked := time.Now()
		rows, err = r.request(ctx, w, sink, reading)
		if ctx.Err() != nil {
			return rows, giveUp, err
		}
		r.fit(w, rows, err, time.Since(asked))
		if err == nil || errors.Is(err, errSuspect) {
			r.failed = 0
			r.pauses.Reset()
			r.setReadable(w, rows)
		}
		if err == nil {
			return rows, giveUp, nil
		}
		r.failed++
		next := r.decide(err, w, r.pauses.NextBackOff())
		if next.action != retry {
			if next.action == giveUp {
				r.quietUntil = time.Now().Add(next.wait)
			}
			return rows, next.action, err
		}
		level.Debug(r.logger).Log("msg", "request failed, trying again", "window", w, "err", err, "in", next.wait)
		if err := sleep(ctx, next.wait); err != nil {
			return rows, giveUp, err
		}
	}
}

func (r *run) request(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading) (rows int, err error) {
	r.requests++
	for chat, err := range r.report.Chats(ctx, w) {
		if isWhole(chat.Keys) {
			r.keys |= chat.Keys
			r.whole++
		}
		switch {
		case errors.Is(err, wolkvox.ErrBadRow):
			sink.Reject()
		case err != nil:
			return rows, err
		default:
			sink.Apply(&chat, reading)
			r.newest = max(r.newest, chat.End)
		}
		rows++
	}
	response := r.report.LastResponse()
	r.extraText = r.extraText || response.ExtraText
	return rows, r.limit.check(rows, response.Announced)
}

// fit adapts how much time is asked for at once to what the API brings in one
// response: half of what was too much, or what would fill half of a response by
// the time that this one took and the rows that it had.
func (r *run) fit(w wolkvox.Window, rows int, err error, took time.Duration) {
	length, result := lengthOf(w), resultOf(err)
	switch {
	case errors.Is(err, errCut), result == wolkvox.TooLarge, result == wolkvox.Timeout:
		r.reach = min(r.reach, max((length/2).Truncate(time.Second), minPiece))
	case err == nil, errors.Is(err, errSuspect):
		// Some responses take as long whatever they bring: a little more is tried.
		byTime := max(float64(r.options.Timeout)/2/float64(1+took), 1.25)
		byRows := float64(r.limit.rows()) / 2 / float64(1+rows)
		r.reach = max(r.reach, time.Duration(min(byTime*float64(length), byRows*float64(length), float64(maxPiece))).Truncate(time.Second))
	}
}
