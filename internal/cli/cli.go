// Package cli reads the command line and runs the commands.
package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/fault"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// program is the name of the executable.
const program = "wolkvox_exporter"

// command is a run of one command.
type command struct {
	flags
	stdout, stderr io.Writer
	logger         log.Logger // without time and caller
	tasks          tasks
}

// Run runs the program until it ends by itself or by a signal, and returns the exit
// status. args does not include the name of the program.
func Run(args []string, stdout, stderr io.Writer) int {
	flags, done, err := parse(args, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "%s: error: %s, try --help\n", program, fault.OneLine(err))
		return 2
	}
	if done {
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c := &command{flags: flags, stdout: stdout, stderr: stderr, logger: newLogger(stderr, flags.logLevel, flags.logFormat)}
	captureLibraryLogs(withTime(c.logger)) // before any goroutine can log
	status, ended := await(ctx, func() int { return c.run(ctx) })
	if !ended {
		fmt.Fprintf(stderr, "%s: error: %s after the signal, still busy with %s: exiting anyway\n",
			program, shutdownTimeout, cmp.Or(c.tasks.String(), "the command "+flags.command))
		return 1
	}
	return status
}

// run runs the command that was given and returns the exit status.
func (c *command) run(ctx context.Context) int {
	var err error
	switch c.command {
	case checkCommand:
		return c.check(ctx)
	case demoCommand:
		err = c.demo(ctx)
	case backfillCommand:
		err = c.runBackfill(ctx)
	case stateListCommand, stateRenameCommand, stateRemoveCommand, stateImportCommand, stateExportCommand, stateMigrateCommand:
		err = c.runState(ctx)
	default:
		err = c.serve(ctx)
	}
	if err != nil {
		fmt.Fprintf(c.stderr, "%s: error: %s\n", program, fault.OneLine(err))
		return 1
	}
	return 0
}

// targets reads the operations of the configuration.
func (c *command) targets(ctx context.Context) ([]config.Target, error) {
	defer c.tasks.begin("reading the configuration")()
	if c.configFile != "" {
		return config.Load(ctx, c.configFile, config.Defaults{TimeZone: c.operation.TimeZone, Timeout: c.operation.Timeout, Poll: c.operation.Poll})
	}
	target, err := c.operation.Resolve()
	return []config.Target{target}, err
}

// newClient returns a client with the options that all commands share.
func newClient(target config.Target, options ...wolkvox.Option) *wolkvox.Client {
	options = append(options,
		wolkvox.WithServer(target.Operation.Server), wolkvox.WithTimeout(target.Operation.Timeout.Duration),
		wolkvox.WithZone(target.Zone), wolkvox.WithUserAgent(userAgent()))
	if target.Transport != nil {
		options = append(options, wolkvox.WithTransport(target.Transport))
	}
	return wolkvox.NewClient(target.Base, target.Token, options...)
}

// newPollingClient returns a client for polling, with the options that flags set.
func (c *command) newPollingClient(target config.Target, options ...wolkvox.Option) *wolkvox.Client {
	if c.agentNames {
		options = append(options, wolkvox.WithAgentNames())
	}
	if c.exemplars {
		options = append(options, wolkvox.WithConnIDs())
	}
	return newClient(target, options...)
}

// userAgent returns the User-Agent header. A build by go run or go build has no version.
func userAgent() string {
	if version.Version == "" {
		return program
	}
	return program + "/" + version.Version
}

// release returns the name, version and revision of this build.
func release() string {
	if version.Version == "" {
		return program + ", built without a version"
	}
	return program + " " + version.Version + ", revision " + version.Revision
}

// withTime adds the time and the caller to each line.
func withTime(logger log.Logger) log.Logger {
	return log.With(logger, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller)
}

func newLogger(w io.Writer, severity, format string) log.Logger {
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return level.NewFilter(logger, level.Allow(level.ParseDefault(severity, level.InfoValue())))
}
