// Package systemd reports to systemd, by sd_notify, when the process is ready, reloads, stops and
// works. Without NOTIFY_SOCKET it does nothing.
package systemd

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// statusInterval is how often the status is compared with the last one.
const statusInterval = time.Second

// Process is what a notifier watches.
type Process struct {
	Snapshots func() []status.Snapshot // of the operations that run now
	Handler   http.Handler             // answers CheckPath with 200 while it works
	CheckPath string
}

// Notifier reports to systemd. Its methods can be called by several goroutines.
type Notifier struct {
	logger log.Logger
	send   func(state string) error

	mu              sync.Mutex
	ready, stopping bool
	status          string // the last one sent
	failed          bool   // a failure was logged
}

// NewNotifier returns a notifier that has sent nothing.
func NewNotifier(logger log.Logger) *Notifier {
	return &Notifier{logger: logger, send: func(state string) error {
		_, err := daemon.SdNotify(false, state)
		return err
	}}
}

// Ready reports that the web server listens.
func (n *Notifier) Ready() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.ready = true
	n.notify(daemon.SdNotifyReady)
}

// BeginReload reports that the configuration is read again, and end that this is over.
func (n *Notifier) BeginReload() (end func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.ready || n.stopping {
		return func() {} // systemd expects the end of the start, or of the process.
	}
	n.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
	return func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if !n.stopping {
			n.notify(daemon.SdNotifyReady)
		}
	}
}

// Stopping reports that the process ends.
func (n *Notifier) Stopping() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopping = true
	n.notify(daemon.SdNotifyStopping + "\nSTATUS=stopping")
}

// Run reports the status when it changes, and that the process works as often as the unit's
// WatchdogSec requires, until ctx is done. If something that the check needs hangs, Run hangs,
// too, and systemd restarts the process.
func (n *Notifier) Run(ctx context.Context, p Process) {
	timeout, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		level.Warn(n.logger).Log("msg", "no watchdog of systemd: WATCHDOG_USEC or WATCHDOG_PID is invalid", "err", err)
	}
	var watchdog <-chan time.Time
	if timeout > 0 {
		ticker := time.NewTicker(timeout / 3)
		defer ticker.Stop()
		watchdog = ticker.C
	}
	statusTicker := time.NewTicker(statusInterval)
	defer statusTicker.Stop()
	for {
		select {
		case <-statusTicker.C:
			n.reportStatus(Describe(p.Snapshots(), time.Now()))
		case <-watchdog:
			n.reportAlive(ctx, p)
		case <-ctx.Done():
			return
		}
	}
}

func (n *Notifier) reportStatus(text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if text != n.status && !n.stopping {
		n.status = text
		n.notify("STATUS=" + text)
	}
}

// reportAlive reports that the process works if it does. An API that does not answer is no
// reason to end the process: its requests end at their timeout.
func (n *Notifier) reportAlive(ctx context.Context, p Process) {
	if !answers(ctx, p.Handler, p.CheckPath) || hasStuck(p.Snapshots(), time.Now()) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.notify(daemon.SdNotifyWatchdog)
}

// notify sends a state. Its callers hold the mutex, so that systemd gets states in order.
func (n *Notifier) notify(state string) {
	if err := n.send(state); err != nil && !n.failed {
		n.failed = true
		level.Warn(n.logger).Log("msg", "notifying systemd failed", "err", err)
	}
}
