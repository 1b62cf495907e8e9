package poller

import (
	"context"
	"errors"
	"iter"
	"maps"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Information is what the API tells beside the chats. [wolkvox.Client] asks for it.
type Information interface {
	RoutingPoints(ctx context.Context) iter.Seq2[wolkvox.RoutingPoint, error]
	TokenInfo(ctx context.Context) (wolkvox.TokenInfo, error)
}

const (
	// maxRoutingPoints bounds what their names take.
	maxRoutingPoints = 10_000
	// maxLookPause is how soon a look that failed is taken again. It may have
	// been bad luck, or the API may never have heard of what it is asked.
	maxLookPause = time.Hour
)

// look is how it goes with one kind of information.
type look struct {
	due     time.Time
	failing warning
}

// inform asks for what is due, after a poll that succeeded. No figure depends on
// it: where it fails, polling goes on as if nothing had been asked.
func (p *Poller) inform(ctx context.Context) {
	now := time.Now()
	if !now.Before(p.midnight) {
		// What was spent yesterday says nothing of today.
		p.status.TokenInfo = wolkvox.TokenInfo{}
	}
	if ctx.Err() != nil || !p.status.Up || now.Before(p.quietUntil) {
		return
	}
	o := &p.options
	// Where one look fails, so would the other, most likely.
	if p.take(ctx, &p.points, o.RoutingPointsInterval, "the API does not tell the names of routing points", p.askForRoutingPoints) {
		p.take(ctx, &p.quota, o.TokenInfoInterval, "the API does not tell the requests of the day", p.askForTokenInfo)
	}
}

// take takes a look that is due. ok tells whether the API may be asked for more.
func (p *Poller) take(ctx context.Context, l *look, interval time.Duration, otherwise string, ask func(context.Context) error) (ok bool) {
	now := time.Now()
	if interval == 0 || now.Before(l.due) {
		return true
	}
	err := ask(ctx)
	if ctx.Err() != nil {
		return false
	}
	l.failing.set(p.logger, err != nil, otherwise, "result", orNone(resultOf(err)), "err", err)
	// On the hour, so that a new day's requests are looked at soon after midnight.
	l.due = nextTick(now, interval, 0)
	if err != nil {
		l.due = nextTick(now, min(interval, maxLookPause), 0)
	}
	if failure, failed := errors.AsType[*wolkvox.Error](err); failed {
		l.due = later(l.due, now.Add(failure.RetryAfter))
	}
	return err == nil
}

func (p *Poller) askForRoutingPoints(ctx context.Context) error {
	names := map[string]string{}
	for point, err := range p.options.Information.RoutingPoints(ctx) {
		switch {
		case errors.Is(err, wolkvox.ErrBadRow):
		case err != nil:
			return err
		case len(names) < maxRoutingPoints:
			names[point.ID] = point.Name
		}
	}
	maps.Copy(names, p.options.RoutingPoints)
	p.status.RoutingPoints = names
	return nil
}

func (p *Poller) askForTokenInfo(ctx context.Context) error {
	asked := time.Now().In(p.options.Zone)
	info, err := p.options.Information.TokenInfo(ctx)
	if err != nil {
		return err
	}
	p.status.TokenInfo = info
	p.midnight = asked.Add(untilMidnight(asked))
	return nil
}
