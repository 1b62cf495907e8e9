package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/common/version"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fleet"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/web"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Names change seldom; a look at the day's requests costs one of them.
const (
	routingPointsInterval = 24 * time.Hour
	tokenInfoInterval     = time.Hour
)

// operations are those of the configuration, which may be read again.
type operations struct {
	*settings
	logger    log.Logger
	listening <-chan struct{} // closed when somebody can scrape
	fleet     *fleet.Fleet
	turns     wolkvox.Turns

	isStarting bool // until the configuration is loaded for the first time

	mu      sync.Mutex // held by a reload
	loaded  prometheus.Gauge
	storage *storage // opened when there is something to keep
}

func newLoaded(reg prometheus.Registerer) prometheus.Gauge {
	return promauto.With(reg).NewGauge(prometheus.GaugeOpts{
		Name: "wolkvox_exporter_config_last_reload_successful",
		Help: "Whether the configuration that was read last is the one in use: 1 if it is.",
	})
}

// load reads the configuration and applies it.
func (o *operations) load(ctx context.Context) error {
	end := o.reportSlowLoad()
	err := o.apply(ctx)
	end()
	loaded := 0.0
	if err == nil {
		loaded = 1
	}
	o.loaded.Set(loaded)
	return err
}

// slowLoad is how long loading the configuration takes before that is reported.
const slowLoad = 10 * time.Second

// reportSlowLoad reports, once, a configuration that takes long to load, until end is
// called: what hangs has no other way to be seen.
func (o *operations) reportSlowLoad() (end func()) {
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-time.After(slowLoad):
			o.loaded.Set(0)
			level.Warn(o.logger).Log("msg", "loading the configuration takes long", "so_far", slowLoad, "busy_with", o.busy)
		case <-done:
		}
	})
	return func() {
		close(done)
		watch.Wait()
	}
}

func (o *operations) apply(ctx context.Context) error {
	targets, err := o.targets(ctx)
	if err != nil {
		return err
	}
	if o.storage == nil {
		end := o.busy.begin("opening the storage folder")
		o.storage, err = openStorage(o.storagePath)
		end()
		if err != nil {
			return err
		}
	}
	members, states := make([]fleet.Member, len(targets)), map[string]string{}
	for i, target := range targets {
		members[i] = fleet.Member{
			Name: target.Name, Settings: target.Operation, Required: o.isStarting && len(targets) == 1,
			Make: func() (fleet.Runner, prometheus.Collector, error) {
				l, err := newLoader(o, target)
				states[target.Name] = describeState(l.Snapshot()) // before its first poll
				if o.isStarting && err == nil {
					o.logOperation(target, states[target.Name], "starting", "version", version.Info())
				}
				return l, l, err
			},
		}
	}
	changes, err := o.fleet.Apply(ctx, members)
	if !o.isStarting {
		o.report(changes, targets, states)
	}
	return err
}

// report logs which operations a reload has added, changed, removed or loaded, and what
// each was made with.
func (o *operations) report(changes fleet.Changes, targets []config.Target, states map[string]string) {
	for _, name := range changes.Removed {
		level.Info(o.logger).Log("msg", "operation removed", "operation", name)
	}
	messages := map[string]string{}
	for message, names := range map[string][]string{
		"operation added": changes.Added, "operation changed": changes.Changed, "operation loaded": changes.Loaded,
	} {
		for _, name := range names {
			messages[name] = message
		}
	}
	for _, target := range targets {
		if message := messages[target.Name]; message != "" {
			o.logOperation(target, states[target.Name], message)
		}
	}
}

// logOperation logs what an operation is, and whether it goes on from a saved state.
func (o *operations) logOperation(target config.Target, state, message string, keyvals ...any) {
	line := append([]any{"msg", message}, keyvals...)
	level.Info(o.logger).Log(append(line, "operation", target.Name, "api", target.Base.Redacted(), "timezone", target.Zone, "state", state)...)
}

// describeState tells an operation that goes on from one that begins.
func describeState(s poller.Snapshot) string {
	switch {
	case s.View == nil:
		return "not loaded"
	case s.View.Progress.CompleteUntil.IsZero():
		return "new"
	default:
		return "complete until " + s.View.Progress.CompleteUntil.UTC().Format(time.RFC3339)
	}
}

// close ends all operations.
func (o *operations) close() {
	o.fleet.Close()
	o.storage.close()
}

// reloadUnlessBusy returns web.ErrReloading if a reload is under way.
func (o *operations) reloadUnlessBusy(ctx context.Context) error {
	if !o.mu.TryLock() {
		return web.ErrReloading
	}
	defer o.mu.Unlock()
	return o.reload(ctx)
}

// reload is load while the program runs. The caller holds o.mu.
func (o *operations) reload(ctx context.Context) error {
	err := o.load(ctx)
	if ctx.Err() != nil {
		return err // The program is about to end.
	}
	if err != nil {
		level.Error(o.logger).Log("msg", "reloading the configuration failed", "err", oneLine(err))
	} else {
		notLoaded := 0
		for _, operation := range o.fleet.Operations() {
			if operation.Runner.Snapshot().Status.NotLoaded != "" {
				notLoaded++
			}
		}
		level.Info(o.logger).Log("msg", "configuration reloaded", "operations", len(o.fleet.Operations()), "not_loaded", notLoaded)
	}
	return err
}

// reloadOn reloads at each signal until ctx is done. One that arrives during a reload
// is followed by another, as the file may have changed behind the reader.
func (o *operations) reloadOn(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
			o.mu.Lock()
			_ = o.reload(ctx) // It has logged what was wrong.
			o.mu.Unlock()
		case <-ctx.Done():
			return
		}
	}
}

// books show those of the operations that run.
func (o *operations) books() *collector.Books {
	running := func() []collector.Operation {
		var all []collector.Operation
		for _, operation := range o.fleet.Operations() {
			all = append(all, collector.Operation{Name: operation.Name, Source: operation.Runner})
		}
		return all
	}
	return collector.NewBooks(running, collector.Options{ZeroHold: o.zeroHold.Duration, NativeHistograms: o.nativeHistograms})
}

// operation loads one to be polled, with the metrics of it that are not its book's.
func (o *operations) operation(target config.Target) (*loadedOperation, error) {
	metrics := prometheus.NewRegistry()
	options := append(o.clientOptions(target), wolkvox.WithObserver(collector.NewAPIMetrics(metrics, target.Name).Observe))
	client := wolkvox.NewClient(target.Base, target.Token, options...)
	store := collector.MeasureSaves(metrics, target.Name, o.storage.state(target.Name))
	polled, err := poller.New(client, store, o.pollerOptions(target, client))
	if err != nil {
		return nil, err
	}
	metrics.MustRegister(collector.NewPolling(collector.Operation{Name: target.Name, Source: polled}))
	return &loadedOperation{polled, metrics}, nil
}

// clientOptions are those of a client that polls.
func (o *operations) clientOptions(target config.Target) []wolkvox.Option {
	options := append(reach(target), wolkvox.WithTurns(&o.turns))
	if o.agentNames {
		options = append(options, wolkvox.WithAgentNames())
	}
	if o.exemplars {
		options = append(options, wolkvox.WithConnIDs())
	}
	return options
}

// reach are the options that every client of an operation needs.
func reach(target config.Target) []wolkvox.Option {
	options := []wolkvox.Option{
		wolkvox.WithServer(target.Operation.Server), wolkvox.WithTimeout(target.Operation.Timeout.Duration),
		wolkvox.WithZone(target.Zone), wolkvox.WithUserAgent(userAgent()),
	}
	if target.Transport != nil {
		options = append(options, wolkvox.WithTransport(target.Transport))
	}
	return options
}

// userAgent names this build to the API. One by go run or go build has no version.
func userAgent() string {
	if version.Version == "" {
		return program
	}
	return program + "/" + version.Version
}

func (o *operations) pollerOptions(target config.Target, client *wolkvox.Client) poller.Options {
	poll := &target.Operation.Poll
	return poller.Options{
		Operation:         target.Name,
		Zone:              target.Zone,
		Logger:            o.logger,
		Interval:          poll.Interval.Duration,
		Overlap:           poll.Overlap.Duration,
		ReconcileInterval: poll.ReconcileInterval.Duration,
		ReconcileWindow:   poll.ReconcileWindow.Duration,
		InitialWindow:     poll.InitialWindow.Duration,
		MaxCatchUp:        poll.MaxCatchUp.Duration,
		Book:              ledger.Options{MaxLabelSets: o.maxLabelSets, Agents: o.agents, Bounds: bounds(&target.Operation.Buckets)},
		Timeout:           target.Operation.Timeout.Duration,

		Information:           client,
		RoutingPointsInterval: routingPointsInterval,
		TokenInfoInterval:     tokenInfoInterval,
		RoutingPoints:         target.Operation.RoutingPoints,
	}
}

// bounds are a configuration's buckets by measure.
func bounds(b *config.Buckets) [ledger.Measures][]float64 {
	return [ledger.Measures][]float64{
		ledger.BotTime:            b.BotTime,
		ledger.SpeedOfAnswer:      b.SpeedOfAnswer,
		ledger.HandleTime:         b.HandleTime,
		ledger.Duration:           b.Duration,
		ledger.Messages:           b.Messages,
		ledger.CustomerCharacters: b.Characters,
		ledger.AgentCharacters:    b.Characters,
	}
}
