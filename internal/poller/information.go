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

// Information requests data other than chats. [wolkvox.Client] implements it.
type Information interface {
	RoutingPoints(ctx context.Context) iter.Seq2[wolkvox.RoutingPoint, error]
	TokenInfo(ctx context.Context) (wolkvox.TokenInfo, error)
}

const (
	// maxRoutingPoints limits the memory for their names.
	maxRoutingPoints = 10_000
	// infoRetryInterval is how soon a failed task is retried. The failure may be transient,
	// or the API may not have the report at all.
	infoRetryInterval = time.Hour
)

// infoTask is a repeated request for one kind of information.
type infoTask struct {
	due     time.Time
	failing fault.Warning
}

// infoTasks are the requests for information.
type infoTasks struct {
	routingPoints, tokenInfo infoTask
	midnight                 time.Time // when the current request count expires
}

// refreshInfo runs the tasks that are due after a successful poll. Counts do not depend on
// them, so polling continues if they fail.
func (p *Poller) refreshInfo(ctx context.Context) {
	now := time.Now()
	if !now.Before(p.info.midnight) {
		// The request count is yesterday's.
		p.status.TokenInfo = wolkvox.TokenInfo{}
	}
	if ctx.Err() != nil || !p.status.Up || now.Before(p.reader.QuietUntil()) {
		return
	}
	o := &p.options
	// If one fails, the other most likely does too.
	if p.runInfoTask(ctx, &p.info.routingPoints, o.RoutingPointsInterval, "the names of routing points are not available", p.fetchRoutingPoints) {
		p.runInfoTask(ctx, &p.info.tokenInfo, o.TokenInfoInterval, "the number of requests today is not available", p.fetchTokenInfo)
	}
}

func (t *infoTask) isDue(now time.Time, interval time.Duration) bool {
	return interval > 0 && !now.Before(t.due)
}

// runInfoTask runs a task if it is due, and sets its warning if it fails. ok is false if no
// other task should run.
func (p *Poller) runInfoTask(ctx context.Context, task *infoTask, interval time.Duration, warning string, fetch func(context.Context) error) (ok bool) {
	now := time.Now()
	if !task.isDue(now, interval) {
		return true
	}
	err := fetch(ctx)
	if ctx.Err() != nil {
		return false
	}
	task.failing.Set(p.logger, err != nil, warning, "result", reader.ResultLabel(err), "err", err)
	// Tasks run on the hour, so that the request count of a new day is read soon after
	// midnight.
	task.due = nextTick(now, interval, 0)
	if err != nil {
		task.due = nextTick(now, min(interval, infoRetryInterval), 0)
	}
	if failure, failed := errors.AsType[*wolkvox.Error](err); failed {
		task.due = reader.Later(task.due, now.Add(failure.RetryAfter))
	}
	return err == nil
}

func (p *Poller) fetchRoutingPoints(ctx context.Context) error {
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

func (p *Poller) fetchTokenInfo(ctx context.Context) error {
	requestedAt := time.Now().In(p.options.Zone)
	info, err := p.options.Information.TokenInfo(ctx)
	if err != nil {
		return err
	}
	p.status.TokenInfo = info
	p.info.midnight = requestedAt.Add(reader.UntilMidnight(requestedAt))
	return nil
}
