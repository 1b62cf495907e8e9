// Package backfill writes the chats of a past time as OpenMetrics with timestamps,
// in the series that the exporter shows.
//
// The report is read once, oldest first, and chats are counted in the order of
// their ends. That brings the samples of one time together; the file wants those of
// one series together. In between they are in a spool on disk, so that memory does
// not grow with the time that is read.
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

// Options tell what to write, and where.
type Options struct {
	Operation string
	Zone      *time.Location // the operation's wall clock
	// From and To are whole seconds, and Step a number of them. Chats that ended
	// after From and no later than To are counted.
	From, To time.Time
	Step     time.Duration
	// Lookback is how long before From the report is read: chats are listed by their start.
	Lookback time.Duration
	Ledger ledger.Options
	// Labels are added to each series, such as job and instance, which a scrape adds.
	Labels map[string]string

	Output string    // a file; empty for Stdout
	Resume bool      // go on with what is beside Output
	Stdout io.Writer // gets the samples where there is no Output

	Logger log.Logger
	Bar    *Bar // shows progress instead of the log; may be nil
}

// samples is how many there are of each series.
func (o *Options) samples() int { return int((o.To.Sub(o.From)+o.Step-1)/o.Step) + 1 }

// sampleTime is when the n-th sample is taken. The last one is at To, however
// long that is after the one before.
func (o *Options) sampleTime(n int) time.Time {
	if t := o.From.Add(time.Duration(n) * o.Step); t.Before(o.To) {
		return t
	}
	return o.To
}

// Run reads the report and writes the samples. An output file is there when it is
// complete. Until then, what was read is in a folder beside it, to be resumed.
func Run(ctx context.Context, history *reader.History, o Options) error {
	folder, err := o.folder()
	if err != nil {
		return err
	}
	spool, err := openSpool(filepath.Join(folder, "spool"), o.settings())
	if err != nil {
		return err
	}
	r := &run{Options: o, history: history, folder: folder, spool: spool}
	err = errors.Join(r.run(ctx), spool.close())
	if err != nil && o.Output != "" && !r.Read.IsZero() {
		return fmt.Errorf("%w; the same command with --resume goes on from what is in %q", err, folder)
	}
	return errors.Join(err, os.RemoveAll(folder))
}

// folder is where the spool is.
func (o *Options) folder() (string, error) {
	if o.Output == "" {
		return os.MkdirTemp("", "wolkvox_exporter-backfill-")
	}
	if _, err := os.Lstat(o.Output); err == nil {
		return "", fmt.Errorf("%q is there already: delete it, or choose another --output", o.Output)
	}
	folder := o.Output + ".partial"
	if o.Resume {
		if _, err := os.Stat(folder); err != nil {
			return "", fmt.Errorf("nothing to --resume: %w", err)
		}
		return folder, nil
	}
	err := os.Mkdir(folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%q is of a run that was not finished: go on with --resume, or delete it", folder)
	}
	return folder, err
}

// settings are what a run has in common with the one that it resumes.
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

// run is a backfill under way.
type run struct {
	Options
	position

	history  *reader.History
	folder   string
	spool    *spool
	counter  *counter
	figures  *prometheus.Registry
	progress *progress

	unreadable int // seconds that were left out since this process began
}

func (r *run) run(ctx context.Context) error {
	if err := r.open(); err != nil {
		return err
	}
	err := r.read(ctx)
	if err == nil {
		err = r.deliver(ctx)
	}
	r.Bar.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err == nil {
		records := r.counter.ledger.View().Counts.Records
		level.Info(r.Logger).Log("msg", "done", "chats", records[ledger.Counted], "invalid_rows", records[ledger.Invalid], "unreadable_seconds", r.unreadable)
	}
	return err
}

// open goes on where the spool ends.
func (r *run) open() error {
	var err error
	if r.position, err = r.spool.position(); err != nil {
		return err
	}
	counted := ledger.New(r.Ledger)
	if !r.Read.IsZero() {
		if counted, err = ledger.Unmarshal(r.State, r.Ledger, time.Now()); err != nil {
			return fmt.Errorf("resuming: %w", err)
		}
	}
	r.counter = &counter{from: r.From, to: r.To, zone: r.Zone, ledger: counted, waiting: r.Waiting}
	r.figures = prometheus.NewRegistry()
	r.figures.MustRegister(collector.NewHistoryCollector(r.Operation, counted.View))
	return nil
}

// read reads the report and spools the samples.
func (r *run) read(ctx context.Context) error {
	begin := r.From.Add(-r.Lookback)
	from := begin
	if !r.Read.IsZero() {
		from = r.Read
	}
	level.Info(r.Logger).Log("msg", "reading the report", "from", r.local(from), "to", r.local(r.To), "requests", r.history.Requests(from, r.To))
	r.progress = newProgress(r.Logger, r.Bar, begin, from, r.To)
	recorder := newRecorder(r.figures)
	for piece := range r.history.Spans(from, r.To) {
		rows, err := r.history.Read(ctx, piece)
		if err != nil {
			return err
		}
		r.unreadable += rows.Unreadable
		r.counter.add(rows)
		for ; r.Next < r.samples() && !r.sampleTime(r.Next).After(piece.To); r.Next++ {
			if r.counter.count(r.sampleTime(r.Next)) == 0 {
				continue
			}
			if err := recorder.record(r.Next); err != nil {
				return err
			}
		}
		r.Read, r.Waiting = piece.To, r.counter.waiting
		if r.State, err = r.counter.settle(piece.To); err != nil {
			return err
		}
		if err := r.spool.save(r.position, recorder.take()); err != nil {
			return err
		}
		r.progress.read(piece.To, r.local(piece.To), r.counter.chats())
	}
	return nil
}

// deliver writes the samples to where they are wanted.
func (r *run) deliver(ctx context.Context) error {
	level.Info(r.Logger).Log("msg", "writing the samples", "of_each_series", r.samples())
	if r.Output == "" {
		return r.write(ctx, r.Stdout)
	}
	text := filepath.Join(r.folder, "text")
	if err := r.writeFile(ctx, text); err != nil {
		return err
	}
	return os.Rename(text, r.Output)
}

func (r *run) writeFile(ctx context.Context, path string) error {
	file, err := os.Create(path) //nolint:gosec // The folder is the user's choice.
	if err != nil {
		return err
	}
	defer file.Close()
	if err := r.write(ctx, file); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// local is the operation's wall clock at t.
func (o *Options) local(t time.Time) string { return t.In(o.Zone).Format(time.DateTime) }
