package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/version"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	sloggokit "github.com/tjhop/slog-gokit"
	"golang.org/x/sync/errgroup"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fleet"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/web"
)

// goodbye is what scrapes under way get to finish in.
const goodbye = 3 * time.Second

// serve polls and serves until ctx is done.
func (s *settings) serve(ctx context.Context, logger log.Logger) error {
	if err := s.checkWebConfig(); err != nil {
		return err
	}
	// The toolkit's messages bring a time and a caller of their own.
	quietLogger := slog.New(sloggokit.NewGoKitHandler(logger, slog.LevelDebug))
	logger = withTime(logger)
	if _, err := memlimit.Set(memlimit.WithProvider(memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem))); err != nil {
		level.Debug(logger).Log("msg", "no memory limit set", "err", err)
	}

	// From here on: a SIGHUP that nobody listens to would end the program.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	group, ctx := errgroup.WithContext(ctx)
	listening := make(chan struct{})

	registry := prometheus.NewRegistry()
	operations := &operations{settings: s, logger: logger, listening: listening, fleet: fleet.New(), isStarting: true, loaded: newLoaded(registry)}
	defer operations.close()
	if err := operations.load(ctx); ctx.Err() != nil {
		level.Info(logger).Log("msg", "stopped")
		return nil
	} else if err != nil {
		return err
	}
	operations.isStarting = false
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(program),
		operations.fleet,
	)

	announce := sync.OnceFunc(func() { close(listening) })
	server := web.NewServer(web.Handler(s.webOptions(ctx, operations, registry, logger)), web.DefaultLimits)
	server.BaseContext = func(net.Listener) context.Context {
		announce()
		return context.Background()
	}
	server.ErrorLog = newLibraryLogger(logger) // A line can hold what a client has sent.
	group.Go(func() error {
		operations.reloadOn(ctx, hangups)
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
		operations.fleet.Close()
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
	err := group.Wait()
	level.Info(logger).Log("msg", "stopped")
	return err
}

// maxWebConfig is the size of the largest --web.config.file.
const maxWebConfig = 4 << 20

// checkWebConfig checks the file that the toolkit reads.
func (s *settings) checkWebConfig() error {
	defer s.busy.begin("reading --web.config.file")()
	file := *s.web.WebConfigFile
	var err error
	if file != "" {
		err = regular.Check(file, maxWebConfig)
	}
	if err == nil {
		err = toolkit.Validate(file)
	}
	if err != nil {
		return fmt.Errorf("--web.config.file %q: %w", file, err)
	}
	return nil
}

func (s *settings) webOptions(ctx context.Context, o *operations, registry *prometheus.Registry, logger log.Logger) web.Options {
	options := web.Options{
		TelemetryPath: s.telemetryPath,
		Metrics:       collector.NewExposition(registry, o.books(), errorLog{logger}),
		Operations: func() []web.Operation {
			var all []web.Operation
			for _, operation := range o.fleet.Operations() {
				all = append(all, web.Operation{Name: operation.Name, Source: operation.Runner})
			}
			return all
		},
		Version: release(),
	}
	if s.lifecycle {
		options.Reload = func() error { return o.reloadUnlessBusy(ctx) }
	}
	return options
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
