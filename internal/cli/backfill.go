package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/backfill"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	backfillCommand = "backfill"

	stdoutPath = "-"
)

// backfillFlags holds the flags of the command backfill.
type backfillFlags struct {
	operation string
	from, to  string
	step      config.Duration
	output    string
	resume    bool
	labels    map[string]string
}

var (
	labelName = regexp.MustCompile(`^(?:[a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9_]*$`) // Prometheus reserves names that begin with __.
	// seriesLabels are the labels that the series have without --label.
	seriesLabels = []string{"operation", "rp_id", "channel", "sender", "last_sender", "agent_id", "le", "quantile"}
)

func (f *backfillFlags) add(app *kingpin.Application) {
	command := app.Command(backfillCommand, "Write the chats of a past time span as OpenMetrics, for promtool tsdb create-blocks-from openmetrics.")
	command.Flag("operation", "Name of the operation, if the --config.file has several.").StringVar(&f.operation)
	const timeFormats = "RFC 3339, or 2006-01-02[ 15:04[:05]] in the operation's time zone"
	command.Flag("from", "Start of the time span: "+timeFormats+".").Required().StringVar(&f.from)
	command.Flag("to", "End of the time span, in the same format.").Required().StringVar(&f.to)
	command.Flag("step", "Time between two samples of a series.").Default("5m").SetValue(namedValue{&f.step, "step"})
	command.Flag("output", "File to write; - = standard output.").Default(stdoutPath).StringVar(&f.output)
	f.labels = map[string]string{}
	command.Flag("label", "Label to add to each series, such as the job=wolkvox that a scrape adds. Repeatable.").
		PlaceHolder("NAME=VALUE").StringMapVar(&f.labels)
	command.Flag("resume", "Resume an interrupted run.").BoolVar(&f.resume)
}

// runBackfill writes samples to a file or to stdout, and progress to stderr.
func (c *command) runBackfill(ctx context.Context) error {
	targets, err := c.targets(ctx)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	target, err := c.backfilling.choose(targets)
	if err != nil {
		return err
	}
	if target.Problem != nil {
		return target.Problem
	}
	options, err := c.backfilling.options(target.Zone)
	if err != nil {
		return err
	}
	progress := c.stderr
	if isTerminal(progress) {
		options.Bar = backfill.NewBar(progress)
		progress = options.Bar
	}
	options.Stdout = c.stdout
	options.Logger = withTime(newLogger(progress, c.logLevel, c.logFormat))
	captureLibraryLogs(options.Logger) // Its lines do not break the progress bar.
	options.Operation = target.Name
	options.Lookback = target.Operation.Poll.ReconcileWindow.Duration
	options.Ledger = ledger.Options{MaxLabelSets: c.maxLabelSets, Agents: c.agents, Bounds: target.Operation.Buckets.Bounds()}
	return backfill.Run(ctx, newHistory(target, options.Logger), options)
}

// newHistory returns a reader of the report of an operation, without agent names and
// conn_ids.
func newHistory(target config.Target, logger log.Logger) *reader.History {
	return reader.NewHistory(newClient(target), reader.Options{
		Zone:     target.Zone,
		Logger:   log.With(logger, "operation", target.Name),
		Interval: target.Operation.Poll.Interval.Duration,
		Timeout:  target.Operation.Timeout.Duration,
	})
}

// choose returns the target with the name of --operation, or the only one.
func (f *backfillFlags) choose(targets []config.Target) (config.Target, error) {
	var names []string
	for _, target := range targets {
		if target.Name == f.operation || len(targets) == 1 && f.operation == "" {
			return target, nil
		}
		names = append(names, target.Name)
	}
	return config.Target{}, fmt.Errorf("invalid --operation %q: must be one of: %s", f.operation, strings.Join(names, ", "))
}

// options returns the options that these flags set.
func (f *backfillFlags) options(zone *time.Location) (o backfill.Options, err error) {
	if o.From, err = parseTime("--from", f.from, zone); err != nil {
		return o, err
	}
	if o.To, err = parseTime("--to", f.to, zone); err != nil {
		return o, err
	}
	for name := range f.labels {
		if !labelName.MatchString(name) || slices.Contains(seriesLabels, name) {
			return o, fmt.Errorf("invalid --label %q: must be the name of a label that the series do not have, such as job or instance", name)
		}
	}
	o.Labels = f.labels
	switch o.Zone, o.Step = zone, f.step.Duration; {
	case !o.From.Before(o.To):
		return o, fmt.Errorf("invalid --from %q: must be before --to %q", f.from, f.to)
	case o.To.After(time.Now()):
		return o, fmt.Errorf("invalid --to %q: must not be in the future", f.to)
	case o.Step%time.Second != 0:
		return o, fmt.Errorf("invalid --step %q: must be a whole number of seconds", o.Step.String())
	case f.output != stdoutPath:
		o.Output, o.Resume = f.output, f.resume
	case f.resume:
		return o, errors.New("--resume needs the --output of the interrupted run: nothing is kept of a run to standard output")
	}
	return o, nil
}

// parseTime parses RFC 3339 or a local time. A local time that occurs twice, because clocks
// go back, is the later of the two.
func parseTime(flag, text string, zone *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Nanosecond() == 0 {
		return t, nil
	}
	for _, layout := range []string{time.DateTime, "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil && t.Nanosecond() == 0 {
			return wolkvox.ToLocalTime(t).LastIn(zone), nil
		}
	}
	return time.Time{}, fmt.Errorf("invalid %s %q (examples: 2026-01-18T19:34:31-05:00, or in the operation's time zone 2026-01-18 19:34)", flag, text)
}
