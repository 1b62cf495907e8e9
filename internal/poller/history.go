package poller

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// History reads a time that is past: in the windows, within the limits and with the
// retries that polls have. What it reads is the caller's to count.
type History struct {
	poller *Poller
	gaps   []ledger.Gap
	begun  bool // something has been read
	// unreadable is how many seconds were left out of a piece that is not read yet.
	unreadable int
}

// NewHistory reads nothing yet. Of the options, it needs what is about requests.
func NewHistory(report Report, options Options) *History {
	return &History{poller: &Poller{
		options: options,
		report:  report,
		logger:  log.With(options.Logger, "operation", options.Operation),
		reach:   maxPiece,
		extra:   allowance{max: maxExtra},
		beside:  allowance{max: maxBeside},
	}}
}

// Rows are what a piece of time showed.
type Rows struct {
	Ended   []wolkvox.Chat // some of them more than once
	Invalid int            // rows that are no chat, or whose end cannot be read
	// Unreadable is how many seconds were left out because no response that holds them
	// could be read.
	Unreadable int
}

// Apply implements rowSink.
func (r *Rows) Apply(chat *wolkvox.Chat, _ ledger.Reading) {
	switch {
	case chat.Ended():
		r.Ended = append(r.Ended, *chat)
	case chat.Malformed.Has(wolkvox.EndDate):
		r.Invalid++
	}
}

// Reject implements rowSink.
func (r *Rows) Reject() { r.Invalid++ }

// Pieces cuts a time into what is to be read at once, oldest first. How long they
// are depends on what was read before.
func (h *History) Pieces(from, to time.Time) iter.Seq[ledger.Span] { return h.poller.pieces(from, to) }

// Requests is how many a time takes, if none fails and no response is cut.
func (h *History) Requests(from, to time.Time) (n int) {
	for piece := range h.Pieces(from, to) {
		n += len(h.windows(piece))
	}
	return n
}

// tolerance is how long a fault may last that is likely to pass.
const tolerance = time.Hour

// Read reads a piece: all chats that started in it, or all that ended in it. If it
// fails and that is likely to pass, it is read again after the interval of polls,
// and so on for an hour; but not if nothing was ever read: then something is likely
// to be set up wrongly.
func (h *History) Read(ctx context.Context, piece ledger.Span) (*Rows, error) {
	p := h.poller
	for {
		rows, err := h.read(ctx, piece)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil:
			p.polling.End(p.logger, "reading")
			h.begun = true
			return rows, nil
		}
		since := p.polling.Since
		if p.polling.Err == nil {
			since = time.Now()
		}
		next := later(p.quietUntil, time.Now().Add(p.options.Interval))
		if !h.begun || !passes(err) || next.Sub(since) > tolerance {
			return nil, fmt.Errorf("reading %s to %s: %w", p.local(piece.From), p.local(piece.To), err)
		}
		p.polling.Begin(p.logger, "reading", err, "result", orNone(resultOf(err)))
		if err := sleep(ctx, time.Until(next)); err != nil {
			return nil, err
		}
	}
}

func (h *History) read(ctx context.Context, piece ledger.Span) (*Rows, error) {
	r, rows := h.poller.newRun(), &Rows{}
	r.gaps = slices.Clone(h.gaps)
	windows := h.windows(piece)
	for _, window := range windows {
		if err := r.readAround(ctx, window, rows, ledger.Polling); err != nil {
			return nil, err
		}
	}
	r.warnOfOverfull()
	skipped := r.skipGaps()
	r.reportSkipped(skipped)
	h.gaps, h.unreadable = r.gaps, h.unreadable+len(skipped)
	if r.holds(windows) {
		h.begun = true
		return nil, r.spoiled
	}
	rows.Unreadable, h.unreadable = h.unreadable, 0
	return rows, nil
}

// windows show a piece and its last second, which the API may leave out.
func (h *History) windows(piece ledger.Span) []wolkvox.Window {
	return wolkvox.Windows(piece.From, piece.To.Add(time.Second), h.poller.options.Zone)
}

// passes tells whether a fault is likely to be over after a while, without anybody
// doing something about it.
func passes(err error) bool {
	switch resultOf(err) {
	case wolkvox.Network, wolkvox.ServerError, wolkvox.Timeout, wolkvox.RateLimited, wolkvox.TokenBusy,
		wolkvox.Unavailable, wolkvox.Malformed:
		return true
	default:
		return false
	}
}
