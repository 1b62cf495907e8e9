package manager

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/postgres"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// ErrReloading is the error of a reload while another one is under way.
var ErrReloading = errors.New("a reload is under way")

// Start reads the configuration and starts its operations. If there is only one and its
// state cannot be loaded, that is an error, unless the database is not available.
func (m *Manager) Start(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err := m.load(ctx)
	m.started = err == nil
	return err
}

// Reload reads the configuration again and applies it. It logs an error and returns it.
func (m *Manager) Reload(ctx context.Context) error {
	if !m.mu.TryLock() {
		return ErrReloading
	}
	defer m.mu.Unlock()
	return m.reload(ctx)
}

// ReloadOn reloads at each signal until ctx is done. A signal that arrives during a
// reload is followed by another reload, as the file may have changed since it was read.
func (m *Manager) ReloadOn(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
			m.mu.Lock()
			_ = m.reload(ctx) // It is logged.
			m.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

func (m *Manager) reload(ctx context.Context) error {
	defer m.options.BeginReload()()
	err := m.load(ctx)
	if ctx.Err() != nil {
		return err // The program is shutting down.
	}
	if err != nil {
		level.Error(m.options.Logger).Log("msg", "reloading the configuration failed", "err", fault.OneLine(err))
		return err
	}
	snapshots, notLoaded := m.Snapshots(), 0
	for _, s := range snapshots {
		if s.Status.NotLoaded != "" {
			notLoaded++
		}
	}
	level.Info(m.options.Logger).Log("msg", "configuration reloaded", "operations", len(snapshots), "not_loaded", notLoaded)
	return nil
}

// load reads the configuration and applies it.
func (m *Manager) load(ctx context.Context) error {
	end := m.reportSlowLoad()
	err := m.apply(ctx)
	end()
	applied := 0.0
	if err == nil {
		applied = 1
	}
	m.applied.Set(applied)
	return err
}

// slowLoad is the time after which loading the configuration is reported as slow.
const slowLoad = 10 * time.Second

// reportSlowLoad reports once if end has not been called after slowLoad: nothing else shows a
// load that hangs.
func (m *Manager) reportSlowLoad() (end func()) {
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-time.After(slowLoad):
			m.applied.Set(0)
			level.Warn(m.options.Logger).Log("msg", "loading the configuration is slow", "so_far", slowLoad, "busy_with", m.options.RunningTasks())
		case <-done:
		}
	})
	return func() {
		close(done)
		watch.Wait()
	}
}

// firstPollInterval is between the first polls of two operations after the start. The memory of
// many polls at once would be several times that of all operations afterwards.
const firstPollInterval = 20 * time.Millisecond

func (m *Manager) apply(ctx context.Context) error {
	targets, err := m.options.Targets(ctx)
	if err != nil {
		return err
	}
	if m.storage == nil {
		end := m.options.BeginTask("opening the storage")
		m.storage, err = m.openStorage(ctx)
		end()
		if err != nil {
			return err
		}
	}
	members, states := make([]member, len(targets)), map[string]string{}
	for i, target := range targets {
		var delay time.Duration
		if !m.started {
			delay = time.Duration(i) * firstPollInterval
		}
		members[i] = member{
			name: target.Name, settings: target.Operation, required: !m.started && len(targets) == 1,
			make: func() (runner, error) {
				l, err := newLoader(m, target, delay)
				states[target.Name] = describeState(l.Snapshot()) // before its first poll
				if !m.started && err == nil {
					m.logOperation(target, states[target.Name], "starting", "version", version.Info())
				}
				if errors.Is(err, postgres.ErrUnavailable) && !m.started {
					err = nil // It is loaded once the database is there.
				}
				return l, err
			},
		}
	}
	changed, err := m.operations.apply(ctx, members)
	if m.started {
		m.logChanges(changed, targets, states)
	}
	return err
}

// logChanges logs which operations a reload has added, changed, removed or loaded.
func (m *Manager) logChanges(c changes, targets []config.Target, states map[string]string) {
	for _, name := range c.removed {
		level.Info(m.options.Logger).Log("msg", "operation removed", "operation", name)
	}
	messages := map[string]string{}
	for message, names := range map[string][]string{
		"operation added": c.added, "operation changed": c.changed, "operation loaded": c.loaded,
	} {
		for _, name := range names {
			messages[name] = message
		}
	}
	for _, target := range targets {
		if message := messages[target.Name]; message != "" {
			m.logOperation(target, states[target.Name], message)
		}
	}
}

// logOperation logs how an operation is configured, and the state that it resumes from.
func (m *Manager) logOperation(target config.Target, state, message string, keyvals ...any) {
	line := append([]any{"msg", message}, keyvals...)
	level.Info(m.options.Logger).Log(append(line, "operation", target.Name, "api", target.Base.Redacted(), "timezone", target.Zone, "state", state)...)
}

// describeState describes a loaded state in a few words for a log line.
func describeState(s *status.Snapshot) string {
	switch {
	case s.View == nil:
		return "not loaded"
	case s.View.Progress.CompleteUntil.IsZero():
		return "new"
	default:
		return "complete until " + s.View.Progress.CompleteUntil.UTC().Format(time.RFC3339)
	}
}
