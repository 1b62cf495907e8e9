package reader

import (
	"context"
	"errors"
	"math/bits"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// RowSink receives each row of a report. A [ledger.Transaction] counts it.
type RowSink interface {
	Apply(chat *wolkvox.Chat, mode ledger.Mode)
	Reject() // a row that could not be decoded
}

// Cycle reads windows until now. It holds what is known of one cycle's requests.
type Cycle struct {
	reader *Reader
	began  time.Time
	to     time.Time // the whole second that is now

	// lasting is the error that the task under way ended with in the last cycle, if any.
	// While a fault lasts, few requests are spent on it.
	lasting error

	stats   Stats
	failed  int             // requests that failed in a row
	pauses  backoff.BackOff // between them
	retries int
	splits  int // of the span under way

	health     health
	gaps       []ledger.Gap // those of the ledger, as the span under way leaves them
	deferred   bool         // a part of the span was left for later
	narrowing  int          // how many unreadable windows enclose the one under way
	unreadable map[wolkvox.Window]error
}

// Stats describe the requests of a cycle and their rows.
type Stats struct {
	Requests  int
	NewestEnd wolkvox.LocalTime // among the rows; 0 if none has ended
	WholeRows int               // rows that have most of the documented keys
	Keys      wolkvox.Fields    // keys that any of those has
	ExtraText bool              // a response had text around its JSON
	Overfull  int               // windows that could not be split far enough
}

// Outcome is what a transaction needs to know of a span besides its rows.
type Outcome struct {
	Gaps    []ledger.Gap // the ledger's gaps from now on
	Skipped []ledger.Gap // those of them that have just been given up by polls
	Held    bool         // a part of the span is still to be read
}

// NewCycle begins a cycle that reads up to to. lasting is the error of the last cycle.
func (r *Reader) NewCycle(began, to time.Time, lasting error) *Cycle {
	return &Cycle{
		reader: r, began: began, to: to, lasting: lasting, pauses: newPauses(r.options.Interval),
		unreadable: map[wolkvox.Window]error{},
	}
}

// newPauses returns pauses of about 1, 2 and 4 seconds.
func newPauses(interval time.Duration) backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(time.Second, interval/10)
	b.Multiplier = 2
	return b
}

// Stats returns the cycle's requests and rows so far.
func (c *Cycle) Stats() Stats { return c.stats }

// BeginTask begins another task of the cycle, such as a reconcile after a poll. lasting
// is its error in the last cycle.
func (c *Cycle) BeginTask(lasting error) { c.lasting, c.failed = lasting, 0 }

// Read reads windows around the ledger's gaps, and then the gaps that are due.
func (c *Cycle) Read(ctx context.Context, windows []wolkvox.Window, gaps []ledger.Gap, sink RowSink, mode ledger.Mode) (Outcome, error) {
	c.splits, c.deferred = 0, false
	c.gaps = slices.Clone(gaps)
	for _, window := range windows {
		if err := c.readAround(ctx, window, sink, mode); err != nil {
			return Outcome{}, err
		}
	}
	skipped := c.skipGaps()
	return Outcome{Gaps: c.gaps, Skipped: skipped, Held: c.isHeld(windows)}, nil
}

// read delivers the rows of a window to sink. A window that holds more rows than one
// response is split; one that cannot be read while others can is narrowed. The rows of a
// truncated response are delivered too. It returns the number of rows.
func (c *Cycle) read(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) (int, error) {
	return c.readOr(ctx, w, sink, mode, func() error {
		level.Debug(c.reader.options.Logger).Log("msg", "narrowing a window that cannot be read", "window", w, "err", c.unreadable[w])
		return c.narrow(ctx, w, sink, mode)
	})
}

// readOr is like read, but calls otherwise for a window that cannot be read while others
// can.
func (c *Cycle) readOr(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, otherwise func() error) (int, error) {
	if lengthOf(w) >= 2*c.reader.maxSpan {
		return c.readHalves(ctx, w, sink, mode) // Its other half was too much already.
	}
	rows, next, err := c.fetch(ctx, w, sink, mode)
	switch next {
	case splitWindow:
		level.Debug(c.reader.options.Logger).Log("msg", "splitting the window", "window", w, "rows", rows, "err", err)
		return c.readTruncated(ctx, w, sink, mode, rows, err)
	case narrowWindow:
		c.setUnreadable(w, err)
		if err := c.confirmHealthy(ctx, w, sink, mode, err); err != nil {
			return rows, err
		}
		return rows, otherwise()
	default:
		return rows, err
	}
}

func (c *Cycle) readHalves(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) (rows int, err error) {
	for _, half := range w.Split() {
		n, err := c.read(ctx, half, sink, mode)
		rows += n
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

func lengthOf(w wolkvox.Window) time.Duration { return time.Duration(w.To-w.From) * time.Second }

// fetch requests a window, and repeats the request while that may help. After some
// failures the window's halves may help more: the action says so, and the error is that
// of the window.
func (c *Cycle) fetch(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) (rows int, next action, err error) {
	for {
		asked := time.Now()
		rows, err = c.request(ctx, w, sink, mode)
		if ctx.Err() != nil {
			return rows, giveUp, err
		}
		c.reader.adaptSpan(w, rows, err, time.Since(asked))
		if err == nil || errors.Is(err, errSuspect) {
			c.failed = 0
			c.pauses.Reset()
			c.setReadable(w, rows)
		}
		if err == nil {
			return rows, giveUp, nil
		}
		c.failed++
		next := c.decide(err, w, c.pauses.NextBackOff())
		if next.action != retry {
			if next.action == giveUp {
				c.reader.quietUntil = time.Now().Add(next.wait)
			}
			return rows, next.action, err
		}
		level.Debug(c.reader.options.Logger).Log("msg", "request failed, will retry", "window", w, "err", err, "in", next.wait)
		if err := sleep(ctx, next.wait); err != nil {
			return rows, giveUp, err
		}
	}
}

func (c *Cycle) request(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) (rows int, err error) {
	c.stats.Requests++
	for chat, err := range c.reader.report.Chats(ctx, w) {
		if isWhole(chat.Keys) {
			c.stats.Keys |= chat.Keys
			c.stats.WholeRows++
		}
		switch {
		case errors.Is(err, wolkvox.ErrBadRow):
			sink.Reject()
		case err != nil:
			return rows, err
		default:
			sink.Apply(&chat, mode)
			c.stats.NewestEnd = max(c.stats.NewestEnd, chat.End)
		}
		rows++
	}
	response := c.reader.report.LastResponse()
	c.stats.ExtraText = c.stats.ExtraText || response.ExtraText
	return rows, c.reader.limit.check(rows, response.Announced)
}

// isWhole reports whether a row has so many of the documented keys that those it lacks
// say something about the report.
func isWhole(keys wolkvox.Fields) bool { return bits.OnesCount32(uint32(keys)) >= 8 }

// Peek delivers the chats of windows whose rows are not counted. It stops at the first
// failure.
func (c *Cycle) Peek(ctx context.Context, windows []wolkvox.Window, deliver func(*wolkvox.Chat)) error {
	for _, window := range windows {
		c.stats.Requests++
		for chat, err := range c.reader.report.Chats(ctx, window) {
			switch {
			case errors.Is(err, wolkvox.ErrBadRow):
			case err != nil:
				return err
			default:
				deliver(&chat)
			}
		}
	}
	return nil
}

// adaptSpan adapts how long spans are to what the API delivers in one response: half of
// what was too much, or what would fill half of a response by the time that this one took
// and the rows that it had.
func (r *Reader) adaptSpan(w wolkvox.Window, rows int, err error, took time.Duration) {
	length, result := lengthOf(w), Result(err)
	switch {
	case errors.Is(err, errCut), result == wolkvox.TooLarge, result == wolkvox.Timeout:
		r.maxSpan = min(r.maxSpan, max((length/2).Truncate(time.Second), minSpan))
	case err == nil, errors.Is(err, errSuspect):
		// Some responses take as long whatever they hold, so a little more is tried.
		byTime := max(float64(r.options.Timeout)/2/float64(1+took), 1.25)
		byRows := float64(r.limit.rows()) / 2 / float64(1+rows)
		r.maxSpan = max(r.maxSpan, time.Duration(min(byTime*float64(length), byRows*float64(length), float64(MaxSpan))).Truncate(time.Second))
	}
}
