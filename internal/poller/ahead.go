package poller

import (
	"context"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// If the configured time zone is behind the operation's, polls miss the newest chats: they
// read up to now on the configured zone's clock, and the operation's clock is hours ahead
// of it. If the report selects on the end, the rows of a poll look right and are only late.
// So once an hour the poller reads the hours from now on the configured clock to now on the
// easternmost clock. Chats there show that the zone is behind.

const (
	// maxUTCOffset is the largest offset from UTC of any time zone.
	maxUTCOffset = 14 * time.Hour
	// aheadTolerance is how far ahead chats may be although the zone is right: the API's
	// servers may have different clocks.
	aheadTolerance = 10 * time.Minute
	// offsetStep is the step of the offsets of nearly all time zones.
	offsetStep = 30 * time.Minute
	// suspectHold is how long a single chat ahead is remembered. One chat may have a
	// wrong date, but two show that the zone is behind.
	suspectHold = 24 * time.Hour
	// aheadHold is how long no later chat must be ahead before the zone may be right
	// again.
	aheadHold = 6 * time.Hour
)

// zoneProbe holds the results of reading the hours ahead of the configured clock.
type zoneProbe struct {
	task infoTask
	// suspect is a single chat that was seen ahead, at the time suspected.
	suspect   wolkvox.ID
	suspected time.Time
	// behind is how far the zone is behind, rounded up to whole hours. It is 0 while the
	// zone seems right.
	behind time.Duration
	// newest is the latest date seen ahead of the clock, and ahead is how far ahead it
	// was. newestAt is when newest last changed. matchingOffset is the offset of a zone
	// in which that date is not ahead.
	newest         wolkvox.LocalTime
	ahead          time.Duration
	newestAt       time.Time
	matchingOffset string
}

// probeZone reads the hours ahead of the configured clock when that is due and the budget
// allows it. It does not count their rows: later polls do.
func (p *Poller) probeZone(ctx context.Context, c *cycle) {
	if p.zone.task.isDue(time.Now(), p.options.ZoneProbeInterval) && p.reader.AcquireExtra() {
		p.runInfoTask(ctx, &p.zone.task, p.options.ZoneProbeInterval,
			"the hours ahead of the clock cannot be read: a time zone behind the operation's may not be noticed",
			func(ctx context.Context) error { return p.readFuture(ctx, c) })
	}
	p.status.ZoneBehind = p.zone.behind
}

// readFuture reads the hours ahead and judges the zone by their chats, including those
// read before a failure.
func (p *Poller) readFuture(ctx context.Context, c *cycle) error {
	now := time.Now()
	if ahead, _ := p.report.ClockSkew(); ahead > 0 {
		now = now.Add(ahead) // A slow clock of ours is not a wrong zone.
	}
	clock := wolkvox.ToLatestLocalTime(now.In(p.options.Zone))
	tolerance := aheadTolerance
	if p.zone.behind > 0 {
		tolerance = warningThreshold
	}
	seen := futureChats{after: clock + wolkvox.LocalTime(tolerance/time.Second), until: wolkvox.ToLocalTime(now.UTC().Add(maxUTCOffset))}
	// Windows are wall-clock time, so UTC can stand for any zone here.
	windows := wolkvox.Windows(seen.after.In(time.UTC), seen.until.In(time.UTC), time.UTC)
	err := c.reading.Peek(ctx, windows, seen.add)
	if ctx.Err() != nil {
		return err
	}
	if p.zone.proves(&seen, now) {
		p.zone.extend(seen.newest, clock, now)
	}
	if err != nil {
		return err
	}
	p.status.ZoneProbed = true
	if now.Sub(p.zone.newestAt) >= aheadHold && max(p.warnings.newestEnd, c.reading.Stats().NewestEnd) > p.zone.newest {
		// Later chats were not ahead.
		p.zone.behind = 0
	}
	return nil
}

// futureChats collects the chats with a date later than after and no later than until.
type futureChats struct {
	after, until wolkvox.LocalTime
	newest       wolkvox.LocalTime // latest date of these chats
	first        wolkvox.ID
	several      bool // chats with different IDs
}

func (f *futureChats) add(chat *wolkvox.Chat) {
	var date wolkvox.LocalTime
	for _, d := range []wolkvox.LocalTime{chat.Start, chat.End} {
		if d > f.after && d <= f.until {
			date = max(date, d)
		}
	}
	if date == 0 {
		return // The API did not select this row by the window.
	}
	f.several = f.several || f.newest != 0 && chat.ID != f.first
	f.first = chat.ID
	f.newest = max(f.newest, date)
}

// proves reports whether the chats that were seen ahead show that the zone is behind.
func (z *zoneProbe) proves(seen *futureChats, now time.Time) bool {
	if seen.newest == 0 {
		return false
	}
	if z.behind > 0 || seen.several || !z.suspected.IsZero() && z.suspect != seen.first && now.Sub(z.suspected) < suspectHold {
		return true
	}
	z.suspect, z.suspected = seen.first, now
	return false
}

// extend records a date that is ahead of the clock at now.
func (z *zoneProbe) extend(newest, clock wolkvox.LocalTime, now time.Time) {
	if z.behind > 0 && newest <= z.newest {
		return
	}
	z.newest, z.newestAt = newest, now
	z.ahead = time.Duration(newest-clock) * time.Second
	z.behind = max(z.behind, roundUp(z.ahead-aheadTolerance, time.Hour))
	east := roundUp(time.Duration(newest-wolkvox.ToLocalTime(now.UTC()))*time.Second-warningThreshold, offsetStep)
	z.matchingOffset = "UTC" + now.In(time.FixedZone("", int(east/time.Second))).Format("-07:00")
}

// roundUp returns the least multiple of step that is not less than d.
func roundUp(d, step time.Duration) time.Duration {
	rounded := d.Truncate(step)
	if rounded < d {
		rounded += step
	}
	return rounded
}

// quietSince returns the newest end of all rows, less the overlap, but no earlier than the
// longest span before the poll. If the zone is ahead of the operation's, polls do not find
// chats soon after their end, but a reconcile from there on does. If there were no chats, it
// reads hardly any rows.
func (p *Poller) quietSince(c *cycle) time.Time {
	newest := max(p.warnings.newestEnd, c.reading.Stats().NewestEnd).In(p.options.Zone)
	return reader.Later(newest.Add(-p.options.Overlap), c.from.Add(-reader.MaxSpan))
}

// completeUntil returns the time until which the counts are complete after polls have read
// up to polled. It is earlier by the hours that the zone is behind.
func (p *Poller) completeUntil(polled time.Time) time.Time { return polled.Add(-p.zone.behind) }
