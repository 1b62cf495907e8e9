package poller

import (
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// stuckTimeout returns how long polling may take without publishing: three polls, each with
// a request that reaches its timeout. Each step of a long catch-up publishes.
func (o *Options) stuckTimeout() time.Duration { return 3 * (o.Interval + o.Timeout) }

// watchdog logs when polling is stuck, which polling itself cannot log, and when it
// continues.
type watchdog struct {
	logger log.Logger
	stuck  atomic.Bool
	timer  *time.Timer
}

func newWatchdog(logger log.Logger, timeout time.Duration) *watchdog {
	w := &watchdog{logger: logger}
	w.timer = time.AfterFunc(timeout, w.report)
	return w
}

func (w *watchdog) report() {
	w.stuck.Store(true)
	level.Error(w.logger).Log("msg", "polling is stuck: no poll ended and nothing was saved in time")
}

// extend sets the time until which polling must publish.
func (w *watchdog) extend(until time.Time) {
	w.timer.Reset(time.Until(until))
	if w.stuck.CompareAndSwap(true, false) {
		level.Info(w.logger).Log("msg", "polling is no longer stuck")
	}
}

func (w *watchdog) stop() { w.timer.Stop() }
