// Package reader reads windows of an operation's report: it splits those that hold too
// much, repeats requests that failed, keeps within a budget of requests, and reads around
// seconds that cannot be read.
package reader

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Report lists the chats of a window. [wolkvox.Client] implements it.
type Report interface {
	Chats(ctx context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error]
	// LastResponse describes the response of the newest request.
	LastResponse() wolkvox.Response
}

// Options describe the operation whose report is read.
type Options struct {
	Zone     *time.Location // of the report's dates
	Logger   log.Logger
	Interval time.Duration // between cycles; it gives the budget of requests
	Timeout  time.Duration // of a request
}

const (
	// MaxSpan is the longest span that is read at once, and minSpan the shortest that a
	// slow API reduces it to.
	MaxSpan = 24 * time.Hour
	minSpan = time.Minute

	// maxRetries is how many failed requests a cycle repeats at most.
	maxRetries = 10
	// MaxExtra is how many requests there may be at once beyond those that the windows
	// need: to repeat those that failed, and to find the seconds that cannot be read, of
	// which one takes up to thirty. There is one more in each interval.
	MaxExtra = 200
	// MaxBeside is the same for requests that reconciles make at and between gaps. There
	// is one more in each third interval.
	//
	// With intervals of 5 minutes both are 488 and 146 a day at most, beside some 340 that
	// an ordinary day takes besides: less than the 1,000 of one licence.
	MaxBeside = 50
)

// Reader reads the report of one operation. It keeps what it learns about the API from
// one cycle to the next. It is for one goroutine.
type Reader struct {
	options Options
	report  Report
	counts  Counts

	quietUntil time.Time // the API must not be asked before
	extra      allowance // of requests beyond those that the windows need
	beside     allowance // of requests that reconciles make at and between gaps
	probed     time.Time // when the API was last asked for anything else while a fault lasted
	// lastUnreadable is why the newest unreadable window could not be read.
	lastUnreadable error
	limit          rowLimit
	maxSpan        time.Duration // how long the next spans may be
	readUntil      time.Time     // up to when polls have read everything but gaps
}

// Counts are what a [Reader] has met since it was made.
type Counts struct {
	TruncatedWindows  uint64 // windows that were truncated and split
	TruncatedSeconds  uint64 // windows that could not be split far enough
	UnreadableSeconds uint64 // seconds that were left out
}

// New returns a reader that has not read anything.
func New(report Report, options Options) *Reader {
	return &Reader{
		options:        options,
		report:         report,
		extra:          allowance{max: MaxExtra},
		beside:         allowance{max: MaxBeside},
		lastUnreadable: &wolkvox.Error{Result: wolkvox.Malformed},
		maxSpan:        MaxSpan,
	}
}

// Counts returns what the reader has met so far.
func (r *Reader) Counts() Counts { return r.counts }

// QuietUntil returns when the API may be asked again after a failure.
func (r *Reader) QuietUntil() time.Time { return r.quietUntil }

// SetReadUntil sets up to when polls have read everything but gaps.
func (r *Reader) SetReadUntil(t time.Time) { r.readUntil = later(r.readUntil, t) }

// TakeExtra takes a request from the budget of those beyond what the windows need, and
// reports whether there was one.
func (r *Reader) TakeExtra() bool { return r.extra.take(r.options.Interval) }

// TakeBeside does the same for requests that reconciles make for gaps.
func (r *Reader) TakeBeside() bool { return r.beside.take(3 * r.options.Interval) }

// NextSpan returns the first piece of a time that is to be read at once.
func (r *Reader) NextSpan(from, to time.Time) ledger.Span {
	return ledger.Span{From: from, To: earlier(from.Add(r.maxSpan), to)}
}

// Spans divides a time into pieces that are to be read at once, oldest first. How long
// they are depends on what was read before.
func (r *Reader) Spans(from, to time.Time) iter.Seq[ledger.Span] {
	return func(yield func(ledger.Span) bool) {
		for from.Before(to) {
			span := r.NextSpan(from, to)
			if !yield(span) {
				return
			}
			from = span.To
		}
	}
}

// Result returns the API's part in an error, empty for an error that is not the API's.
func Result(err error) wolkvox.Result {
	if failure, ok := errors.AsType[*wolkvox.Error](err); ok {
		return failure.Result
	}
	return ""
}

// orNone returns a result for a log line.
func orNone(result wolkvox.Result) string {
	if result == "" {
		return "none"
	}
	return string(result)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// sleep waits, unless ctx ends first.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
