package poller

import (
	"context"
	"net/http"
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
	// maxUnreadable is how many unreadable responses there may be one after the other
	// before a readable window is asked for again.
	maxUnreadable = 4
	// probeInterval is how many polls apart an API whose fault lasts is asked for
	// another window.
	probeInterval = 6
	// reserved is the part of the allowance that polls keep to find out what cannot be
	// read: they take no more for what they read once more.
	reserved = maxExtra / 2
)

// spoils reports whether a failure may be the fault of a row in the window: its response
// began and could not be read, or the server failed over it.
func spoils(failure *wolkvox.Error) bool {
	switch failure.Result {
	case wolkvox.Malformed:
		return true
	case wolkvox.ServerError:
		return failure.RetryAfter == 0
	case wolkvox.Network, wolkvox.Timeout:
		return failure.Status == http.StatusOK
	default:
		return false
	}
}

// health is what a run knows of the API beside what cannot be read.
type health struct {
	control    *wolkvox.Window // the shortest window that was readable
	rowsRead   int             // rows of readable responses
	unreadable int             // responses that were not, since the last that was
}

// setReadable notes a response that was read.
func (r *run) setReadable(w wolkvox.Window, rows int) {
	r.rowsRead += rows
	r.health.unreadable = 0
	if r.control == nil || lengthOf(w) < lengthOf(*r.control) {
		r.control = &w
	}
}

// setUnreadable notes a response that could not be read.
func (r *run) setUnreadable(w wolkvox.Window, err error) {
	r.unreadable[w] = err
	r.spoiled = err
	r.health.unreadable++
}

// confirmHealthy returns nil if windows other than w can be read, and otherwise the
// failure of w, which is then the API's.
func (r *run) confirmHealthy(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading, failure error) error {
	if r.control != nil && r.health.unreadable < maxUnreadable {
		return nil
	}
	probes := probesOf(w)
	switch {
	case r.control != nil:
		probes = []wolkvox.Window{*r.control}
	case !r.probeDue():
		return failure
	case r.lasting.Err != nil:
		probes = probes[:1]
	}
	r.probed = r.began
	for _, probe := range probes {
		if !r.extra.take(r.options.Interval) {
			return failure
		}
		r.failed = 0
		rows, err := r.request(ctx, probe, sink, reading)
		if ctx.Err() != nil {
			return err
		}
		if err == nil || isTruncated(err) {
			r.setReadable(probe, rows)
			return nil
		}
	}
	return failure
}

// probesOf returns two short windows, one at each end of w, the newer one first. Where w
// is short itself they are before it.
func probesOf(w wolkvox.Window) []wolkvox.Window {
	const length, shortest = 2, 8
	if w.To-w.From < shortest {
		return []wolkvox.Window{{From: w.From - 4, To: w.From - 2}, {From: w.From - 8, To: w.From - 6}}
	}
	return []wolkvox.Window{{From: w.To - length, To: w.To}, {From: w.From, To: w.From + length}}
}

// narrow reads what can be read of an unreadable window. The gaps in it become the run's.
func (r *run) narrow(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading) error {
	gap := ledger.Gap{Window: w, Seeding: reading == ledger.Seeding}
	if i := r.gapOf(w); i >= 0 {
		gap = r.gaps[i]
		r.removeGap(w)
	}
	r.narrowing++
	defer func() { r.narrowing-- }()
	unreadable := 0
	for i, half := range w.Split() {
		if _, known := r.unreadable[half]; !known {
			if !r.extra.has(r.options.Interval, 0) {
				r.addGap(ledger.Gap{Window: half, Seeding: gap.Seeding}) // The next poll goes on with it.
				unreadable++
				continue
			}
			if err := r.readHalf(ctx, w, half, i == 1 && unreadable == 0, sink, reading); err != nil {
				return err
			}
		}
		if _, unread := r.unreadable[half]; unread {
			unreadable++
		}
	}
	if unreadable == 0 && lengthOf(w) < 3*time.Second {
		// The API leaves out the ends of a range, so the halves show less than w.
		gap.Minimal = true
		gap.Polls++
		r.addGap(gap)
	}
	return nil
}

// readHalf reads a half of an unreadable window. If it is the last that can be to blame,
// it is narrowed without being asked for; but not the half of what is asked for first, as
// what is unreadable only once is read at less cost then.
func (r *run) readHalf(ctx context.Context, w, half wolkvox.Window, blamed bool, sink rowSink, reading ledger.Reading) error {
	if blamed && r.narrowing > 1 && half.To-half.From >= 3 {
		r.unreadable[half] = r.unreadable[w]
		return r.narrow(ctx, half, sink, reading)
	}
	r.extra.take(r.options.Interval)
	_, err := r.read(ctx, half, sink, reading)
	return err
}

func (r *run) addGap(gap ledger.Gap) {
	if i := r.gapOf(gap.Window); i < 0 {
		r.gaps = append(r.gaps, gap)
		slices.SortFunc(r.gaps, func(a, b ledger.Gap) int { return int(a.Window.From - b.Window.From) })
	}
}

func (r *run) removeGap(w wolkvox.Window) {
	if i := r.gapOf(w); i >= 0 {
		r.gaps = slices.Delete(r.gaps, i, i+1)
	}
}

// gapOf returns the index of a window among the run's gaps, or -1.
func (r *run) gapOf(w wolkvox.Window) int {
	return slices.IndexFunc(r.gaps, func(g ledger.Gap) bool { return g.Window == w })
}

// readAround reads a window but for the gaps in it, and then those of them that are due.
func (r *run) readAround(ctx context.Context, w wolkvox.Window, sink rowSink, reading ledger.Reading) error {
	var skipped, open []ledger.Gap
	for _, gap := range r.gaps {
		switch {
		case !overlap(gap.Window, w):
		case gap.Skipped:
			skipped = append(skipped, gap)
		default:
			open = append(open, gap)
		}
	}
	err := r.readParts(around(w, skipped), reading, func(part wolkvox.Window) error {
		return r.readOpen(ctx, part, open, sink, reading)
	})
	if err != nil || reading == ledger.Polling {
		return err
	}
	return r.readGaps(ctx, skipped, sink, reading)
}

// readParts reads the parts of a window beside its gaps. If the allowance is short, a poll
// leaves out those that were read before, and any other reading leaves the rest for later.
func (r *run) readParts(parts []wolkvox.Window, reading ledger.Reading, read func(wolkvox.Window) error) error {
	for i, part := range parts {
		if reading == ledger.Polling && i < len(parts)-1 && r.wasRead(part) {
			if !r.extra.has(r.options.Interval, reserved) {
				continue
			}
			r.extra.take(r.options.Interval)
		}
		if i > 0 && reading != ledger.Polling && !r.extra.take(r.options.Interval) {
			r.deferred = true
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
func (r *run) readOpen(ctx context.Context, w wolkvox.Window, gaps []ledger.Gap, sink rowSink, reading ledger.Reading) error {
	gaps = slices.DeleteFunc(slices.Clone(gaps), func(g ledger.Gap) bool { return !overlap(g.Window, w) })
	if len(gaps) == 0 {
		_, err := r.read(ctx, w, sink, reading)
		return err
	}
	beside := func() error {
		err := r.readParts(around(w, gaps), reading, func(part wolkvox.Window) error {
			_, err := r.read(ctx, part, sink, reading)
			return err
		})
		if err != nil {
			return err
		}
		return r.readGaps(ctx, gaps, sink, reading)
	}
	if !r.probeDue() {
		return beside()
	}
	r.probed = r.began
	if _, err := r.readOr(ctx, w, sink, reading, beside); err != nil {
		return err
	}
	for _, gap := range gaps {
		if w.From <= gap.Window.From && gap.Window.To <= w.To && !r.isUnreadable(gap.Window) {
			r.removeGap(gap.Window)
		}
	}
	return nil
}

// isUnreadable reports whether this run met an unreadable response that shows a part of
// a window.
func (r *run) isUnreadable(w wolkvox.Window) bool {
	for other := range r.unreadable {
		if overlap(other, w) {
			return true
		}
	}
	return false
}

// probeDue reports whether it is time to ask for something else than what fails, which is
// seldom while a fault lasts.
func (r *run) probeDue() bool {
	return r.lasting.Err == nil || r.probed.Equal(r.began) || time.Since(r.probed) >= probeInterval*r.options.Interval
}

func (r *run) readGaps(ctx context.Context, gaps []ledger.Gap, sink rowSink, reading ledger.Reading) error {
	for _, gap := range gaps {
		if err := r.readGap(ctx, gap, sink, reading); err != nil {
			return err
		}
	}
	return nil
}

// readGap asks for a gap again. It stays one, is narrowed, or is read and gone.
func (r *run) readGap(ctx context.Context, gap ledger.Gap, sink rowSink, reading ledger.Reading) error {
	if gap.Seeding {
		reading = ledger.Seeding
	}
	if _, known := r.unreadable[gap.Window]; known {
		return nil
	}
	if gap.Skipped && !r.takeBeside() || !gap.Skipped && !r.extra.take(r.options.Interval) {
		return nil
	}
	_, err := r.readOr(ctx, gap.Window, sink, reading, func() error {
		if !gap.Minimal {
			return r.narrow(ctx, gap.Window, sink, reading)
		}
		gap.Polls++
		r.removeGap(gap.Window)
		r.addGap(gap)
		return nil
	})
	if _, unread := r.unreadable[gap.Window]; err == nil && !unread {
		r.removeGap(gap.Window)
		if gap.Skipped {
			level.Info(r.logger).Log("msg", "a second that was left out can be read now", "window", gap.Window)
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

// takeBeside takes one of the requests that reconciles may make for gaps.
func (p *Poller) takeBeside() bool { return p.beside.take(3 * p.options.Interval) }

// wasRead reports whether all of a window, but for gaps, was read by earlier polls.
func (r *run) wasRead(w wolkvox.Window) bool {
	const change = 3 * time.Hour // more than any clock is put back
	steady := r.local(r.to)-r.local(r.to.Add(-change)) == wolkvox.LocalTime(change/time.Second)
	return steady && w.To < r.local(r.readUntil)
}

// holds reports whether a part of these windows is still to be read: one that was left
// for later, or a gap that is not skipped.
func (r *run) holds(windows []wolkvox.Window) bool {
	return r.deferred || slices.ContainsFunc(r.gaps, func(gap ledger.Gap) bool {
		return !gap.Skipped && slices.ContainsFunc(windows, func(w wolkvox.Window) bool { return overlap(gap.Window, w) })
	})
}

// skipGaps skips the gaps that were found unreadable often enough, and returns them.
// Where no row at all can be read beside them, it may be that the API fails at every row,
// so it takes longer.
func (r *run) skipGaps() (skipped []ledger.Gap) {
	enough := skipAfter
	if r.rowsRead == 0 {
		enough = skipAloneAfter
	}
	for i := range r.gaps {
		gap := &r.gaps[i]
		if gap.Minimal && !gap.Skipped && gap.Polls >= enough {
			gap.Skipped = true
			skipped = append(skipped, *gap)
		}
	}
	return skipped
}

// failure returns why a part of the time cannot be read that was held, or nil if what is
// left are seconds that are about to be skipped. Where no row could be read beside them
// it may be that the API fails at every row.
func (r *run) failure() error {
	var failure error
	minimal := r.rowsRead > 0 && !r.deferred
	for _, gap := range r.gaps {
		if gap.Skipped {
			continue
		}
		minimal = minimal && gap.Minimal
		if err, ok := r.unreadable[gap.Window]; ok {
			failure = err
		}
	}
	switch {
	case minimal:
		return nil
	case failure == nil:
		return r.spoiled
	default:
		return failure
	}
}

// reportSkipped counts and logs gaps that were skipped.
func (r *run) reportSkipped(gaps []ledger.Gap) {
	for _, gap := range gaps {
		r.status.UnreadableSeconds++
		level.Warn(r.logger).Log("msg", "a second of the report cannot be read and is left out, reconciles will try it again",
			"window", gap.Window, "result", orNone(resultOf(r.unreadable[gap.Window])), "err", r.unreadable[gap.Window])
	}
}
