package poller

import (
	"context"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
)

// reconcileCursor is the position of a reconcile, where it continues after a failure.
type reconcileCursor struct {
	began time.Time // all chats that ended before are found once the reconcile is complete
	from  time.Time // start of what is still to be read
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
		// The windows of the other zone or clock showed other chats.
		return true
	default:
		return now.Sub(progress.Reconciled) >= p.options.ReconcileInterval
	}
}

// reconcile reads the time before the poll. It finds chats that the API returns late, or
// under the date of their start.
func (p *Poller) reconcile(ctx context.Context, c *cycle) error {
	progress := p.ledger.Progress()
	if seedPending(progress) {
		for span := range p.reader.Spans(progress.Seed.From, progress.Seed.To) {
			incomplete, err := p.step(ctx, c, span, ledger.Seeding, func(t *ledger.Transaction, incomplete bool) {
				if incomplete {
					return
				}
				t.Progress.Seed.From = span.To
				if p.clocksAgree() {
					// The wall clock may be set back to before the first start.
					t.Forget(p.local(reader.Earlier(span.From, progress.CompleteUntil.Add(-forgetMargin))))
				}
			})
			if incomplete {
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
		if atGap && !p.reader.AcquireGapRequest() {
			return nil // The next poll continues with it.
		}
		incomplete, err := p.step(ctx, c, span, ledger.Reconciling, func(*ledger.Transaction, bool) {})
		switch {
		case err != nil:
			return err
		case incomplete:
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

// reconcileSpan returns the next span of a reconcile, and whether it ends at a skipped gap.
// A span ends at the first skipped gap in it, so that the reconcile can pause there.
func (p *Poller) reconcileSpan(from, to time.Time) (span ledger.Span, atGap bool) {
	span = p.reader.NextSpan(from, to)
	for _, gap := range p.ledger.Progress().Gaps {
		if end := gap.Window.To.In(p.options.Zone); gap.Skipped && end.After(from) && end.Before(span.To) {
			span.To, atGap = end, true
		}
	}
	return span, atGap
}

// reconcileFrom returns how far back a reconcile that begins now reads.
func (p *Poller) reconcileFrom(c *cycle, progress ledger.Progress, now time.Time) time.Time {
	o, last := p.options, reader.Earlier(progress.Reconciled, c.to)
	clockChanged := progress.Zone != o.Zone.String() || progress.Reconciled.After(now)
	if clockChanged && time.Since(p.clockChangedAt) >= o.ReconcileInterval {
		// Any window of the new zone or clock may show other chats. A clock that is changed
		// repeatedly must not cause a deep reconcile each time.
		p.clockChangedAt = time.Now()
		return deepestReconcileFrom(last, c.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	}
	from := reconcileFrom(last, c.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	deepest := deepestReconcileFrom(last, c.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	return reader.Earlier(from, reader.Later(deepest, p.quietSince(c)))
}
