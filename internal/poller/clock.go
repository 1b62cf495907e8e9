package poller

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// maxSkew is how far our clock and the API's may differ for both to be believed.
	// Beyond that it is unknown which one is wrong.
	maxSkew = 24 * time.Hour
	// warningThreshold is how far clocks differ, or an end is ahead, when that is logged.
	warningThreshold = time.Minute
)

// warnings are the conditions that a poller warns of.
type warnings struct {
	clocks, future, late, extraText, noRows, overfull fault.Warning

	newestEnd wolkvox.LocalTime // of all rows
	endAhead  time.Duration     // how far newestEnd was in the future, or 0
}

// completeLimit returns up to when a report that was requested until to can be complete:
// no later than the API's clock. If ours is ahead, chats that end between the two are
// still to be read.
func (p *Poller) completeLimit(c *cycle, to time.Time) time.Time {
	ahead, ok := p.report.ClockSkew()
	if !ok || !p.clocksAgree() {
		return to
	}
	// The skew is good to half a second.
	return earlier(to, c.began.Add(ahead+time.Second/2).Truncate(time.Second))
}

// clocksAgree reports whether our clock and the API's are close enough to forget chats by.
// Forgetting by a clock of the year 2036 would leave out all chats until then.
func (p *Poller) clocksAgree() bool {
	ahead, _ := p.report.ClockSkew()
	return ahead.Abs() <= min(maxSkew, p.catchUpLimit())
}

// catchUpLimit returns the longest time that is caught up on: at least that of a single
// missed poll.
func (p *Poller) catchUpLimit() time.Duration {
	return max(p.options.MaxCatchUp, 2*p.options.Interval)
}

// warn warns of what fails no poll, such as a wrong clock or zone.
func (p *Poller) warn(stats *reader.Stats) {
	ahead, _ := p.report.ClockSkew()
	p.warnings.clocks.Set(p.logger, ahead.Abs() > warningThreshold, "our clock and the API's differ", "api_ahead", ahead.Round(time.Second))
	p.warnings.extraText.Set(p.logger, stats.ExtraText, "responses have other text around their JSON, such as a PHP warning: they are read all the same")
	p.warnOfNoRows()
	p.warnOfFuture(stats.NewestEnd, max(0, ahead))
}

// warnOfFuture warns of chats ahead of the configured zone's clock. newest is the newest
// end of a cycle's rows, and behind is how far our clock is behind the API's.
func (p *Poller) warnOfFuture(newest wolkvox.LocalTime, behind time.Duration) {
	w := &p.warnings
	if newest > w.newestEnd { // An older one was judged when it was the newest.
		w.newestEnd = newest
		now := time.Now()
		clock := wolkvox.ToLatestLocalTime(now.In(p.options.Zone))
		w.endAhead = time.Duration(newest-clock) * time.Second
		if w.endAhead <= warningThreshold+behind {
			w.endAhead = 0
		} else if p.zone.behind > 0 {
			p.zone.extend(newest, clock, now)
		}
	}
	facts := []any{"ahead", w.endAhead}
	if p.zone.behind > 0 {
		facts = []any{"ahead", p.zone.ahead, "fits", p.zone.fits}
	}
	w.future.Set(p.logger, w.endAhead > 0 || p.zone.behind > 0, "chats end in the future: is the time zone right?", facts...)
}

// warnOfNoRows warns if there has never been a row, though two days were read: then the
// setup is most likely wrong.
func (p *Poller) warnOfNoRows() {
	view := p.snapshot.Load().View
	rows := uint64(0)
	for _, n := range view.Counts.Records {
		rows += n
	}
	none := rows == 0 && p.status.Up && !view.Progress.CompleteUntil.IsZero() && !seedPending(view.Progress)
	p.warnings.noRows.Set(p.logger, none, "the report has never shown a chat: are the server, the token's operation and the time zone right, and does the Manager's report 8 have chats?")
}

// warnOfLateness warns if a reconcile has found chats that had ended before the last
// reconcile, and polls find none soon after its end. late is the number of chats that it
// has found, which may be long ones; last is when the last reconcile began.
func (p *Poller) warnOfLateness(c *cycle, late uint64, last time.Time) {
	if c.reading.Stats().NewestEnd == 0 {
		return
	}
	age := time.Duration(p.local(c.to)-c.reading.Stats().NewestEnd) * time.Second
	p.warnings.late.Set(p.logger, late > 0 && age > max(c.to.Sub(c.from), c.to.Sub(last)), "no chat is found soon after its end: is the time zone right? If so, raise --poll.overlap", "newest_ended", age, "late", late)
}
