package reader

import (
	"context"
	"errors"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

var (
	// errTruncated is the error of a response with as many rows as the API returns at
	// most. A cycle returns it only if even its shortest windows are truncated.
	errTruncated = errors.New("far too many responses are truncated at the API's row limit")
	// errSuspect is the error of a response that may be truncated. The window's halves
	// show whether it is.
	errSuspect = errors.New("the response may be truncated")
)

// isTruncated reports whether a window is to be split because of its many rows.
func isTruncated(err error) bool {
	return errors.Is(err, errTruncated) || errors.Is(err, errSuspect) || Result(err) == wolkvox.TooLarge
}

const (
	// minRound and minRepeated are the smallest numbers of rows that look like a limit:
	// minRound for a round number, minRepeated for the number of the largest response
	// so far.
	minRound, minRepeated = 50, 20
	// maxFalseAnnouncements is how often in a row msg may name more rows than the window
	// holds before it is ignored.
	maxFalseAnnouncements = 3
)

// rowLimit learns how many rows a response can have. The vendor states 60,000, but a server
// may truncate at fewer, with or without a message. The zero value has the vendor's limit.
type rowLimit struct {
	known              int // rows of a truncated response; 0 if there was none
	largest            int // rows of the largest response that was not truncated
	verified           int // a value of largest that was not a limit
	falseAnnouncements int // how often in a row msg named too many rows
}

// rows returns the largest number of rows of a response.
func (l *rowLimit) rows() int {
	if l.known > 0 {
		return l.known
	}
	return wolkvox.MaxRows
}

// check returns errTruncated for a response that is truncated. It returns errSuspect for one
// that may be truncated: its msg announces more rows (-1: none), its number of rows is
// round, or no response had more rows and another one had as many.
func (l *rowLimit) check(rows, announced int) error {
	if rows > l.known {
		l.known = 0 // The server's limit was raised, or it was not a limit.
	}
	switch {
	case rows >= l.rows():
		return errTruncated
	case l.trusts(rows, announced):
		return errSuspect
	case rows >= minRound && isRound(rows), rows >= minRepeated && rows == l.largest && rows != l.verified:
		return errSuspect
	}
	l.largest = max(l.largest, rows)
	return nil
}

// trusts reports whether a msg announces more rows than the response has and is believed.
func (l *rowLimit) trusts(rows, announced int) bool {
	return announced > rows && l.falseAnnouncements < maxFalseAnnouncements
}

// isRound reports whether n is a typical limit.
func isRound(n int) bool { return n%50 == 0 || n&(n-1) == 0 || n&(n+1) == 0 }

// learn compares the rows of a suspect response with the number of different chats in the
// window's halves, and reports whether the response was truncated. A few chats may have been
// added between the requests.
func (l *rowLimit) learn(rows, chats, announced int) bool {
	if chats > rows+rows/50+1 {
		l.known, l.falseAnnouncements = rows, 0
		return true
	}
	if announced > rows {
		l.falseAnnouncements++
	}
	if rows == l.largest && chats <= rows {
		l.verified = rows
	}
	l.largest = max(l.largest, rows)
	return false
}

// readTruncated reads the halves of a window whose response had too many rows or took too
// long. err is the error of that response.
func (c *Cycle) readTruncated(
	ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, rows int, err error,
) (int, error) {
	if errors.Is(err, errSuspect) {
		return c.verify(ctx, w, sink, mode, rows)
	}
	halvesRows, splitErr := c.readHalves(ctx, w, sink, mode)
	if splitErr != nil || Result(err) == wolkvox.Timeout {
		return halvesRows, splitErr
	}
	c.countTruncated(halvesRows < rows || len(w.Split()) == 0)
	return max(rows, halvesRows), nil
}

// verify reads the halves of a window whose response may be truncated.
func (c *Cycle) verify(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, rows int) (int, error) {
	announced := c.reader.report.LastResponse().Announced
	halves := &distinctSink{RowSink: sink, chats: map[wolkvox.ID]struct{}{}}
	halvesRows, err := c.readHalves(ctx, w, halves, mode)
	if err != nil {
		return halvesRows, err
	}
	chats := len(halves.chats)
	if windowLength(w) < 3*time.Second && chats <= rows {
		// The halves of so short a window may show less than the window.
		if rows >= minRound && c.reader.limit.trusts(rows, announced) {
			c.countTruncated(true)
		}
		return rows, nil
	}
	if c.reader.limit.learn(rows, chats, announced) {
		c.countTruncated(false)
		c.reader.adaptSpan(w, rows, errTruncated, 0)
	}
	return max(rows, halvesRows), nil
}

// countTruncated counts a truncated window, and a second with missing chats if missing is
// true.
func (c *Cycle) countTruncated(missing bool) {
	c.reader.counts.TruncatedWindows++
	if missing {
		c.reader.counts.TruncatedSeconds++
		c.stats.Overfull++
	}
}

// WarnOfOverfull warns if windows of the cycle are truncated and too short to split.
func (c *Cycle) WarnOfOverfull(w *fault.Warning) {
	w.Set(c.reader.options.Logger, c.stats.Overfull > 0, "windows of a second hold more chats than one response: chats there are missing", "windows", c.stats.Overfull)
}

// distinctSink passes rows on and remembers the IDs of their chats.
type distinctSink struct {
	RowSink
	chats map[wolkvox.ID]struct{}
}

// Apply implements RowSink.
func (s *distinctSink) Apply(chat *wolkvox.Chat, mode ledger.Mode) {
	s.chats[chat.ID] = struct{}{}
	s.RowSink.Apply(chat, mode)
}

// decideTruncated splits a window until the limit of splits.
func (c *Cycle) decideTruncated() decision {
	limit := maxSplits
	if errors.Is(c.lastErr, errTruncated) || Result(c.lastErr) == wolkvox.TooLarge {
		limit = maxSplitsWhileTruncated
	}
	if c.splits >= limit {
		return decision{wait: quotaProbeInterval}
	}
	c.splits++
	return decision{action: splitWindow}
}
