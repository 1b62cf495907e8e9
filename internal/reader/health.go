package reader

import (
	"context"
	"net/http"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// maxUnreadable is the number of unreadable responses in a row after which a readable
	// window is requested again.
	maxUnreadable = 4
	// probeInterval is the number of polls between requests for another window while a
	// fault lasts.
	probeInterval = 6
)

// mayBeRowFault reports whether a row of the window may be the cause of a failure: the
// response began and could not be read, or the server failed.
func mayBeRowFault(failure *wolkvox.Error) bool {
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

// health describes which windows of the report a cycle could read.
type health struct {
	control         *wolkvox.Window // the shortest readable window
	rowsRead        int             // rows of readable responses
	unreadableInRow int             // unreadable responses since the last readable one
}

// setReadable records a readable response.
func (c *Cycle) setReadable(w wolkvox.Window, rows int) {
	c.health.rowsRead += rows
	c.health.unreadableInRow = 0
	if c.health.control == nil || windowLength(w) < windowLength(*c.health.control) {
		c.health.control = &w
	}
}

// setUnreadable records an unreadable response.
func (c *Cycle) setUnreadable(w wolkvox.Window, err error) {
	c.unreadable[w] = err
	c.reader.lastUnreadable = err
	c.health.unreadableInRow++
}

// confirmHealthy returns nil if windows other than w can be read. Otherwise the API is down,
// and it returns the failure of w.
func (c *Cycle) confirmHealthy(ctx context.Context, w wolkvox.Window, sink RowSink, mode ledger.Mode, failure error) error {
	if c.health.control != nil && c.health.unreadableInRow < maxUnreadable {
		return nil
	}
	probes := probeWindows(w)
	switch {
	case c.health.control != nil:
		probes = []wolkvox.Window{*c.health.control}
	case !c.probeDue():
		return failure
	case c.lastErr != nil:
		probes = probes[:1]
	}
	c.reader.probedAt = c.began
	for _, probe := range probes {
		if !c.reader.AcquireExtra() {
			return failure
		}
		c.failedInRow = 0
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

// probeWindows returns two short windows, one at each end of w, the newer one first. If w
// is short itself, they are before it.
func probeWindows(w wolkvox.Window) []wolkvox.Window {
	const length, shortest = 2, 8
	if w.To-w.From < shortest {
		return []wolkvox.Window{{From: w.From - 4, To: w.From - 2}, {From: w.From - 8, To: w.From - 6}}
	}
	return []wolkvox.Window{{From: w.To - length, To: w.To}, {From: w.From, To: w.From + length}}
}

// isUnreadable reports whether a part of a window was unreadable in this cycle.
func (c *Cycle) isUnreadable(w wolkvox.Window) bool {
	for other := range c.unreadable {
		if overlap(other, w) {
			return true
		}
	}
	return false
}

// probeDue reports whether to request a window other than the failing one. While a fault
// lasts, that is seldom.
func (c *Cycle) probeDue() bool {
	return c.lastErr == nil || c.reader.probedAt.Equal(c.began) || time.Since(c.reader.probedAt) >= probeInterval*c.reader.options.Interval
}
