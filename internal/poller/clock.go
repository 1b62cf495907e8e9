package poller

import (
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// maxSkew is how far our clock and the API's may be apart for both to be
	// believed. Beyond that nobody can tell which one is wrong.
	maxSkew = 24 * time.Hour
	// odd is how far apart clocks are, or an end is ahead, when it is time to tell.
	odd = time.Minute
)

// reached is up to when a report that was asked for until to can be complete:
// no further than the API's clock has come. Where ours is ahead, what ends
// between the two is still to be read.
func (r *run) reached(to time.Time) time.Time {
	ahead, ok := r.report.ClockSkew()
	if !ok || !r.clocksAgree() {
		return to
	}
	// The skew is good to half a second.
	return earlier(to, r.began.Add(ahead+time.Second/2).Truncate(time.Second))
}

// clocksAgree tells whether our clock and the API's are close enough to move on
// by. While they are not, nothing is forgotten: a chat would never be counted
// that ended before what is forgotten by a clock of the year 2036.
func (p *Poller) clocksAgree() bool {
	ahead, _ := p.report.ClockSkew()
	return ahead.Abs() <= min(maxSkew, p.catchUpLimit())
}

// catchUpLimit is the longest gap that is fetched. No limit keeps the exporter
// from what a single missed poll leaves.
func (p *Poller) catchUpLimit() time.Duration {
	return max(p.options.MaxCatchUp, 2*p.options.Interval)
}

// warn says what a wrong clock or zone looks like from here: no poll fails of
// it, but chats are found late.
func (r *run) warn() {
	ahead, _ := r.report.ClockSkew()
	r.clocks.set(r.logger, ahead.Abs() > odd, "our clock and the API's differ", "api_ahead", ahead.Round(time.Second))
	r.extraTextSeen.set(r.logger, r.extraText, "responses have other text around their JSON, such as a PHP warning: they are read all the same")
	r.warnOfNoRows()
	r.warnOfFuture(max(0, ahead))
}

// warnOfFuture warns of chats ahead of the configured zone's clock. behind is how far our
// clock is behind the API's.
func (r *run) warnOfFuture(behind time.Duration) {
	if r.newest > r.newestEnd { // An older one was judged when it was the newest.
		r.newestEnd = r.newest
		now := time.Now()
		clock := wolkvox.LatestLocalTimeOf(now.In(r.options.Zone))
		r.endAhead = time.Duration(r.newest-clock) * time.Second
		if r.endAhead <= odd+behind {
			r.endAhead = 0
		} else if r.zone.behind > 0 {
			r.zone.extend(r.newest, clock, now)
		}
	}
	facts := []any{"ahead", r.endAhead}
	if r.zone.behind > 0 {
		facts = []any{"ahead", r.zone.ahead, "fits", r.zone.fits}
	}
	r.future.set(r.logger, r.endAhead > 0 || r.zone.behind > 0, "chats end in the future: is the time zone right?", facts...)
}

// warnOfNoRows says that there has never been a row, though two days were read: then it
// is more likely that something is set up wrongly.
func (r *run) warnOfNoRows() {
	view := r.snapshot.Load().View
	rows := uint64(0)
	for _, n := range view.Counts.Records {
		rows += n
	}
	none := rows == 0 && r.status.Up && !view.Progress.CompleteUntil.IsZero() && !seedPending(view.Progress)
	r.noRows.set(r.logger, none, "the report has never shown a chat: are the server, the token's operation and the time zone right, and does the Manager's report 8 have chats?")
}

// warnOfLateness looks at what a reconcile has found. A chat that lasted long may
// well be found there, but not one that had ended before the last reconcile.
// Where the wall clock is set too far ahead, all chats are.
func (r *run) warnOfLateness(late uint64, last time.Time) {
	if r.newest == 0 {
		return
	}
	age := time.Duration(r.local(r.to)-r.newest) * time.Second
	r.belated.set(r.logger, late > 0 && age > max(r.to.Sub(r.from), r.to.Sub(last)), "no chat is found soon after its end: is the time zone right? If so, raise --poll.overlap", "newest_ended", age, "late", late)
}

// warning is a state of things that lasts. It is logged when it begins and when
// it is over.
type warning bool

func (w *warning) set(logger log.Logger, now bool, what string, keyvals ...any) {
	switch {
	case now && !bool(*w):
		level.Warn(logger).Log(append([]any{"msg", what}, keyvals...)...)
	case !now && bool(*w):
		level.Info(logger).Log("msg", "no longer so: "+what)
	}
	*w = warning(now)
}
