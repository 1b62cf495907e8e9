// Command wolkvox_exporter polls the chat report of a wolkvox contact centre
// and serves its figures to Prometheus.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // An image from scratch has no time zones.

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	_ "golang.org/x/crypto/x509roots/fallback" // Nor has it certificate authorities.
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program. It answers with its exit status.
func run(args []string, stdout, stderr io.Writer) int {
	settings, done, err := parse(args, stdout, stderr)
	if err != nil {
		fmt.Fprintf(stderr, "%s: error: %s, try --help\n", program, oneLine(err))
		return 2
	}
	if done {
		return 0
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logger := newLogger(stderr, settings.logLevel, settings.logFormat)
	captureLibraryLogs(withTime(logger)) // before there is a goroutine that could use them
	settings.busy = &tasks{}
	status, ended := await(ctx, func() int { return settings.execute(ctx, logger, stdout, stderr) })
	if !ended {
		fmt.Fprintf(stderr, "%s: error: %s after the signal still busy with %s: left as it is\n",
			program, shutdownTimeout, cmp.Or(settings.busy.String(), "the command "+settings.command))
		return 1
	}
	return status
}

// execute runs the command of the command line. It answers with the exit status.
func (s *settings) execute(ctx context.Context, logger log.Logger, stdout, stderr io.Writer) int {
	if s.command == checkCommand {
		return s.checkup(ctx, stdout)
	}
	command := s.serve
	switch s.command {
	case demoCommand:
		command = s.demo
	case backfillCommand:
		command = func(ctx context.Context, _ log.Logger) error { return s.runBackfill(ctx, stdout, stderr) }
	case stateListCommand, stateRenameCommand, stateRemoveCommand:
		command = func(context.Context, log.Logger) error { return s.runState(stdout) }
	}
	if err := command(ctx, logger); err != nil {
		fmt.Fprintf(stderr, "%s: error: %s\n", program, oneLine(err))
		return 1
	}
	return 0
}

// oneLine is an error's text for a log: those of files have a line for each thing
// that is wrong.
func oneLine(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.ReplaceAll(strings.Join(lines, "; "), ":; ", ": ")
}

// withTime adds to each line when and where it was logged.
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
