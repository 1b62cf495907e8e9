package poller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// margin is how much longer a chat is remembered than any window reaches back: an hour
// for the wall clock and an hour for ours, by which either may be set back.
const margin = 2 * time.Hour

// cycle is one run of the poll loop: a poll, and a reconcile if one is due.
type cycle struct {
	began   time.Time
	to      time.Time // the whole second that the poll reads up to
	from    time.Time // how far back the poll reads
	reading *reader.Cycle
	rows    [ledger.Outcomes]uint64
}

func (p *Poller) newCycle() *cycle {
	now := time.Now()
	to := now.Truncate(time.Second)
	return &cycle{began: now, to: to, reading: p.reader.NewCycle(now, to, p.polling.Err)}
}

// poll brings the ledger up to now, and reconciles when that is due.
func (p *Poller) poll(ctx context.Context) {
	c := p.newCycle()
	err := p.pollReport(ctx, c)
	if ctx.Err() != nil {
		return
	}
	p.status.Up = err == nil
	if err != nil {
		p.polling.Begin(p.logger, "polling", err, "result", orNone(reader.Result(err)))
		p.finish(c)
		return
	}
	p.polling.End(p.logger, "polling")
	p.status.Ready = true
	p.status.LastPoll = c.to

	// While reconciles fail, they are retried within the budget.
	if p.reconcileDue(c) && (p.reconciling.Err == nil || p.reader.TakeExtra()) {
		c.reading.BeginTask(p.reconciling.Err)
		before := p.snapshot.Load().View
		err := p.reconcile(ctx, c)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.reconciling.Begin(p.logger, "reconciling", err, "result", orNone(reader.Result(err)))
		} else {
			p.reconciling.End(p.logger, "reconciling")
			p.warnOfLateness(c, p.snapshot.Load().View.Counts.Late-before.Counts.Late, before.Progress.Reconciled)
		}
	}
	p.status.Rows = c.rows
	p.finish(c)
}

// finish publishes and logs the result of a cycle.
func (p *Poller) finish(c *cycle) {
	lasting := p.polling
	if lasting.Err == nil {
		lasting = p.reconciling
	}
	p.status.Failure, p.status.Result, p.status.FailingSince = "", reader.Result(lasting.Err), lasting.Since
	if lasting.Err != nil {
		p.status.Failure = lasting.Err.Error()
		p.status.LastFailure = status.LastFailure{At: time.Now(), Result: p.status.Result}
	}
	stats := c.reading.Stats()
	if stats.NewestEnd != 0 {
		p.status.NewestEnd = stats.NewestEnd.In(p.options.Zone)
	}
	p.noteKeys(&stats)
	p.publish(p.snapshot.Load().View)

	p.warn(&stats)
	if p.status.Up || stats.Overfull > 0 { // Otherwise it is unknown.
		c.reading.WarnOfOverfull(&p.warnings.overfull)
	}
	if !p.status.Up {
		return
	}
	line := []any{"msg", "polled", "until", c.to.UTC().Format(time.RFC3339), "requests", stats.Requests}
	for outcome, n := range c.rows {
		line = append(line, ledger.Outcome(outcome), n)
	}
	level.Info(p.logger).Log(append(line, "took", time.Since(c.began).Round(time.Millisecond))...)
}

// pollReport reads the report since the last poll, or for the first time.
func (p *Poller) pollReport(ctx context.Context, c *cycle) error {
	if p.ledger.Progress().CompleteUntil.IsZero() {
		return p.start(ctx, c)
	}
	return p.catchUp(ctx, c)
}

// start counts the window before the very first start. What is older is left to
// the first reconcile, to be remembered, so that no later window counts it.
func (p *Poller) start(ctx context.Context, c *cycle) error {
	o := p.options
	longest := o.Overlap
	if o.ReconcileInterval > 0 {
		longest = max(longest, maxReconcileSpan(o.ReconcileInterval, o.ReconcileWindow))
	}
	c.from = c.to.Add(-o.InitialWindow)
	held, err := p.step(ctx, c, ledger.Span{From: c.from, To: c.to}, ledger.Starting, func(t *ledger.Transaction, held bool) {
		now := p.completeLimit(c, c.to)
		p.polledUntil = now
		if held {
			p.polledUntil = now.Add(-o.InitialWindow)
		}
		t.Progress = ledger.Progress{
			CompleteUntil: p.completeUntil(p.polledUntil),
			Reconciled:    now,
			Began:         p.local(now),
			Seed:          ledger.Span{From: now.Add(-longest), To: now.Add(-o.InitialWindow)},
			Zone:          o.Zone.String(),
			Keys:          c.reading.Stats().Keys,
		}
	})
	switch {
	case err != nil:
		return err
	case o.InitialWindow == 0:
		// Nothing was asked yet: whether the API answers is still to be seen.
		return p.reconcile(ctx, c)
	case held:
		return c.reading.Failure()
	default:
		return nil
	}
}

// catchUp reads from the last poll, less the overlap, to now.
func (p *Poller) catchUp(ctx context.Context, c *cycle) error {
	progress := p.ledger.Progress()
	// Our clock may have been set back.
	cursor := earlier(later(progress.CompleteUntil, p.polledUntil), c.to)
	from := cursor.Add(-p.options.Overlap)
	oldest := c.to.Add(-p.catchUpLimit())
	skipped := max(0, oldest.Sub(cursor))
	if skipped > 0 {
		from = oldest
	}
	if seedPending(progress) {
		// What is older must be remembered before it is read.
		from = later(from, progress.Seed.To)
	}
	c.from = from
	anyHeld, polled := false, p.polledUntil
	for span := range p.reader.Spans(from, c.to) {
		held, err := p.step(ctx, c, span, ledger.Polling, func(t *ledger.Transaction, held bool) {
			if !held && !anyHeld {
				polled = p.completeLimit(c, later(cursor, span.To))
				t.Progress.CompleteUntil = p.completeUntil(polled)
			}
		})
		if err != nil {
			return err
		}
		p.polledUntil = polled
		anyHeld = anyHeld || held
		p.reader.SetReadUntil(p.completeLimit(c, span.To))
		if skipped > 0 {
			p.status.Skipped += skipped
			level.Warn(p.logger).Log("msg", "chats of a time beyond the catch-up limit are not fetched", "from", cursor.UTC().Format(time.RFC3339), "to", oldest.UTC().Format(time.RFC3339))
			skipped = 0
		}
	}
	if anyHeld {
		return c.reading.Failure()
	}
	return nil
}

// step reads a span, counts its rows, saves the ledger and publishes it. advance is called
// with whether a part of the span is held: still to be read. Then it must not declare the
// span complete.
func (p *Poller) step(
	ctx context.Context, c *cycle, span ledger.Span, mode ledger.Mode, advance func(t *ledger.Transaction, held bool),
) (held bool, err error) {
	t := p.ledger.Begin(p.local(time.Now()))
	before := t.Counts().Records
	read, err := c.reading.Read(ctx, wolkvox.Windows(span.From, span.To, p.options.Zone), t.Progress.Gaps, t, mode)
	if err != nil {
		return false, err
	}
	stats := c.reading.Stats()
	if err := checkKeys(&stats, t.Progress.Keys); err != nil {
		return false, err
	}
	t.Progress.Keys |= stats.Keys
	asked := stats.Requests > 0
	if asked {
		p.probeZone(ctx, c) // The API has just answered.
	}
	advance(t, read.Held)
	t.Progress.Gaps = read.Gaps
	if asked && p.clocksAgree() {
		horizon := p.horizon(t.Progress)
		t.Forget(horizon)
		t.Progress.Gaps = slices.DeleteFunc(t.Progress.Gaps, func(g ledger.Gap) bool { return g.Window.To < horizon })
	}
	t.Stamp(time.Now())
	state, err := t.Marshal()
	if err != nil {
		return false, err
	}
	if err := p.store.Save(state); err != nil {
		return false, &saveError{err}
	}
	t.Commit()
	for outcome, n := range t.Counts().Records {
		c.rows[outcome] += n - before[outcome]
	}
	c.reading.ReportSkipped(read.Skipped)
	p.publish(p.ledger.View())
	return read.Held, nil
}

// saveError is why the state was not saved. Its type sets it apart from an error of the
// same number that another file has.
type saveError struct{ err error }

// Error implements error.
func (e *saveError) Error() string { return fmt.Sprintf("saving the state: %s", e.err) }

// Unwrap returns the store's error.
func (e *saveError) Unwrap() error { return e.err }

// horizon returns the end of the oldest chat that a window may still show.
func (p *Poller) horizon(progress ledger.Progress) wolkvox.LocalTime {
	o := &p.options
	oldest := progress.CompleteUntil.Add(-o.ReconcileWindow)
	if o.ReconcileInterval > 0 {
		last := earlier(progress.CompleteUntil, progress.Reconciled)
		oldest = reconcileReach(last, progress.CompleteUntil, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	}
	return p.local(oldest.Add(-o.Overlap - margin))
}

// local returns the operation's wall clock at t.
func (p *Poller) local(t time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(t.In(p.options.Zone))
}
