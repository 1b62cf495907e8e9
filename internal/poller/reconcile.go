package poller

import (
	"context"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// reconcileCursor is how far a reconcile has come. One that failed continues there. What
// it has read by then, it has read since it began, so it reconciles up to that time.
type reconcileCursor struct {
	began, from time.Time
}

func seedPending(progress ledger.Progress) bool { return progress.Seed.From.Before(progress.Seed.To) }

func (p *Poller) reconcileDue(c *cycle) bool {
	progress, now := p.ledger.Progress(), p.completeLimit(c, c.to)
	switch {
	case seedPending(progress):
		return true
	case p.options.ReconcileInterval == 0:
		return false
	case progress.Zone != p.options.Zone.String(), progress.Reconciled.After(now):
		// With the right zone or clock, other windows show other chats.
		return true
	default:
		return now.Sub(progress.Reconciled) >= p.options.ReconcileInterval
	}
}

// reconcile reads the time before the poll: it finds chats that the API shows late, or
// under the date of their start.
func (p *Poller) reconcile(ctx context.Context, c *cycle) error {
	progress := p.ledger.Progress()
	if seedPending(progress) {
		for span := range p.reader.Spans(progress.Seed.From, progress.Seed.To) {
			held, err := p.step(ctx, c, span, ledger.Seeding, func(t *ledger.Transaction, held bool) {
				if held {
					return
				}
				t.Progress.Seed.From = span.To
				if p.clocksAgree() {
					// The wall clock may be set back to where the first start was.
					t.Forget(p.local(earlier(span.From, progress.CompleteUntil.Add(-margin))))
				}
			})
			if held {
				return c.reading.Failure()
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if now := p.completeLimit(c, c.to); p.cursor.began.IsZero() || p.cursor.began.After(now) {
		p.cursor = reconcileCursor{began: now, from: p.reconcileFrom(c, progress, now)}
	}
	for p.cursor.from.Before(c.from) {
		span, atGap := p.reconcileSpan(p.cursor.from, c.from)
		if atGap && !p.reader.TakeBeside() {
			return nil // The next poll goes on with it.
		}
		held, err := p.step(ctx, c, span, ledger.Reconciling, func(*ledger.Transaction, bool) {})
		switch {
		case err != nil:
			return err
		case held:
			return c.reading.Failure()
		}
		p.cursor.from = span.To
	}
	_, err := p.step(ctx, c, ledger.Span{}, ledger.Reconciling, func(t *ledger.Transaction, _ bool) {
		t.Progress.Reconciled, t.Progress.Zone = p.cursor.began, p.options.Zone.String()
	})
	if err == nil {
		p.cursor = reconcileCursor{}
	}
	return err
}

// reconcileSpan returns the span that a reconcile reads next, and whether it ends at a
// skipped gap. Reading goes from gap to gap, so that it can wait at any of them.
func (p *Poller) reconcileSpan(from, to time.Time) (span ledger.Span, atGap bool) {
	span = p.reader.NextSpan(from, to)
	for _, gap := range p.ledger.Progress().Gaps {
		if end := gap.Window.To.In(p.options.Zone); gap.Skipped && end.After(from) && end.Before(span.To) {
			span.To, atGap = end, true
		}
	}
	return span, atGap
}

// reconcileFrom returns how far back the reconcile that begins now reads.
func (p *Poller) reconcileFrom(c *cycle, progress ledger.Progress, now time.Time) time.Time {
	o, last := p.options, earlier(progress.Reconciled, c.to)
	stepped := progress.Zone != o.Zone.String() || progress.Reconciled.After(now)
	if stepped && time.Since(p.steppedAt) >= o.ReconcileInterval {
		// With the right zone or clock, any window shows other chats. A clock that goes to
		// and fro must not cost all of them each time.
		p.steppedAt = time.Now()
		return reconcileReach(last, c.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	}
	from := reconcileFrom(last, c.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	reach := reconcileReach(last, c.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	return earlier(from, later(reach, p.quietSince(c)))
}
