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
	// errCut is a response with as many rows as the API shows at most. It only gets
	// out of a cycle whose windows are truncated however short they are.
	errCut = errors.New("far too many responses are truncated at the API's row limit")
	// errSuspect is a response that may be truncated: the window's halves will show it.
	errSuspect = errors.New("the response may be truncated")
)

// isTruncated reports whether a response's window is to be split for its many rows.
func isTruncated(err error) bool {
	return errors.Is(err, errCut) || errors.Is(err, errSuspect) || Result(err) == wolkvox.TooLarge
}

const (
	// minRound and minRepeated are the smallest numbers of rows that look like a limit: a
	// round one, and one that another response had which was the largest until then.
	minRound, minRepeated = 50, 20
	// maxFalseAnnouncements is how often in a row msg may name more rows than the
	// window turned out to hold before it is no longer believed.
	maxFalseAnnouncements = 3
)

// rowLimit is what is known of how many rows a response can have. The vendor states
// 60,000; a server may truncate at fewer, and says so or not. The zero value knows the
// vendor's limit alone.
type rowLimit struct {
	found    int // the number of rows of a response that was truncated; 0 if none was
	largest  int // rows of the largest response that was not
	verified int // a number of rows like that of largest which was no limit
	falsely  int // how often in a row msg named more rows than there were
}

// rows returns how many rows a response has at most.
func (l *rowLimit) rows() int {
	if l.found > 0 {
		return l.found
	}
	return wolkvox.MaxRows
}

// check returns errCut for a response that is truncated, and errSuspect for one that
// may be: by the number of rows that its msg names, -1 for none, by a round number of
// rows, or as another response had as many and none had more.
func (l *rowLimit) check(rows, announced int) error {
	if rows > l.found {
		l.found = 0 // The server's limit was raised, or it was none.
	}
	switch {
	case rows >= l.rows():
		return errCut
	case l.believes(rows, announced):
		return errSuspect
	case rows >= minRound && isRound(rows), rows >= minRepeated && rows == l.largest && rows != l.verified:
		return errSuspect
	}
	l.largest = max(l.largest, rows)
	return nil
}

// believes reports whether a msg that names more rows than there are is to be believed.
func (l *rowLimit) believes(rows, announced int) bool {
	return announced > rows && l.falsely < maxFalseAnnouncements
}

// isRound reports whether n is a number that people choose as a limit.
func isRound(n int) bool { return n%50 == 0 || n&(n-1) == 0 || n&(n+1) == 0 }

// learn is told how many rows a suspected response had, and how many different chats the
// window's halves showed. It reports whether the response was truncated. Between the
// requests a few chats may have come.
func (l *rowLimit) learn(rows, chats, announced int) bool {
	if chats > rows+rows/50+1 {
		l.found, l.falsely = rows, 0
		return true
	}
	if announced > rows {
		l.falsely++
	}
	if rows == l.largest && chats <= rows {
		l.verified = rows
	}
	l.largest = max(l.largest, rows)
	return false
}

// readTruncated reads the halves of a window that brought as many rows as err says,
// or took too long.
func (c *Cycle) readTruncated(
	ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, rows int, err error,
) (int, error) {
	if errors.Is(err, errSuspect) {
		return c.verify(ctx, w, sink, mode, rows)
	}
	parts, splitErr := c.readHalves(ctx, w, sink, mode)
	if splitErr != nil || Result(err) == wolkvox.Timeout {
		return parts, splitErr
	}
	c.countTruncated(parts < rows || len(w.Split()) == 0)
	return max(rows, parts), nil
}

// verify reads the halves of a window whose response may be truncated.
func (c *Cycle) verify(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, rows int) (int, error) {
	announced := c.reader.report.LastResponse().Announced
	halves := &distinctSink{RowSink: sink, chats: map[wolkvox.ID]struct{}{}}
	parts, err := c.readHalves(ctx, w, halves, mode)
	if err != nil {
		return parts, err
	}
	chats := len(halves.chats)
	if lengthOf(w) < 3*time.Second && chats <= rows {
		// The halves of so short a window may show less than it: they prove nothing.
		if rows >= minRound && c.reader.limit.believes(rows, announced) {
			c.countTruncated(true)
		}
		return rows, nil
	}
	if c.reader.limit.learn(rows, chats, announced) {
		c.countTruncated(false)
		c.reader.adaptSpan(w, rows, errCut, 0)
	}
	return max(rows, parts), nil
}

// countTruncated counts a truncated window, and whether chats of it are missing.
func (c *Cycle) countTruncated(missing bool) {
	c.reader.counts.TruncatedWindows++
	if missing {
		c.reader.counts.TruncatedSeconds++
		c.stats.Overfull++
	}
}

// WarnOfOverfull warns if windows of the cycle could not be split far enough.
func (c *Cycle) WarnOfOverfull(w *fault.Warning) {
	w.Set(c.reader.options.Logger, c.stats.Overfull > 0, "windows of a second hold more chats than one response: chats there are missing", "windows", c.stats.Overfull)
}

// distinctSink also remembers which chats it was given.
type distinctSink struct {
	RowSink
	chats map[wolkvox.ID]struct{}
}

// Apply implements RowSink.
func (s *distinctSink) Apply(chat *wolkvox.Chat, mode ledger.Mode) {
	s.chats[chat.ID] = struct{}{}
	s.RowSink.Apply(chat, mode)
}

// decideTruncated splits a window, with an end.
func (c *Cycle) decideTruncated() decision {
	limit := maxSplits
	if errors.Is(c.lasting, errCut) || Result(c.lasting) == wolkvox.TooLarge {
		limit = fewSplits
	}
	if c.splits >= limit {
		return decision{wait: quotaProbe}
	}
	c.splits++
	return decision{action: splitWindow}
}
