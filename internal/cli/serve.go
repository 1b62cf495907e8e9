package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	sloggokit "github.com/tjhop/slog-gokit"
	"golang.org/x/sync/errgroup"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/manager"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/systemd"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/web"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// scrapeTimeout is how long scrapes under way have to finish after a signal.
const scrapeTimeout = 3 * time.Second

// gcPercent is less than Go's default of 100. Most of the heap lives long, and a poll allocates
// little, so less memory costs hardly any CPU time.
const gcPercent = 75

// serve polls and serves until ctx is done.
func (c *command) serve(ctx context.Context) error {
	if err := c.checkWebConfig(); err != nil {
		return err
	}
	logger := withTime(c.logger)
	if _, err := memlimit.Set(memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem))); err != nil {
		level.Debug(logger).Log("msg", "no memory limit set", "err", err)
	}

	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}

	// Registered before anything starts: an unhandled SIGHUP would end the program.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	group, ctx := errgroup.WithContext(ctx)
	registry := prometheus.NewRegistry()
	listening := make(chan struct{})
	notifier := systemd.NewNotifier(logger)
	operations := c.newManager(registry, listening, notifier.BeginReload, logger)
	defer operations.Close()
	var loaded string
	if c.autoReloadInterval.Duration > 0 {
		loaded = c.fingerprint()
	}
	if err := operations.Start(ctx); ctx.Err() != nil {
		level.Info(logger).Log("msg", "stopped")
		return nil
	} else if err != nil {
		return err
	}
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(program),
	)

	handler := web.Handler(c.webOptions(ctx, operations, registry, logger))
	server := web.NewServer(handler, web.DefaultLimits)
	startPolling := sync.OnceFunc(func() {
		close(listening)
		notifier.Ready()
	})
	server.BaseContext = func(net.Listener) context.Context {
		startPolling()
		return context.Background()
	}
	server.ErrorLog = newLibraryLogger(logger) // A line can contain what a client has sent.
	group.Go(func() error {
		operations.ReloadOn(ctx, hangups)
		return nil
	})
	if c.autoReloadInterval.Duration > 0 {
		group.Go(func() error {
			c.reloadOnChange(ctx, operations, loaded)
			return nil
		})
	}
	group.Go(func() error {
		// The toolkit adds the time and the caller itself.
		toolkitLogger := slog.New(sloggokit.NewGoKitHandler(c.logger, slog.LevelDebug))
		if err := toolkit.ListenAndServe(server, c.web, toolkitLogger); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serving: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		notifier.Run(ctx, systemd.Process{Snapshots: operations.Snapshots, Handler: handler, CheckPath: web.HealthyPath})
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		notifier.Stopping()
		operations.Stop()
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		shutdownCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), scrapeTimeout)
		defer cancel()
		if err := server.Shutdown(shutdownCtx); err != nil {
			return server.Close()
		}
		return nil
	})
	err := group.Wait()
	level.Info(logger).Log("msg", "stopped")
	return err
}

func (c *command) newManager(reg prometheus.Registerer, listening <-chan struct{}, beginReload func() (end func()), logger log.Logger) *manager.Manager {
	var limiter wolkvox.TokenLimiter
	return manager.New(reg, manager.Options{
		Targets: c.targets,
		NewClient: func(target config.Target, options ...wolkvox.Option) *wolkvox.Client {
			return c.newPollingClient(target, append(options, wolkvox.WithTokenLimiter(&limiter))...)
		},
		StoragePath: c.storagePath,
		Database:    c.database,
		Ledger:      ledger.Options{MaxLabelSets: c.maxLabelSets, Agents: c.agents},
		Collector: collector.Options{
			ZeroHold:           c.zeroHold.Duration,
			NativeHistograms:   c.nativeHistograms,
			OmitClassicBuckets: !c.classicHistograms,
		},
		Listening:    listening,
		BeginTask:    c.tasks.begin,
		BeginReload:  beginReload,
		RunningTasks: c.tasks.String,
		Logger:       logger,
	})
}

// maxWebConfig is the maximum size of --web.config.file.
const maxWebConfig = 4 << 20

// checkWebConfig checks the file that the toolkit reads.
func (c *command) checkWebConfig() error {
	defer c.tasks.begin("reading --web.config.file")()
	file := *c.web.WebConfigFile
	var err error
	if file != "" {
		err = regular.Check(file, maxWebConfig)
	}
	if err == nil {
		err = toolkit.Validate(file)
	}
	if err != nil {
		return fmt.Errorf("invalid --web.config.file %q: %w", file, err)
	}
	return nil
}

func (c *command) webOptions(ctx context.Context, operations *manager.Manager, registry *prometheus.Registry, logger log.Logger) web.Options {
	options := web.Options{
		TelemetryPath: c.telemetryPath,
		Metrics:       exposition.NewHandler(registry, operations.Groups, errorLog{logger}),
		Snapshots:     operations.Snapshots,
		Version:       release(),
	}
	if c.lifecycle {
		options.Reload = func() error {
			err := operations.Reload(ctx)
			if errors.Is(err, manager.ErrReloading) {
				return web.ErrReloading
			}
			return err
		}
	}
	return options
}

// errorLog logs the errors of a scrape.
type errorLog struct{ logger log.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(v ...any) {
	level.Error(l.logger).Log("msg", "gathering the metrics failed", "err", fmt.Sprint(v...))
}
