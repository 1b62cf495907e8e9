package reader

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// One chat can make every response that holds it unreadable: PHP's json_encode returns
// nothing if a customer's name is not UTF-8. So a window that cannot be read, while others
// can, is narrowed down to gaps: unreadable windows of one second. The time around them is
// read and counted. Each poll requests a gap again. After [skipAfter] polls it is skipped,
// and only reconciles request it. Until then its span is incomplete.
//
// An API that is down causes no gap: before a window is narrowed, and while no part of it
// can be read, another window must be readable.

const (
	// skipAfter is the number of polls with an unreadable gap after which it is skipped.
	skipAfter = 3
	// skipWithoutRowsAfter is the same if no row could be read: an hour of polls.
	skipWithoutRowsAfter = 12
	// reservedForNarrowing is the part of the budget that polls keep for narrowing. They use
	// no more than the rest for windows that were read before.
	reservedForNarrowing = MaxExtra / 2
)

// narrow reads the readable parts of an unreadable window. It adds the gaps in it to the
// cycle's.
func (c *Cycle) narrow(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) error {
	gap := ledger.Gap{Window: w, Seeding: mode == ledger.Seeding}
	if i := c.gapIndex(w); i >= 0 {
		gap = c.gaps[i]
		c.removeGap(w)
	}
	c.narrowDepth++
	defer func() { c.narrowDepth-- }()
	unreadable := 0
	for i, half := range w.Split() {
		if _, known := c.unreadable[half]; !known {
			if !c.reader.extraBudget.hasMoreThan(0, c.reader.options.Interval) {
				c.addGap(ledger.Gap{Window: half, Seeding: gap.Seeding}) // The next poll continues with it.
				unreadable++
				continue
			}
			if err := c.readHalf(ctx, w, half, i == 1 && unreadable == 0, sink, mode); err != nil {
				return err
			}
		}
		if _, failed := c.unreadable[half]; failed {
			unreadable++
		}
	}
	if unreadable == 0 && windowLength(w) < 3*time.Second {
		// The API leaves out the ends of a window, so the halves show less than w.
		gap.Minimal = true
		gap.Polls++
		c.addGap(gap)
	}
	return nil
}

// readHalf reads a half of an unreadable window. If only this half can be the unreadable
// one, it is narrowed without a request. A half of the outermost window is always
// requested: if the failure was transient, that costs fewer requests.
func (c *Cycle) readHalf(ctx context.Context, w, half wolkvox.Window, isLastSuspect bool, sink RowSink, mode ledger.Mode) error {
	if isLastSuspect && c.narrowDepth > 1 && half.To-half.From >= 3 {
		c.unreadable[half] = c.unreadable[w]
		return c.narrow(ctx, half, sink, mode)
	}
	c.reader.AcquireExtra()
	_, err := c.read(ctx, half, sink, mode)
	return err
}

func (c *Cycle) addGap(gap ledger.Gap) {
	if i := c.gapIndex(gap.Window); i < 0 {
		c.gaps = append(c.gaps, gap)
		slices.SortFunc(c.gaps, func(a, b ledger.Gap) int { return int(a.Window.From - b.Window.From) })
	}
}

func (c *Cycle) removeGap(w wolkvox.Window) {
	if i := c.gapIndex(w); i >= 0 {
		c.gaps = slices.Delete(c.gaps, i, i+1)
	}
}

// gapIndex returns the index of a window among the cycle's gaps, or -1.
func (c *Cycle) gapIndex(w wolkvox.Window) int {
	return slices.IndexFunc(c.gaps, func(g ledger.Gap) bool { return g.Window == w })
}

// readAround reads a window without the gaps in it, and then those gaps that are due.
func (c *Cycle) readAround(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) error {
	var skipped, open []ledger.Gap
	for _, gap := range c.gaps {
		switch {
		case !overlap(gap.Window, w):
		case gap.Skipped:
			skipped = append(skipped, gap)
		default:
			open = append(open, gap)
		}
	}
	err := c.readPieces(around(w, skipped), mode, func(piece wolkvox.Window) error {
		return c.readWithOpenGaps(ctx, piece, open, sink, mode)
	})
	if err != nil || mode == ledger.Polling {
		return err
	}
	return c.readGaps(ctx, skipped, sink, mode)
}

// readPieces reads the windows between gaps. If the budget is short, a poll leaves out those
// that were read before, and any other mode defers the rest.
func (c *Cycle) readPieces(pieces []wolkvox.Window, mode ledger.Mode, read func(wolkvox.Window) error) error {
	for i, piece := range pieces {
		if mode == ledger.Polling && i < len(pieces)-1 && c.wasRead(piece) {
			if !c.reader.extraBudget.hasMoreThan(reservedForNarrowing, c.reader.options.Interval) {
				continue
			}
			c.reader.AcquireExtra()
		}
		if i > 0 && mode != ledger.Polling && !c.reader.AcquireExtra() {
			c.deferred = true
			return nil
		}
		if err := read(piece); err != nil {
			return err
		}
	}
	return nil
}

// readWithOpenGaps reads a window with gaps that are not skipped. It requests the whole
// window first, as it may have become readable. If it has not, it reads the windows between
// the gaps, and then the gaps.
func (c *Cycle) readWithOpenGaps(ctx context.Context, w wolkvox.Window, gaps []ledger.Gap, sink RowSink, mode ledger.Mode) error {
	gaps = slices.DeleteFunc(slices.Clone(gaps), func(g ledger.Gap) bool { return !overlap(g.Window, w) })
	if len(gaps) == 0 {
		_, err := c.read(ctx, w, sink, mode)
		return err
	}
	readBetween := func() error {
		err := c.readPieces(around(w, gaps), mode, func(piece wolkvox.Window) error {
			_, err := c.read(ctx, piece, sink, mode)
			return err
		})
		if err != nil {
			return err
		}
		return c.readGaps(ctx, gaps, sink, mode)
	}
	if !c.probeDue() {
		return readBetween()
	}
	c.reader.probedAt = c.began
	if _, err := c.readOr(ctx, w, sink, mode, readBetween); err != nil {
		return err
	}
	for _, gap := range gaps {
		if w.From <= gap.Window.From && gap.Window.To <= w.To && !c.isUnreadable(gap.Window) {
			c.removeGap(gap.Window)
		}
	}
	return nil
}

func (c *Cycle) readGaps(ctx context.Context, gaps []ledger.Gap, sink RowSink, mode ledger.Mode) error {
	for _, gap := range gaps {
		if err := c.readGap(ctx, gap, sink, mode); err != nil {
			return err
		}
	}
	return nil
}

// readGap requests a gap again. If it is readable now, it is removed.
func (c *Cycle) readGap(ctx context.Context, gap ledger.Gap, sink RowSink, mode ledger.Mode) error {
	if gap.Seeding {
		mode = ledger.Seeding
	}
	if _, known := c.unreadable[gap.Window]; known {
		return nil
	}
	if gap.Skipped && !c.reader.AcquireGapRequest() || !gap.Skipped && !c.reader.AcquireExtra() {
		return nil
	}
	_, err := c.readOr(ctx, gap.Window, sink, mode, func() error {
		if !gap.Minimal {
			return c.narrow(ctx, gap.Window, sink, mode)
		}
		gap.Polls++
		c.removeGap(gap.Window)
		c.addGap(gap)
		return nil
	})
	if _, failed := c.unreadable[gap.Window]; err == nil && !failed {
		c.removeGap(gap.Window)
		if gap.Skipped {
			level.Info(c.reader.options.Logger).Log("msg", "a skipped second of the report can be read again", "window", gap.Window)
		}
	}
	return err
}

func overlap(a, b wolkvox.Window) bool { return a.From <= b.To && b.From <= a.To }

// around returns the windows of w between the gaps, which are in the order of their starts.
// At a gap each ends where the readable half did when the gap was narrowed, see
// [wolkvox.Window.Split].
func around(w wolkvox.Window, gaps []ledger.Gap) []wolkvox.Window {
	var pieces []wolkvox.Window
	from := w.From
	for i, gap := range gaps {
		inside := min(gap.Window.To-gap.Window.From, 2) - 1
		between := i == 0 || gaps[i-1].Window.To <= gap.Window.From
		if to := gap.Window.From + inside; from < to && between {
			pieces = append(pieces, wolkvox.Window{From: from, To: to})
		}
		from = max(from, gap.Window.To-inside)
	}
	if last := len(gaps) - 1; from < w.To && (last < 0 || gaps[last].Window.To < w.To) {
		pieces = append(pieces, wolkvox.Window{From: from, To: w.To})
	}
	return pieces
}

// local returns the operation's wall clock at t.
func (r *Reader) local(t time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(t.In(r.options.Zone))
}

// wasRead reports whether earlier polls have read all of a window except gaps.
func (c *Cycle) wasRead(w wolkvox.Window) bool {
	const maxChange = 3 * time.Hour // more than any clock is set back
	steady := c.reader.local(c.to)-c.reader.local(c.to.Add(-maxChange)) == wolkvox.LocalTime(maxChange/time.Second)
	return steady && w.To < c.reader.local(c.reader.readUntil)
}

// isIncomplete reports whether a part of these windows is still to be read: a deferred one,
// or a gap that is not skipped.
func (c *Cycle) isIncomplete(windows []wolkvox.Window) bool {
	return c.deferred || slices.ContainsFunc(c.gaps, func(gap ledger.Gap) bool {
		return !gap.Skipped && slices.ContainsFunc(windows, func(w wolkvox.Window) bool { return overlap(gap.Window, w) })
	})
}

// skipGaps skips the gaps that were unreadable in enough polls, and returns them. If no row
// was read, the API may fail at every row, so more polls are needed.
func (c *Cycle) skipGaps() (skipped []ledger.Gap) {
	minPolls := skipAfter
	if c.health.rowsRead == 0 {
		minPolls = skipWithoutRowsAfter
	}
	for i := range c.gaps {
		gap := &c.gaps[i]
		if gap.Minimal && !gap.Skipped && gap.Polls >= minPolls {
			gap.Skipped = true
			skipped = append(skipped, *gap)
		}
	}
	return skipped
}

// Failure returns the error of an incomplete span. It returns nil if only single seconds are
// left, which will be skipped. If no row was read, the API may fail at every row, so the
// error is returned even then.
func (c *Cycle) Failure() error {
	var failure error
	minimal := c.health.rowsRead > 0 && !c.deferred
	for _, gap := range c.gaps {
		if gap.Skipped {
			continue
		}
		minimal = minimal && gap.Minimal
		if err, ok := c.unreadable[gap.Window]; ok {
			failure = err
		}
	}
	switch {
	case minimal:
		return nil
	case failure == nil:
		return c.reader.lastUnreadable
	default:
		return failure
	}
}

// ReportSkipped counts and logs gaps that were skipped.
func (c *Cycle) ReportSkipped(gaps []ledger.Gap) {
	for _, gap := range gaps {
		c.reader.counts.UnreadableSeconds++
		level.Warn(c.reader.options.Logger).Log("msg", "a second of the report cannot be read and is skipped, reconciles will retry it",
			"window", gap.Window, "result", ResultLabel(c.unreadable[gap.Window]), "err", c.unreadable[gap.Window])
	}
}
