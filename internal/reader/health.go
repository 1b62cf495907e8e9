package reader

import (
	"context"
	"net/http"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// maxUnreadable is how many unreadable responses there may be one after the other
	// before a readable window is asked for again.
	maxUnreadable = 4
	// probeInterval is how many polls apart an API whose fault lasts is asked for
	// another window.
	probeInterval = 6
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

// health is what a cycle knows about the readable part of the report.
type health struct {
	control     *wolkvox.Window // the shortest window that was readable
	rowsRead    int             // rows of readable responses
	failedInRow int             // unreadable responses since the last readable one
}

// setReadable notes a response that was read.
func (c *Cycle) setReadable(w wolkvox.Window, rows int) {
	c.health.rowsRead += rows
	c.health.failedInRow = 0
	if c.health.control == nil || lengthOf(w) < lengthOf(*c.health.control) {
		c.health.control = &w
	}
}

// setUnreadable notes a response that could not be read.
func (c *Cycle) setUnreadable(w wolkvox.Window, err error) {
	c.unreadable[w] = err
	c.reader.lastUnreadable = err
	c.health.failedInRow++
}

// confirmHealthy returns nil if windows other than w can be read, and otherwise the
// failure of w, which is then the API's.
func (c *Cycle) confirmHealthy(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, failure error) error {
	if c.health.control != nil && c.health.failedInRow < maxUnreadable {
		return nil
	}
	probes := probesOf(w)
	switch {
	case c.health.control != nil:
		probes = []wolkvox.Window{*c.health.control}
	case !c.probeDue():
		return failure
	case c.lasting != nil:
		probes = probes[:1]
	}
	c.reader.probed = c.began
	for _, probe := range probes {
		if !c.reader.TakeExtra() {
			return failure
		}
		c.failed = 0
		rows, err := c.request(ctx, probe, sink, mode)
		if ctx.Err() != nil {
			return err
		}
		if err == nil || isTruncated(err) {
			c.setReadable(probe, rows)
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

// isUnreadable reports whether this cycle met an unreadable response that shows a part of
// a window.
func (c *Cycle) isUnreadable(w wolkvox.Window) bool {
	for other := range c.unreadable {
		if overlap(other, w) {
			return true
		}
	}
	return false
}

// probeDue reports whether it is time to ask for something else than what fails, which is
// seldom while a fault lasts.
func (c *Cycle) probeDue() bool {
	return c.lasting == nil || c.reader.probed.Equal(c.began) || time.Since(c.reader.probed) >= probeInterval*c.reader.options.Interval
}
