package poller

import (
	"context"
	"errors"
	"iter"
	"maps"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Information is what the API offers besides chats. [wolkvox.Client] implements it.
type Information interface {
	RoutingPoints(ctx context.Context) iter.Seq2[wolkvox.RoutingPoint, error]
	TokenInfo(ctx context.Context) (wolkvox.TokenInfo, error)
}

const (
	// maxRoutingPoints bounds the memory of their names.
	maxRoutingPoints = 10_000
	// maxInfoPause is how soon a task that failed is tried again. The failure may pass, or
	// the API may not have the report at all.
	maxInfoPause = time.Hour
)

// infoTask is a request for one kind of information that is repeated.
type infoTask struct {
	due     time.Time
	failing fault.Warning
}

// infoTasks are the requests for information.
type infoTasks struct {
	points, quota infoTask
	midnight      time.Time // when the requests of the day are no longer today's
}

// refreshInfo runs the tasks that are due, after a poll that succeeded. Figures do not
// depend on them, so polling continues if they fail.
func (p *Poller) refreshInfo(ctx context.Context) {
	now := time.Now()
	if !now.Before(p.info.midnight) {
		// What was spent yesterday says nothing of today.
		p.status.TokenInfo = wolkvox.TokenInfo{}
	}
	if ctx.Err() != nil || !p.status.Up || now.Before(p.reader.QuietUntil()) {
		return
	}
	o := &p.options
	// If one fails, the other most likely does too.
	if p.runInfoTask(ctx, &p.info.points, o.RoutingPointsInterval, "the API does not tell the names of routing points", p.askForRoutingPoints) {
		p.runInfoTask(ctx, &p.info.quota, o.TokenInfoInterval, "the API does not tell the requests of the day", p.askForTokenInfo)
	}
}

func (t *infoTask) isDue(now time.Time, interval time.Duration) bool {
	return interval > 0 && !now.Before(t.due)
}

// runInfoTask runs a task if it is due. ok is false if the API should not be asked for
// more.
func (p *Poller) runInfoTask(ctx context.Context, task *infoTask, interval time.Duration, otherwise string, ask func(context.Context) error) (ok bool) {
	now := time.Now()
	if !task.isDue(now, interval) {
		return true
	}
	err := ask(ctx)
	if ctx.Err() != nil {
		return false
	}
	task.failing.Set(p.logger, err != nil, otherwise, "result", orNone(reader.Result(err)), "err", err)
	// On the hour, so that the requests of a new day are read soon after midnight.
	task.due = nextTick(now, interval, 0)
	if err != nil {
		task.due = nextTick(now, min(interval, maxInfoPause), 0)
	}
	if failure, failed := errors.AsType[*wolkvox.Error](err); failed {
		task.due = later(task.due, now.Add(failure.RetryAfter))
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
	p.info.midnight = asked.Add(reader.UntilMidnight(asked))
	return nil
}
