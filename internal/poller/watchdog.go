package poller

import (
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// allowance is how long polling may go on without publishing anything: three
// polls, each with a request that runs into its timeout. Each step of a long
// catch-up publishes.
func (o *Options) allowance() time.Duration { return 3 * (o.Interval + o.Timeout) }

// watchdog logs when polling gets stuck, and when it goes on. Polling cannot log
// it by itself.
type watchdog struct {
	logger log.Logger
	stuck  atomic.Bool
	timer  *time.Timer
}

func newWatchdog(logger log.Logger, allowance time.Duration) *watchdog {
	w := &watchdog{logger: logger}
	w.timer = time.AfterFunc(allowance, w.report)
	return w
}

func (w *watchdog) report() {
	w.stuck.Store(true)
	level.Error(w.logger).Log("msg", "polling is stuck: no poll has ended and nothing was saved for too long")
}

// extend gives polling time until then.
func (w *watchdog) extend(until time.Time) {
	w.timer.Reset(time.Until(until))
	if w.stuck.CompareAndSwap(true, false) {
		level.Info(w.logger).Log("msg", "polling is no longer stuck")
	}
}

func (w *watchdog) stop() { w.timer.Stop() }
