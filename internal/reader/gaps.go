package reader

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// One chat can spoil every response that holds it: PHP's json_encode answers nothing at
// all if a customer's name is not UTF-8. So a window that cannot be read, while others
// can, is narrowed down to gaps: windows that cannot be read and not be narrowed any
// further, of one second each. What is around them is counted. A gap is asked for again
// by each poll; after [skipAfter] of them it is skipped, and only reconciles ask for it
// again. Until then the time that holds it is not complete.
//
// An API that is down makes no gap: before a window is narrowed, and while nothing of it
// can be read, another window must be readable.

const (
	// skipAfter is how many polls must find a gap unreadable before it is skipped.
	skipAfter = 3
	// skipAloneAfter is the same where no row could be read beside it: an hour of polls.
	skipAloneAfter = 12
	// reserved is the part of the allowance that polls keep to find out what cannot be
	// read: they take no more for what they read once more.
	reserved = MaxExtra / 2
)

// narrow reads what can be read of an unreadable window. The gaps in it become the cycle's.
func (c *Cycle) narrow(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode) error {
	gap := ledger.Gap{Window: w, Seeding: mode == ledger.Seeding}
	if i := c.gapOf(w); i >= 0 {
		gap = c.gaps[i]
		c.removeGap(w)
	}
	c.narrowing++
	defer func() { c.narrowing-- }()
	unreadable := 0
	for i, half := range w.Split() {
		if _, known := c.unreadable[half]; !known {
			if !c.reader.extra.has(c.reader.options.Interval, 0) {
				c.addGap(ledger.Gap{Window: half, Seeding: gap.Seeding}) // The next poll goes on with it.
				unreadable++
				continue
			}
			if err := c.readHalf(ctx, w, half, i == 1 && unreadable == 0, sink, mode); err != nil {
				return err
			}
		}
		if _, unread := c.unreadable[half]; unread {
			unreadable++
		}
	}
	if unreadable == 0 && lengthOf(w) < 3*time.Second {
		// The API leaves out the ends of a range, so the halves show less than w.
		gap.Minimal = true
		gap.Polls++
		c.addGap(gap)
	}
	return nil
}

// readHalf reads a half of an unreadable window. If it is the last that can be to blame,
// it is narrowed without being asked for; but not the half of what is asked for first, as
// what is unreadable only once is read at less cost then.
func (c *Cycle) readHalf(ctx context.Context, w, half wolkvox.Window, blamed bool, sink RowSink, mode ledger.Mode) error {
	if blamed && c.narrowing > 1 && half.To-half.From >= 3 {
		c.unreadable[half] = c.unreadable[w]
		return c.narrow(ctx, half, sink, mode)
	}
	c.reader.TakeExtra()
	_, err := c.read(ctx, half, sink, mode)
	return err
}

func (c *Cycle) addGap(gap ledger.Gap) {
	if i := c.gapOf(gap.Window); i < 0 {
		c.gaps = append(c.gaps, gap)
		slices.SortFunc(c.gaps, func(a, b ledger.Gap) int { return int(a.Window.From - b.Window.From) })
	}
}

func (c *Cycle) removeGap(w wolkvox.Window) {
	if i := c.gapOf(w); i >= 0 {
		c.gaps = slices.Delete(c.gaps, i, i+1)
	}
}

// gapOf returns the index of a window among the cycle's gaps, or -1.
func (c *Cycle) gapOf(w wolkvox.Window) int {
	return slices.IndexFunc(c.gaps, func(g ledger.Gap) bool { return g.Window == w })
}

// readAround reads a window but for the gaps in it, and then those of them that are due.
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
	err := c.readParts(around(w, skipped), mode, func(part wolkvox.Window) error {
		return c.readOpen(ctx, part, open, sink, mode)
	})
	if err != nil || mode == ledger.Polling {
		return err
	}
	return c.readGaps(ctx, skipped, sink, mode)
}

// readParts reads the parts of a window beside its gaps. If the allowance is short, a poll
// leaves out those that were read before, and any other reading leaves the rest for later.
func (c *Cycle) readParts(parts []wolkvox.Window, mode ledger.Mode, read func(wolkvox.Window) error) error {
	for i, part := range parts {
		if mode == ledger.Polling && i < len(parts)-1 && c.wasRead(part) {
			if !c.reader.extra.has(c.reader.options.Interval, reserved) {
				continue
			}
			c.reader.TakeExtra()
		}
		if i > 0 && mode != ledger.Polling && !c.reader.TakeExtra() {
			c.deferred = true
			return nil
		}
		if err := read(part); err != nil {
			return err
		}
	}
	return nil
}

// readOpen reads a window with gaps that are not skipped. It is asked for as a whole
// first: what spoiled it may be gone. If it is not, what is beside the gaps is read, and
// then they are.
func (c *Cycle) readOpen(ctx context.Context, w wolkvox.Window, gaps []ledger.Gap, sink RowSink, mode ledger.Mode) error {
	gaps = slices.DeleteFunc(slices.Clone(gaps), func(g ledger.Gap) bool { return !overlap(g.Window, w) })
	if len(gaps) == 0 {
		_, err := c.read(ctx, w, sink, mode)
		return err
	}
	beside := func() error {
		err := c.readParts(around(w, gaps), mode, func(part wolkvox.Window) error {
			_, err := c.read(ctx, part, sink, mode)
			return err
		})
		if err != nil {
			return err
		}
		return c.readGaps(ctx, gaps, sink, mode)
	}
	if !c.probeDue() {
		return beside()
	}
	c.reader.probed = c.began
	if _, err := c.readOr(ctx, w, sink, mode, beside); err != nil {
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

// readGap asks for a gap again. It stays one, is narrowed, or is read and gone.
func (c *Cycle) readGap(ctx context.Context, gap ledger.Gap, sink RowSink, mode ledger.Mode) error {
	if gap.Seeding {
		mode = ledger.Seeding
	}
	if _, known := c.unreadable[gap.Window]; known {
		return nil
	}
	if gap.Skipped && !c.reader.TakeBeside() || !gap.Skipped && !c.reader.TakeExtra() {
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
	if _, unread := c.unreadable[gap.Window]; err == nil && !unread {
		c.removeGap(gap.Window)
		if gap.Skipped {
			level.Info(c.reader.options.Logger).Log("msg", "a second that was left out can be read now", "window", gap.Window)
		}
	}
	return err
}

func overlap(a, b wolkvox.Window) bool { return a.From <= b.To && b.From <= a.To }

// around returns the windows of w that together show all of it but for the gaps, which
// are in the order of their starts. Next to a gap each ends where the window did that
// was read beside it when it was narrowed, see [wolkvox.Window.Split].
func around(w wolkvox.Window, gaps []ledger.Gap) []wolkvox.Window {
	var parts []wolkvox.Window
	from := w.From
	for i, gap := range gaps {
		inside := min(gap.Window.To-gap.Window.From, 2) - 1
		between := i == 0 || gaps[i-1].Window.To <= gap.Window.From
		if to := gap.Window.From + inside; from < to && between {
			parts = append(parts, wolkvox.Window{From: from, To: to})
		}
		from = max(from, gap.Window.To-inside)
	}
	if last := len(gaps) - 1; from < w.To && (last < 0 || gaps[last].Window.To < w.To) {
		parts = append(parts, wolkvox.Window{From: from, To: w.To})
	}
	return parts
}

// local returns the operation's wall clock at t.
func (r *Reader) local(t time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(t.In(r.options.Zone))
}

// wasRead reports whether all of a window, but for gaps, was read by earlier polls.
func (c *Cycle) wasRead(w wolkvox.Window) bool {
	const change = 3 * time.Hour // more than any clock is put back
	steady := c.reader.local(c.to)-c.reader.local(c.to.Add(-change)) == wolkvox.LocalTime(change/time.Second)
	return steady && w.To < c.reader.local(c.reader.readUntil)
}

// isHeld reports whether a part of these windows is still to be read: one that was left
// for later, or a gap that is not skipped.
func (c *Cycle) isHeld(windows []wolkvox.Window) bool {
	return c.deferred || slices.ContainsFunc(c.gaps, func(gap ledger.Gap) bool {
		return !gap.Skipped && slices.ContainsFunc(windows, func(w wolkvox.Window) bool { return overlap(gap.Window, w) })
	})
}

// skipGaps skips the gaps that were found unreadable often enough, and returns them.
// Where no row at all can be read beside them, it may be that the API fails at every row,
// so it takes longer.
func (c *Cycle) skipGaps() (skipped []ledger.Gap) {
	enough := skipAfter
	if c.health.rowsRead == 0 {
		enough = skipAloneAfter
	}
	for i := range c.gaps {
		gap := &c.gaps[i]
		if gap.Minimal && !gap.Skipped && gap.Polls >= enough {
			gap.Skipped = true
			skipped = append(skipped, *gap)
		}
	}
	return skipped
}

// Failure returns why a part of the time cannot be read that was held, or nil if what is
// left are seconds that are about to be skipped. Where no row could be read beside them
// it may be that the API fails at every row.
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
		level.Warn(c.reader.options.Logger).Log("msg", "a second of the report cannot be read and is left out, reconciles will try it again",
			"window", gap.Window, "result", orNone(Result(c.unreadable[gap.Window])), "err", c.unreadable[gap.Window])
	}
}
