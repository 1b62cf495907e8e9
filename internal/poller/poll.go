package poller

import (
	"context"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// forgetMargin is how much longer identities are kept than any window needs them: an hour
// by which the wall clock may be set back, and an hour for our clock.
const forgetMargin = 2 * time.Hour

// cycle is one run of the poll loop: a poll, and a reconcile if one is due.
type cycle struct {
	began   time.Time
	to      time.Time // end of what the poll reads, a whole second
	from    time.Time // start of what the poll reads
	reading *reader.Cycle
	rows    [ledger.Outcomes]uint64
}

func (p *Poller) newCycle() *cycle {
	now := time.Now()
	to := now.Truncate(time.Second)
	return &cycle{began: now, to: to, reading: p.reader.NewCycle(now, to, p.polling.Err)}
}

// poll runs a cycle: it reads the report up to now, and reconciles if that is due.
func (p *Poller) poll(ctx context.Context) {
	c := p.newCycle()
	err := p.reload()
	if err == nil {
		err = p.pollReport(ctx, c)
	}
	if ctx.Err() != nil {
		return
	}
	p.status.Up = err == nil
	if err != nil {
		p.polling.Begin(p.logger, "poll", err, "result", reader.ResultLabel(err))
		p.finish(c)
		return
	}
	p.polling.End(p.logger, "poll")
	p.status.Ready = true
	p.status.LastPoll = c.to

	// While reconciles fail, they use the budget of extra requests.
	if p.reconcileDue(c) && (p.reconciling.Err == nil || p.reader.AcquireExtra()) {
		c.reading.BeginTask(p.reconciling.Err)
		before := p.shown
		err := p.reconcile(ctx, c)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.reconciling.Begin(p.logger, "reconcile", err, "result", reader.ResultLabel(err))
		} else {
			p.reconciling.End(p.logger, "reconcile")
			p.warnOfLateness(c, p.shown.Counts.Late-before.Counts.Late, before.Progress.Reconciled)
		}
	}
	p.status.Rows = c.rows
	p.finish(c)
}

// finish publishes and logs the result of a cycle.
func (p *Poller) finish(c *cycle) {
	failing := p.polling
	if failing.Err == nil {
		failing = p.reconciling
	}
	p.status.Failure, p.status.Result, p.status.FailingSince = "", reader.Result(failing.Err), failing.Since
	if failing.Err != nil {
		p.status.Failure = failing.Err.Error()
		p.status.LastFailure = status.LastFailure{At: time.Now(), Result: p.status.Result}
	}
	stats := c.reading.Stats()
	if stats.NewestEnd != 0 {
		p.status.NewestEnd = stats.NewestEnd.In(p.options.Zone)
	}
	p.trackKeys(&stats)
	p.publish(p.shown)

	p.warn(&stats)
	if p.status.Up || stats.Overfull > 0 { // Otherwise it is unknown whether windows are truncated.
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

// pollReport reads the report since the last poll, or for the first time if there was none.
func (p *Poller) pollReport(ctx context.Context, c *cycle) error {
	if p.ledger.Progress().CompleteUntil.IsZero() {
		return p.firstPoll(ctx, c)
	}
	return p.catchUp(ctx, c)
}

// firstPoll counts the initial window before the first start. The first reconcile then reads
// the time before it as the seed, so that no later window counts chats from that time.
func (p *Poller) firstPoll(ctx context.Context, c *cycle) error {
	o := p.options
	maxSpan := o.Overlap
	if o.ReconcileInterval > 0 {
		maxSpan = max(maxSpan, maxReconcileSpan(o.ReconcileInterval, o.ReconcileWindow))
	}
	c.from = c.to.Add(-o.InitialWindow)
	incomplete, err := p.step(ctx, c, ledger.Span{From: c.from, To: c.to}, ledger.Starting, func(t *ledger.Transaction, incomplete bool) {
		now := p.completeLimit(c, c.to)
		p.polledUntil = now
		if incomplete {
			p.polledUntil = now.Add(-o.InitialWindow)
		}
		t.Progress = ledger.Progress{
			CompleteUntil: p.completeUntil(p.polledUntil),
			Reconciled:    now,
			Began:         p.local(now),
			Seed:          ledger.Span{From: now.Add(-maxSpan), To: now.Add(-o.InitialWindow)},
			Zone:          o.Zone.String(),
			Keys:          c.reading.Stats().Keys,
		}
	})
	switch {
	case err != nil:
		return err
	case o.InitialWindow == 0:
		// No request was made yet, so it is unknown whether the API responds.
		return p.reconcile(ctx, c)
	case incomplete:
		return c.reading.Failure()
	default:
		return nil
	}
}

// catchUp reads the report from the last poll, less the overlap, to now.
func (p *Poller) catchUp(ctx context.Context, c *cycle) error {
	progress := p.ledger.Progress()
	// Our clock may have been set back.
	cursor := reader.Earlier(reader.Later(progress.CompleteUntil, p.polledUntil), c.to)
	from := cursor.Add(-p.options.Overlap)
	oldest := c.to.Add(-p.catchUpLimit())
	skipped := max(0, oldest.Sub(cursor))
	if skipped > 0 {
		from = oldest
	}
	if seedPending(progress) {
		// The seed must be read before any poll reads that time.
		from = reader.Later(from, progress.Seed.To)
	}
	c.from = from
	anyIncomplete, polled := false, p.polledUntil
	for span := range p.reader.Spans(from, c.to) {
		incomplete, err := p.step(ctx, c, span, ledger.Polling, func(t *ledger.Transaction, incomplete bool) {
			if !incomplete && !anyIncomplete {
				polled = p.completeLimit(c, reader.Later(cursor, span.To))
				t.Progress.CompleteUntil = p.completeUntil(polled)
			}
		})
		if err != nil {
			return err
		}
		p.polledUntil = polled
		anyIncomplete = anyIncomplete || incomplete
		p.reader.SetReadUntil(p.completeLimit(c, span.To))
		if skipped > 0 {
			p.status.Skipped += skipped
			level.Warn(p.logger).Log("msg", "chats of a time beyond the catch-up limit are not fetched", "from", cursor.UTC().Format(time.RFC3339), "to", oldest.UTC().Format(time.RFC3339))
			skipped = 0
		}
	}
	if anyIncomplete {
		return c.reading.Failure()
	}
	return nil
}

// step reads a span, counts its rows, saves the ledger and publishes it. advance changes the
// progress. If incomplete is true, a part of the span is still to be read, so advance must
// not declare the span complete.
func (p *Poller) step(
	ctx context.Context, c *cycle, span ledger.Span, mode ledger.Mode, advance func(t *ledger.Transaction, incomplete bool),
) (incomplete bool, err error) {
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
	requested := stats.Requests > 0
	if requested {
		p.probeZone(ctx, c) // The API is up: it has just responded.
	}
	advance(t, read.Incomplete)
	t.Progress.Gaps = read.Gaps
	if requested && p.clocksAgree() {
		horizon := p.horizon(t.Progress)
		t.Forget(horizon)
		t.Progress.Gaps = slices.DeleteFunc(t.Progress.Gaps, func(g ledger.Gap) bool { return g.Window.To < horizon })
	}
	t.Stamp(time.Now())
	if err := p.save(t); err != nil {
		return false, err
	}
	t.Commit()
	for outcome, n := range t.Counts().Records {
		c.rows[outcome] += n - before[outcome]
	}
	c.reading.ReportSkipped(read.Skipped)
	p.publish(p.ledger.View())
	return read.Incomplete, nil
}

// horizon returns the earliest end of a chat that a later window can return.
func (p *Poller) horizon(progress ledger.Progress) wolkvox.LocalTime {
	o := &p.options
	oldest := progress.CompleteUntil.Add(-o.ReconcileWindow)
	if o.ReconcileInterval > 0 {
		last := reader.Earlier(progress.CompleteUntil, progress.Reconciled)
		oldest = deepestReconcileFrom(last, progress.CompleteUntil, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	}
	return p.local(oldest.Add(-o.Overlap - forgetMargin))
}

// local returns the operation's wall clock at t.
func (p *Poller) local(t time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(t.In(p.options.Zone))
}
