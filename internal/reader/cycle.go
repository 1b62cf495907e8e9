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

	// lastErr is the error that the current task ended with in the last cycle, if any.
	// While a fault lasts, few requests are spent on it.
	lastErr error

	stats       Stats
	failedInRow int             // requests that failed in a row
	backOff     backoff.BackOff // between them
	retries     int
	splits      int // of the current span

	health      health
	gaps        []ledger.Gap // the ledger's, and the changes of the current span
	deferred    bool         // a part of the span was left for later
	narrowDepth int          // how many unreadable windows enclose the current one
	unreadable  map[wolkvox.Window]error
}

// Stats describe the requests of a cycle and their rows.
type Stats struct {
	Requests  int
	NewestEnd wolkvox.LocalTime // among the rows; 0 if none has ended
	WholeRows int               // rows that have most of the documented keys
	Keys      wolkvox.Fields    // keys that any of those has
	ExtraText bool              // a response had text around its JSON
	Overfull  int               // windows that are truncated and too short to split
}

// Outcome is the result of reading a span, besides its rows.
type Outcome struct {
	Gaps       []ledger.Gap // all gaps after the span
	Skipped    []ledger.Gap // those that have just become skipped
	Incomplete bool         // a part of the span is still to be read
}

// NewCycle begins a cycle that reads up to to. lastErr is the error of the last cycle.
func (r *Reader) NewCycle(began, to time.Time, lastErr error) *Cycle {
	return &Cycle{
		reader: r, began: began, to: to, lastErr: lastErr, backOff: newBackOff(r.options.Interval),
		unreadable: map[wolkvox.Window]error{},
	}
}

// newBackOff returns a backoff with waits of about 1, 2 and 4 seconds.
func newBackOff(interval time.Duration) backoff.BackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(time.Second, interval/10)
	b.Multiplier = 2
	return b
}

// Stats returns the statistics of the cycle so far.
func (c *Cycle) Stats() Stats { return c.stats }

// BeginTask begins another task of the cycle, such as a reconcile after a poll. lastErr
// is the error of that task in the last cycle.
func (c *Cycle) BeginTask(lastErr error) { c.lastErr, c.failedInRow = lastErr, 0 }

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
	return Outcome{Gaps: c.gaps, Skipped: skipped, Incomplete: c.isIncomplete(windows)}, nil
}

// read delivers the rows of a window to sink and returns their number. It splits a window
// that holds more rows than one response, and narrows one that cannot be read while others
// can. The rows of a truncated response are delivered too.
func (c *Cycle) read(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) (int, error) {
	return c.readOr(ctx, w, sink, mode, func() error {
		level.Debug(c.reader.options.Logger).Log("msg", "narrowing a window that cannot be read", "window", w, "err", c.unreadable[w])
		return c.narrow(ctx, w, sink, mode)
	})
}

// readOr is like read, but calls onUnreadable for a window that cannot be read while
// others can.
func (c *Cycle) readOr(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, onUnreadable func() error) (int, error) {
	if windowLength(w) >= 2*c.reader.maxSpan {
		return c.readHalves(ctx, w, sink, mode) // A window of this length was too long already.
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
		return rows, onUnreadable()
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

func windowLength(w wolkvox.Window) time.Duration { return time.Duration(w.To-w.From) * time.Second }

// fetch requests a window, and repeats a failed request while that may succeed. Otherwise
// it returns the action to take and the error of the last request.
func (c *Cycle) fetch(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) (rows int, next action, err error) {
	for {
		requestedAt := time.Now()
		rows, err = c.request(ctx, w, sink, mode)
		if ctx.Err() != nil {
			return rows, giveUp, err
		}
		c.reader.adaptSpan(w, rows, err, time.Since(requestedAt))
		if err == nil || errors.Is(err, errSuspect) {
			c.failedInRow = 0
			c.backOff.Reset()
			c.setReadable(w, rows)
		}
		if err == nil {
			return rows, giveUp, nil
		}
		c.failedInRow++
		next := c.decide(err, w, c.backOff.NextBackOff())
		if next.action != retry {
			if next.action == giveUp {
				c.reader.quietUntil = time.Now().Add(next.wait)
			}
			return rows, next.action, err
		}
		level.Debug(c.reader.options.Logger).Log("msg", "retrying a failed request", "window", w, "err", err, "in", next.wait)
		if err := Sleep(ctx, next.wait); err != nil {
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

// isWhole reports whether a row has most of the documented keys. Only then do missing keys
// show that the report has changed.
func isWhole(keys wolkvox.Fields) bool { return bits.OnesCount32(uint32(keys)) >= 8 }

// Peek delivers the chats of windows without retries and without adding them to the
// statistics of rows. It stops at the first failure.
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

// adaptSpan adapts the length of spans to what the API delivers in one response. After a
// window that was too long, spans are half as long. After any other, they are so long that
// a response takes half of the timeout and has half of the row limit.
func (r *Reader) adaptSpan(w wolkvox.Window, rows int, err error, took time.Duration) {
	length, result := windowLength(w), Result(err)
	switch {
	case errors.Is(err, errTruncated), result == wolkvox.TooLarge, result == wolkvox.Timeout:
		r.maxSpan = min(r.maxSpan, max((length/2).Truncate(time.Second), minSpan))
	case err == nil, errors.Is(err, errSuspect):
		// The time of some responses does not depend on their rows, so the span always grows a
		// little.
		byTime := max(float64(r.options.Timeout)/2/float64(1+took), 1.25)
		byRows := float64(r.limit.rows()) / 2 / float64(1+rows)
		r.maxSpan = max(r.maxSpan, time.Duration(min(byTime*float64(length), byRows*float64(length), float64(MaxSpan))).Truncate(time.Second))
	}
}
