package reader

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// History reads a past time for a caller that counts the chats itself.
type History struct {
	reader   *Reader
	fault    fault.Fault
	overfull fault.Warning
	gaps     []ledger.Gap
	begun    bool // something has been read
	// unreadable is how many seconds were left out of a span that is not read yet.
	unreadable int
}

// NewHistory returns a history that has not read anything.
func NewHistory(report Report, options Options) *History {
	return &History{reader: New(report, options)}
}

// Rows are the rows of a span.
type Rows struct {
	Ended   []wolkvox.Chat // some of them more than once
	Invalid int            // rows that are no chat, or whose end cannot be read
	// Unreadable is how many seconds were left out because no response that holds them
	// could be read.
	Unreadable int
}

// Apply implements [RowSink].
func (r *Rows) Apply(chat *wolkvox.Chat, _ ledger.Mode) {
	switch {
	case chat.Ended():
		r.Ended = append(r.Ended, *chat)
	case chat.Malformed.Has(wolkvox.EndDate):
		r.Invalid++
	}
}

// Reject implements [RowSink].
func (r *Rows) Reject() { r.Invalid++ }

// Spans divides a time into spans that are to be read at once, oldest first. How long
// they are depends on what was read before.
func (h *History) Spans(from, to time.Time) iter.Seq[ledger.Span] { return h.reader.Spans(from, to) }

// Requests returns how many requests a time takes if none fails and no response is
// truncated.
func (h *History) Requests(from, to time.Time) (n int) {
	for span := range h.Spans(from, to) {
		n += len(h.windows(span))
	}
	return n
}

// maxFaultTime is how long a fault that may pass is waited for.
const maxFaultTime = time.Hour

// Read reads all chats that started in a span, or all that ended in it. If it fails for a
// cause that may pass, it tries again at the interval for up to an hour; but not if
// nothing was ever read, since then the cause is most likely the setup.
func (h *History) Read(ctx context.Context, span ledger.Span) (*Rows, error) {
	r, logger := h.reader, h.reader.options.Logger
	for {
		rows, err := h.read(ctx, span)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil:
			h.fault.End(logger, "reading")
			h.begun = true
			return rows, nil
		}
		since := h.fault.Since
		if h.fault.Err == nil {
			since = time.Now()
		}
		next := later(r.quietUntil, time.Now().Add(r.options.Interval))
		if !h.begun || !mayPass(err) || next.Sub(since) > maxFaultTime {
			return nil, fmt.Errorf("reading %s to %s: %w", r.local(span.From), r.local(span.To), err)
		}
		h.fault.Begin(logger, "reading", err, "result", orNone(Result(err)))
		if err := sleep(ctx, time.Until(next)); err != nil {
			return nil, err
		}
	}
}

func (h *History) read(ctx context.Context, span ledger.Span) (*Rows, error) {
	now := time.Now()
	c, rows := h.reader.NewCycle(now, now.Truncate(time.Second), h.fault.Err), &Rows{}
	outcome, err := c.Read(ctx, h.windows(span), slices.Clone(h.gaps), rows, ledger.Polling)
	if err != nil {
		return nil, err
	}
	c.WarnOfOverfull(&h.overfull)
	c.ReportSkipped(outcome.Skipped)
	h.gaps, h.unreadable = outcome.Gaps, h.unreadable+len(outcome.Skipped)
	if outcome.Held {
		h.begun = true
		return nil, h.reader.lastUnreadable
	}
	rows.Unreadable, h.unreadable = h.unreadable, 0
	return rows, nil
}

// windows returns the windows of a span and its last second, which the API may leave out.
func (h *History) windows(span ledger.Span) []wolkvox.Window {
	return wolkvox.Windows(span.From, span.To.Add(time.Second), h.reader.options.Zone)
}

// mayPass reports whether a fault may pass without anyone's action.
func mayPass(err error) bool {
	switch Result(err) {
	case wolkvox.Network, wolkvox.ServerError, wolkvox.Timeout, wolkvox.RateLimited, wolkvox.TokenBusy,
		wolkvox.Unavailable, wolkvox.Malformed:
		return true
	default:
		return false
	}
}
