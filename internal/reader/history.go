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

// History reads past spans for a caller that counts the chats itself.
type History struct {
	reader   *Reader
	fault    fault.Fault
	overfull fault.Warning
	gaps     []ledger.Gap
	hasRead  bool // something has been read
	// unreadable is the number of seconds left out of a span that is not complete yet.
	unreadable int
}

// NewHistory returns a history that has not read anything.
func NewHistory(report Report, options Options) *History {
	return &History{reader: New(report, options)}
}

// Rows holds the rows of a span.
type Rows struct {
	Ended   []wolkvox.Chat // may contain a chat more than once
	Invalid int            // rows that are not a chat, or have an unreadable end
	// Unreadable is the number of seconds left out because they are unreadable.
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

// Spans divides a span into parts that can each be read at once, oldest first. Their
// length depends on what was read before.
func (h *History) Spans(from, to time.Time) iter.Seq[ledger.Span] { return h.reader.Spans(from, to) }

// Requests returns the number of requests for a span if none fails and no response is
// truncated.
func (h *History) Requests(from, to time.Time) (n int) {
	for span := range h.Spans(from, to) {
		n += len(h.windows(span))
	}
	return n
}

// maxFaultWait is how long Read waits for the end of a transient fault.
const maxFaultWait = time.Hour

// Read reads all chats that the report has for a span: those that started in it, or those
// that ended in it. After a transient error it retries at each interval for up to an hour,
// but not if nothing was ever read: then the cause is most likely the setup.
func (h *History) Read(ctx context.Context, span ledger.Span) (*Rows, error) {
	r, logger := h.reader, h.reader.options.Logger
	for {
		rows, err := h.read(ctx, span)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil:
			h.fault.End(logger, "read")
			h.hasRead = true
			return rows, nil
		}
		since := h.fault.Since
		if h.fault.Err == nil {
			since = time.Now()
		}
		next := Later(r.quietUntil, time.Now().Add(r.options.Interval))
		if !h.hasRead || !isTransient(err) || next.Sub(since) > maxFaultWait {
			return nil, fmt.Errorf("reading %s to %s: %w", r.local(span.From), r.local(span.To), err)
		}
		h.fault.Begin(logger, "read", err, "result", ResultLabel(err))
		if err := Sleep(ctx, time.Until(next)); err != nil {
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
	if outcome.Incomplete {
		h.hasRead = true
		return nil, h.reader.lastUnreadable
	}
	rows.Unreadable, h.unreadable = h.unreadable, 0
	return rows, nil
}

// windows returns the windows of a span, one second longer, as the API may leave out the
// last second of a window.
func (h *History) windows(span ledger.Span) []wolkvox.Window {
	return wolkvox.Windows(span.From, span.To.Add(time.Second), h.reader.options.Zone)
}

// isTransient reports whether a fault may end without action by the user.
func isTransient(err error) bool {
	switch Result(err) {
	case wolkvox.Network, wolkvox.ServerError, wolkvox.Timeout, wolkvox.RateLimited, wolkvox.TokenBusy,
		wolkvox.Unavailable, wolkvox.Malformed:
		return true
	default:
		return false
	}
}
