package poller

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// maxPiece is how much time is fetched at most before it is saved, minPiece
	// at least.
	maxPiece = 24 * time.Hour
	minPiece = time.Minute
	// margin is how much longer a chat is remembered than any window reaches
	// back: an hour for the wall clock and an hour for ours, by which either
	// may be set back.
	margin = 2 * time.Hour
)

// poll brings the book up to now, and reads the long window when that is due.
func (p *Poller) poll(ctx context.Context) {
	r := p.newRun()
	err := r.poll(ctx)
	if ctx.Err() != nil {
		return
	}
	p.status.Up = err == nil
	if err != nil {
		p.polling.Begin(p.logger, "polling", err, "result", orNone(resultOf(err)))
		p.finish(r)
		return
	}
	p.polling.End(p.logger, "polling")
	p.status.Ready = true
	p.status.LastPoll = r.to

	// While reconciles fail, they are tried as far as the allowance goes.
	if r.reconcileDue() && (p.reconciling.Err == nil || p.extra.take(p.options.Interval)) {
		r.lasting = &p.reconciling
		r.failed = 0
		before := p.snapshot.Load().View
		err := r.reconcile(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			p.reconciling.Begin(p.logger, "reconciling", err, "result", orNone(resultOf(err)))
		} else {
			p.reconciling.End(p.logger, "reconciling")
			r.warnOfLateness(p.snapshot.Load().View.Counts.Late-before.Counts.Late, before.Progress.Reconciled)
		}
	}
	p.status.Rows = r.rows
	p.finish(r)
}

// finish makes a run's end known.
func (p *Poller) finish(r *run) {
	lasting := p.polling
	if lasting.Err == nil {
		lasting = p.reconciling
	}
	p.status.Failure, p.status.Result, p.status.FailingSince = "", resultOf(lasting.Err), lasting.Since
	if lasting.Err != nil {
		p.status.Failure = lasting.Err.Error()
		p.status.LastFailure = status.LastFailure{At: time.Now(), Result: p.status.Result}
	}
	if r.newest != 0 {
		p.status.NewestEnd = r.newest.In(p.options.Zone)
	}
	r.noteKeys()
	p.publish(p.snapshot.Load().View)

	r.warn()
	r.warnOfOverfull()
	if !p.status.Up {
		return
	}
	line := []any{"msg", "polled", "until", r.to.UTC().Format(time.RFC3339), "requests", r.requests}
	for outcome, n := range r.rows {
		line = append(line, ledger.Outcome(outcome), n)
	}
	level.Info(p.logger).Log(append(line, "took", time.Since(r.began).Round(time.Millisecond))...)
}

func (r *run) warnOfOverfull() {
	if r.overfull == 0 && !r.status.Up {
		return // It did not get as far as to know.
	}
	r.overfullSeen.set(r.logger, r.overfull > 0, "windows of a second hold more chats than one response: chats there are missing", "windows", r.overfull)
}

// poll reads what the report shows since the last poll, or for the first time.
func (r *run) poll(ctx context.Context) error {
	if r.book.Progress().CompleteUntil.IsZero() {
		return r.start(ctx)
	}
	return r.catchUp(ctx)
}

// start counts the window before the very first start. What is older is left to
// the first reconcile, to be remembered, so that no later window counts it.
func (r *run) start(ctx context.Context) error {
	o := r.options
	longest := o.Overlap
	if o.ReconcileInterval > 0 {
		longest = max(longest, maxReconcileSpan(o.ReconcileInterval, o.ReconcileWindow))
	}
	r.from = r.to.Add(-o.InitialWindow)
	held, err := r.step(ctx, ledger.Span{From: r.from, To: r.to}, ledger.Starting, func(t *ledger.Transaction, held bool) {
		now := r.reached(r.to)
		r.polled = now
		if held {
			r.polled = now.Add(-o.InitialWindow)
		}
		t.Progress = ledger.Progress{
			CompleteUntil: r.completeUntil(r.polled),
			Reconciled:    now,
			Began:         r.local(now),
			Seed:          ledger.Span{From: now.Add(-longest), To: now.Add(-o.InitialWindow)},
			Zone:          o.Zone.String(),
			Keys:          r.keys,
		}
	})
	switch {
	case err != nil:
		return err
	case o.InitialWindow == 0:
		// Nothing was asked yet: whether the API answers is still to be seen.
		return r.reconcile(ctx)
	case held:
		return r.failure()
	default:
		return nil
	}
}

// catchUp reads from the last poll, less the overlap, to now.
func (r *run) catchUp(ctx context.Context) error {
	progress := r.book.Progress()
	// Our clock may have been set back.
	cursor := earlier(later(progress.CompleteUntil, r.polled), r.to)
	from := cursor.Add(-r.options.Overlap)
	oldest := r.to.Add(-r.catchUpLimit())
	skipped := max(0, oldest.Sub(cursor))
	if skipped > 0 {
		from = oldest
	}
	if seedPending(progress) {
		// What is older must be remembered before it is read.
		from = later(from, progress.Seed.To)
	}
	r.from = from
	anyHeld, polled := false, r.polled
	for piece := range r.pieces(from, r.to) {
		held, err := r.step(ctx, piece, ledger.Polling, func(t *ledger.Transaction, held bool) {
			if !held && !anyHeld {
				polled = r.reached(later(cursor, piece.To))
				t.Progress.CompleteUntil = r.completeUntil(polled)
			}
		})
		if err != nil {
			return err
		}
		r.polled = polled
		anyHeld = anyHeld || held
		r.readUntil = later(r.readUntil, r.reached(piece.To))
		if skipped > 0 {
			r.status.Skipped += skipped
			level.Warn(r.logger).Log("msg", "chats of a time beyond the catch-up limit are not fetched", "from", cursor.UTC().Format(time.RFC3339), "to", oldest.UTC().Format(time.RFC3339))
			skipped = 0
		}
	}
	if anyHeld {
		return r.failure()
	}
	return nil
}

func seedPending(progress ledger.Progress) bool { return progress.Seed.From.Before(progress.Seed.To) }

func (r *run) reconcileDue() bool {
	progress, now := r.book.Progress(), r.reached(r.to)
	switch {
	case seedPending(progress):
		return true
	case r.options.ReconcileInterval == 0:
		return false
	case progress.Zone != r.options.Zone.String(), progress.Reconciled.After(now):
		// With the right zone or clock, other windows show other chats.
		return true
	default:
		return now.Sub(progress.Reconciled) >= r.options.ReconcileInterval
	}
}

// reconcile reads the long window before the one that was just polled: chats
// that the API shows under the date of their start, or late, are found there.
func (r *run) reconcile(ctx context.Context) error {
	progress := r.book.Progress()
	if seedPending(progress) {
		for piece := range r.pieces(progress.Seed.From, progress.Seed.To) {
			held, err := r.step(ctx, piece, ledger.Seeding, func(t *ledger.Transaction, held bool) {
				if held {
					return
				}
				t.Progress.Seed.From = piece.To
				if r.clocksAgree() {
					// The wall clock may be set back to where the first start was.
					t.Forget(r.local(earlier(piece.From, progress.CompleteUntil.Add(-margin))))
				}
			})
			if held {
				return r.failure()
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	if now := r.reached(r.to); r.round.began.IsZero() || r.round.began.After(now) {
		r.round = round{began: now, from: r.reconcileFrom(progress, now)}
	}
	for r.round.from.Before(r.from) {
		piece, atGap := r.reconcilePiece(r.round.from, r.from)
		if atGap && !r.takeBeside() {
			return nil // The next poll goes on with it.
		}
		held, err := r.step(ctx, piece, ledger.Reconciling, func(*ledger.Transaction, bool) {})
		switch {
		case err != nil:
			return err
		case held:
			return r.failure()
		}
		r.round.from = piece.To
	}
	_, err := r.step(ctx, ledger.Span{}, ledger.Reconciling, func(t *ledger.Transaction, _ bool) {
		t.Progress.Reconciled, t.Progress.Zone = r.round.began, r.options.Zone.String()
	})
	if err == nil {
		r.round = round{}
	}
	return err
}

// reconcilePiece returns what a reconcile reads next, and whether it ends at a gap that
// is skipped. Reading goes from gap to gap, so that it can wait at any of them.
func (r *run) reconcilePiece(from, to time.Time) (piece ledger.Span, atGap bool) {
	to = earlier(from.Add(r.reach), to)
	for _, gap := range r.book.Progress().Gaps {
		if end := gap.Window.To.In(r.options.Zone); gap.Skipped && end.After(from) && end.Before(to) {
			to, atGap = end, true
		}
	}
	return ledger.Span{From: from, To: to}, atGap
}

// reconcileFrom returns how far back the reconcile that begins now reads.
func (r *run) reconcileFrom(progress ledger.Progress, now time.Time) time.Time {
	o, last := r.options, earlier(progress.Reconciled, r.to)
	stepped := progress.Zone != o.Zone.String() || progress.Reconciled.After(now)
	if stepped && time.Since(r.steppedAt) >= o.ReconcileInterval {
		// With the right zone or clock, any window shows other chats. A clock that goes to
		// and fro must not cost all of them each time.
		r.steppedAt = time.Now()
		return reconcileReach(last, r.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	}
	from := reconcileFrom(last, r.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	reach := reconcileReach(last, r.to, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	return earlier(from, later(reach, r.quietSince()))
}

// pieces cuts a time into what is fetched and saved at once, oldest first.
func (p *Poller) pieces(from, to time.Time) iter.Seq[ledger.Span] {
	return func(yield func(ledger.Span) bool) {
		for from.Before(to) {
			end := earlier(from.Add(p.reach), to)
			if !yield(ledger.Span{From: from, To: end}) {
				return
			}
			from = end
		}
	}
}

// step reads a span, books its rows, and has the book saved before it is shown.
// held reports whether a part of the span is still to be read: advance must not
// declare it complete.
func (r *run) step(
	ctx context.Context, span ledger.Span, reading ledger.Reading, advance func(t *ledger.Transaction, held bool),
) (held bool, err error) {
	r.splits, r.deferred = 0, false
	r.gaps = slices.Clone(r.book.Progress().Gaps)
	t := r.book.Begin(r.local(time.Now()))
	before := t.Counts().Records
	windows := wolkvox.Windows(span.From, span.To, r.options.Zone)
	for _, window := range windows {
		if err := r.readAround(ctx, window, t, reading); err != nil {
			return false, err
		}
	}
	if err := r.checkKeys(t.Progress.Keys); err != nil {
		return false, err
	}
	if r.requests > 0 {
		r.probeZone(ctx) // The API has just answered.
	}
	t.Progress.Keys |= r.keys
	skipped := r.skipGaps()
	held = r.holds(windows)
	advance(t, held)
	if r.requests > 0 && r.clocksAgree() {
		horizon := r.horizon(t.Progress)
		t.Forget(horizon)
		r.gaps = slices.DeleteFunc(r.gaps, func(g ledger.Gap) bool { return g.Window.To < horizon })
	}
	t.Progress.Gaps = r.gaps
	state, err := t.Marshal(time.Now())
	if err != nil {
		return false, err
	}
	if err := r.store.Save(state); err != nil {
		return false, &saveError{err}
	}
	t.Commit()
	for outcome, n := range t.Counts().Records {
		r.rows[outcome] += n - before[outcome]
	}
	r.reportSkipped(skipped)
	r.publish(r.book.View())
	return held, nil
}

// saveError is why the state was not saved. Its type tells it from an error of the same
// number that another file has.
type saveError struct{ err error }

// Error implements error.
func (e *saveError) Error() string { return fmt.Sprintf("saving the state: %s", e.err) }

// Unwrap returns the store's error.
func (e *saveError) Unwrap() error { return e.err }

// horizon is the end of the oldest chat that a window may still show.
func (p *Poller) horizon(progress ledger.Progress) wolkvox.LocalTime {
	o := &p.options
	oldest := progress.CompleteUntil.Add(-o.ReconcileWindow)
	if o.ReconcileInterval > 0 {
		last := earlier(progress.CompleteUntil, progress.Reconciled)
		oldest = reconcileReach(last, progress.CompleteUntil, o.ReconcileInterval, o.ReconcileWindow, o.MaxCatchUp)
	}
	return p.local(oldest.Add(-o.Overlap - margin))
}

// local is the operation's wall clock at t.
func (p *Poller) local(t time.Time) wolkvox.LocalTime {
	return wolkvox.LocalTimeOf(t.In(p.options.Zone))
}
