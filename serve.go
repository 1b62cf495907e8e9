package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	sloggokit "github.com/tjhop/slog-gokit"
	"golang.org/x/sync/errgroup"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/web"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// goodbye is what scrapes under way get to finish in.
const goodbye = 3 * time.Second

// serve polls and serves until ctx is done.
func (s *settings) serve(ctx context.Context, logger log.Logger) error {
	target, err := s.operation.Resolve()
	if err != nil {
		return err
	}
	if err := toolkit.Validate(*s.web.WebConfigFile); err != nil {
		return fmt.Errorf("--web.config.file %q: %w", *s.web.WebConfigFile, err)
	}
	// The toolkit's messages bring a time and a caller of their own.
	quietLogger := slog.New(sloggokit.NewGoKitHandler(logger, slog.LevelDebug))
	logger = log.With(logger, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
	if _, err := memlimit.Set(memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem))); err != nil {
		level.Debug(logger).Log("msg", "no memory limit set", "err", err)
	}

	states, closeStates, err := s.openStorage()
	if err != nil {
		return err
	}
	defer closeStates()

	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(program),
	)
	polled, err := s.newPoller(target, states(target.Name), registry, logger)
	if err != nil {
		return err
	}
	registry.MustRegister(collector.New(
		[]collector.Operation{{Name: target.Name, Source: polled}},
		collector.Options{ZeroHold: s.zeroHold.Duration, NativeHistograms: s.nativeHistograms},
	))
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		ErrorLog:          errorLog{logger},
		Registry:          registry,
	})
	group, ctx := errgroup.WithContext(ctx)
	listening, announce := context.WithCancel(ctx)
	defer announce()
	server := &http.Server{
		BaseContext: func(net.Listener) context.Context {
			announce()
			return context.Background()
		},
		Handler:           web.Handler(s.telemetryPath, metrics, []web.Operation{{Name: target.Name, Source: polled}}, release()),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(quietLogger.Handler(), slog.LevelDebug),
	}

	level.Info(logger).Log("msg", "starting", "version", version.Info(), "operation", target.Name, "api", target.Base.Redacted(), "timezone", target.Zone)
	group.Go(func() error {
		// An exporter that nobody can scrape spends no requests.
		<-listening.Done()
		polled.Run(ctx)
		return nil
	})
	group.Go(func() error {
		if err := toolkit.ListenAndServe(server, s.web, quietLogger); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if err := server.Shutdown(farewell); err != nil {
			return server.Close()
		}
		return nil
	})
	err = group.Wait()
	level.Info(logger).Log("msg", "stopped")
	return err
}

// openStorage opens the folder of the states, or keeps them in memory.
func (s *settings) openStorage() (states func(operation string) poller.Store, closeAll func(), err error) {
	if s.storagePath == "" {
		return func(string) poller.Store { return &store.Memory{} }, func() {}, nil
	}
	folder, err := store.Open(s.storagePath)
	if err != nil {
		return nil, nil, err
	}
	// The process ends next, and with it the lock.
	return func(operation string) poller.Store { return folder.File(operation) }, func() { _ = folder.Close() }, nil
}

func (s *settings) newPoller(target config.Target, states poller.Store, registry prometheus.Registerer, logger log.Logger) (*poller.Poller, error) {
	options := []wolkvox.Option{
		wolkvox.WithServer(target.Server),
		wolkvox.WithTimeout(s.timeout.Duration),
		wolkvox.WithObserver(collector.NewAPIMetrics(registry, target.Name).Observe),
	}
	if s.agentNames {
		options = append(options, wolkvox.WithAgentNames())
	}
	if s.exemplars {
		options = append(options, wolkvox.WithConnIDs())
	}
	client := wolkvox.NewClient(target.Base, target.Token, options...)
	return poller.New(client, collector.MeasureSaves(registry, target.Name, states), poller.Options{
		Operation:         target.Name,
		Zone:              target.Zone,
		Logger:            logger,
		Interval:          s.interval.Duration,
		Overlap:           s.overlap.Duration,
		ReconcileInterval: s.reconcileInterval.Duration,
		ReconcileWindow:   s.reconcileWindow.Duration,
		InitialWindow:     s.initialWindow.Duration,
		MaxCatchUp:        s.maxCatchUp.Duration,
		Book:              ledger.Options{MaxLabelSets: s.maxLabelSets, Agents: s.agents},
		Timeout:           s.timeout.Duration,
	})
}

// errorLog lets promhttp log to a go-kit logger.
type errorLog struct{ logger log.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(v ...any) {
	level.Error(l.logger).Log("msg", "gathering the metrics failed", "err", fmt.Sprint(v...))
}

// release names this build. One by go run or go build has no version.
func release() string {
	if version.Version == "" {
		return program + ", built without a version"
	}
	return program + " " + version.Version + ", revision " + version.Revision
}
