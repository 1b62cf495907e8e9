package poller

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// maxSkew is the largest skew of the API's clock at which ours is trusted. Beyond that
	// it is unknown which clock is wrong.
	maxSkew = 24 * time.Hour
	// warningThreshold is the skew, or the time that an end is ahead, above which a warning
	// is logged.
	warningThreshold = time.Minute
)

// warnings holds the conditions that a poller warns about.
type warnings struct {
	clocks, future, late, extraText, noRows, overfull fault.Warning

	newestEnd wolkvox.LocalTime // of all rows
	endAhead  time.Duration     // how far newestEnd was in the future, or 0
}

// completeLimit returns the time until which a report that was requested up to to can be
// complete: no later than now on the API's clock. If our clock is ahead, chats that end
// between the two are still to be read.
func (p *Poller) completeLimit(c *cycle, to time.Time) time.Time {
	ahead, ok := p.report.ClockSkew()
	if !ok || !p.clocksAgree() {
		return to
	}
	// The skew is accurate to half a second.
	return reader.Earlier(to, c.began.Add(ahead+time.Second/2).Truncate(time.Second))
}

// clocksAgree reports whether our clock and the API's are close enough to forget chats.
// After forgetting with a clock in the year 2036, no chat would be counted until then.
func (p *Poller) clocksAgree() bool {
	ahead, _ := p.report.ClockSkew()
	return ahead.Abs() <= min(maxSkew, p.catchUpLimit())
}

// catchUpLimit returns the longest time that a catch-up reads: at least that of a single
// missed poll.
func (p *Poller) catchUpLimit() time.Duration {
	return max(p.options.MaxCatchUp, 2*p.options.Interval)
}

// warn warns about conditions that do not fail a poll, such as a wrong clock or zone.
func (p *Poller) warn(stats *reader.Stats) {
	ahead, _ := p.report.ClockSkew()
	p.warnings.clocks.Set(p.logger, ahead.Abs() > warningThreshold, "our clock and the API's differ", "api_ahead", ahead.Round(time.Second))
	p.warnings.extraText.Set(p.logger, stats.ExtraText, "responses have other text around their JSON, such as a PHP warning: the text is ignored")
	p.warnOfNoRows()
	p.warnOfFuture(stats.NewestEnd, max(0, ahead))
}

// warnOfFuture warns about chats ahead of the configured zone's clock. newest is the newest
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
	keyvals := []any{"ahead", w.endAhead}
	if p.zone.behind > 0 {
		keyvals = []any{"ahead", p.zone.ahead, "fits", p.zone.matchingOffset}
	}
	w.future.Set(p.logger, w.endAhead > 0 || p.zone.behind > 0, "chats end in the future: is the time zone right?", keyvals...)
}

// warnOfNoRows warns if there has never been a row after two days of the report were read:
// then the setup is most likely wrong.
func (p *Poller) warnOfNoRows() {
	view := p.shown
	rows := uint64(0)
	for _, n := range view.Counts.Records {
		rows += n
	}
	noRows := rows == 0 && p.status.Up && !view.Progress.CompleteUntil.IsZero() && !seedPending(view.Progress)
	p.warnings.noRows.Set(p.logger, noRows, "the report has never shown a chat: are the server, the token's operation and the time zone right, and does the Manager's report 8 have chats?")
}

// warnOfLateness warns if a reconcile has found late chats, and neither it nor polls find
// chats soon after their end. late is the number of late chats, which may be long ones. last
// is when the previous reconcile began.
func (p *Poller) warnOfLateness(c *cycle, late uint64, last time.Time) {
	if c.reading.Stats().NewestEnd == 0 {
		return
	}
	age := time.Duration(p.local(c.to)-c.reading.Stats().NewestEnd) * time.Second
	p.warnings.late.Set(p.logger, late > 0 && age > max(c.to.Sub(c.from), c.to.Sub(last)), "no chat is found soon after its end: is the time zone right? If so, raise --poll.overlap", "newest_ended", age, "late", late)
}
