// Package backfill writes the chats of a past time span as OpenMetrics with timestamps, in
// the series that the exporter shows.
//
// The report is read once, oldest first, and chats are counted in the order of their ends.
// This yields the samples sample time by sample time, but OpenMetrics needs them series by
// series. In between they are in a spool on disk, so that memory does not grow with the time
// span.
package backfill

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
)

// Options holds what to write, and where.
type Options struct {
	Operation string
	Zone      *time.Location // the operation's wall clock
	// From, To and Step are whole seconds. Chats that ended after From and no later than To
	// are counted.
	From, To time.Time
	Step     time.Duration
	// Lookback is how long before From the report is read: chats are listed by their start.
	Lookback time.Duration
	Ledger   ledger.Options
	// Labels are added to each series, such as the job and instance that a scrape adds.
	Labels map[string]string

	Output string    // a file; empty for Stdout
	Resume bool      // resume the interrupted run of Output
	Stdout io.Writer // receives the samples if there is no Output

	Logger log.Logger
	Bar    *Bar // shows progress instead of the log; may be nil
}

// sampleCount returns the number of samples of each series.
func (o *Options) sampleCount() int { return int((o.To.Sub(o.From)+o.Step-1)/o.Step) + 1 }

// sampleTime returns the time of the n-th sample. The last one is at To, even if that is less
// than a step after the one before.
func (o *Options) sampleTime(n int) time.Time {
	if t := o.From.Add(time.Duration(n) * o.Step); t.Before(o.To) {
		return t
	}
	return o.To
}

// Run reads the report and writes the samples. An output file exists only once it is
// complete. Until then, a folder beside it holds what was read, for a run that resumes.
func Run(ctx context.Context, history *reader.History, o Options) error {
	folder, err := o.folder()
	if err != nil {
		return err
	}
	spool, err := openSpool(filepath.Join(folder, "spool"), o.settings())
	if err != nil {
		return err
	}
	j := &job{Options: o, history: history, folder: folder, spool: spool}
	err = errors.Join(j.run(ctx), spool.close())
	if err != nil && o.Output != "" && !j.Read.IsZero() {
		return fmt.Errorf("%w; to resume from %q, run the same command with --resume", err, folder)
	}
	return errors.Join(err, os.RemoveAll(folder))
}

// folder returns the folder of the spool, and creates it for a new run.
func (o *Options) folder() (string, error) {
	if o.Output == "" {
		return os.MkdirTemp("", "wolkvox_exporter-backfill-")
	}
	if _, err := os.Lstat(o.Output); err == nil {
		return "", fmt.Errorf("%q already exists: delete it, or choose another --output", o.Output)
	}
	folder := o.Output + ".partial"
	if o.Resume {
		if _, err := os.Stat(folder); err != nil {
			return "", fmt.Errorf("nothing to resume: %w", err)
		}
		return folder, nil
	}
	err := os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%q belongs to an interrupted run: resume it with --resume, or delete it", folder)
	}
	return folder, err
}

// settings returns the options that must be those of the run to resume.
func (o *Options) settings() settings {
	return settings{
		{"operation", o.Operation},
		{"--from", o.From.UTC().Format(time.RFC3339)},
		{"--to", o.To.UTC().Format(time.RFC3339)},
		{"--step", o.Step.String()},
		{"--wolkvox.timezone", o.Zone.String()},
		{"--poll.reconcile-window", o.Lookback.String()},
		{"--collector.agents", fmt.Sprint(o.Ledger.Agents)},
		{"--collector.max-label-sets", fmt.Sprint(o.Ledger.MaxLabelSets)},
		{"buckets", fmt.Sprint(o.Ledger.Bounds)},
		{"--label", fmt.Sprintf("%q", o.Labels)},
	}
}

// job is a backfill under way.
type job struct {
	Options
	position

	history  *reader.History
	folder   string
	spool    *spool
	counter  *counter
	metrics  *prometheus.Registry
	progress *progress

	unreadable int // seconds that were skipped since this process started
}

func (j *job) run(ctx context.Context) error {
	if err := j.open(); err != nil {
		return err
	}
	err := j.read(ctx)
	if err == nil {
		err = j.writeOutput(ctx)
	}
	j.Bar.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err == nil {
		records := j.counter.ledger.View().Counts.Records
		level.Info(j.Logger).Log("msg", "done", "chats", records[ledger.Counted], "invalid_rows", records[ledger.Invalid], "unreadable_seconds", j.unreadable)
	}
	return err
}

// open continues at the position that the spool has saved.
func (j *job) open() error {
	var err error
	if j.position, err = j.spool.position(); err != nil {
		return err
	}
	counts := ledger.New(j.Ledger)
	if !j.Read.IsZero() {
		if counts, err = ledger.Unmarshal(j.State, j.Ledger, time.Now()); err != nil {
			return fmt.Errorf("resuming: %w", err)
		}
	}
	j.counter = &counter{from: j.From, to: j.To, zone: j.Zone, ledger: counts, waiting: j.Waiting}
	j.metrics = prometheus.NewRegistry()
	j.metrics.MustRegister(collector.NewHistoryCollector(j.Operation, counts.View))
	return nil
}

// read reads the report and spools the samples.
func (j *job) read(ctx context.Context) error {
	start := j.From.Add(-j.Lookback)
	from := start
	if !j.Read.IsZero() {
		from = j.Read
	}
	level.Info(j.Logger).Log("msg", "reading the report", "from", j.local(from), "to", j.local(j.To), "requests", j.history.Requests(from, j.To))
	j.progress = newProgress(j.Logger, j.Bar, start, from, j.To)
	recorder := newRecorder(j.metrics)
	for span := range j.history.Spans(from, j.To) {
		rows, err := j.history.Read(ctx, span)
		if err != nil {
			return err
		}
		j.unreadable += rows.Unreadable
		j.counter.add(rows)
		for ; j.Next < j.sampleCount() && !j.sampleTime(j.Next).After(span.To); j.Next++ {
			if j.counter.countUntil(j.sampleTime(j.Next)) == 0 {
				continue
			}
			if err := recorder.record(j.Next); err != nil {
				return err
			}
		}
		j.Read, j.Waiting = span.To, j.counter.waiting
		if j.State, err = j.counter.checkpoint(span.To); err != nil {
			return err
		}
		if err := j.spool.save(j.position, recorder.drain()); err != nil {
			return err
		}
		j.progress.read(span.To, j.local(span.To), j.counter.chats())
	}
	return nil
}

// writeOutput writes the samples to the output file or to standard output.
func (j *job) writeOutput(ctx context.Context) error {
	level.Info(j.Logger).Log("msg", "writing the samples", "of_each_series", j.sampleCount())
	if j.Output == "" {
		return j.write(ctx, j.Stdout)
	}
	path := filepath.Join(j.folder, "text")
	if err := j.writeFile(ctx, path); err != nil {
		return err
	}
	return os.Rename(path, j.Output)
}

func (j *job) writeFile(ctx context.Context, path string) error {
	file, err := os.Create(path) //nolint:gosec // The folder is the user's choice.
	if err != nil {
		return err
	}
	defer file.Close()
	if err := j.write(ctx, file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// local formats a time in the operation's time zone.
func (o *Options) local(t time.Time) string { return t.In(o.Zone).Format(time.DateTime) }
