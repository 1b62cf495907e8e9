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
	// MaxExtra is how many requests may be made at once beyond those that the windows
	// need: retries, and the search for unreadable seconds, up to thirty requests for
	// each. Each interval adds one more.
	MaxExtra = 200
	// MaxGapRequests is the same for requests that reconciles make at and between gaps.
	// Every third interval adds one more.
	//
	// With intervals of 5 minutes these limits are 488 and 146 requests a day, besides some
	// 340 of an ordinary day: less than the 1,000 of one licence.
	MaxGapRequests = 50
)

// Reader reads the report of one operation. It keeps what it learns about the API from
// one cycle to the next. It is for one goroutine.
type Reader struct {
	options Options
	report  Report
	counts  Counts

	quietUntil  time.Time // no request may be made before
	extraBudget budget    // of requests beyond those that the windows need
	gapBudget   budget    // of requests that reconciles make at and between gaps
	probedAt    time.Time // when another window was last requested because of a fault
	// lastUnreadable is why the newest unreadable window could not be read.
	lastUnreadable error
	limit          rowLimit
	maxSpan        time.Duration // how long the next spans may be
	readUntil      time.Time     // up to when polls have read everything but gaps
}

// Counts are the counters of a [Reader] since its creation.
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
		extraBudget:    budget{max: MaxExtra},
		gapBudget:      budget{max: MaxGapRequests},
		lastUnreadable: &wolkvox.Error{Result: wolkvox.Malformed},
		maxSpan:        MaxSpan,
	}
}

// Counts returns the counters so far.
func (r *Reader) Counts() Counts { return r.counts }

// QuietUntil returns when requests may be made again after a failure.
func (r *Reader) QuietUntil() time.Time { return r.quietUntil }

// SetReadUntil sets up to when polls have read everything but gaps.
func (r *Reader) SetReadUntil(t time.Time) { r.readUntil = Later(r.readUntil, t) }

// AcquireExtra uses one request of the budget for those that the windows do not need, and
// reports whether there was one.
func (r *Reader) AcquireExtra() bool { return r.extraBudget.acquire(r.options.Interval) }

// AcquireGapRequest does the same for requests that reconciles make for gaps.
func (r *Reader) AcquireGapRequest() bool { return r.gapBudget.acquire(3 * r.options.Interval) }

// NextSpan returns the first part of a span that can be read at once.
func (r *Reader) NextSpan(from, to time.Time) ledger.Span {
	return ledger.Span{From: from, To: Earlier(from.Add(r.maxSpan), to)}
}

// Spans divides a span into parts that can each be read at once, oldest first. Their
// length depends on what was read before.
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

// Result returns the result of an error of the API, empty for any other error.
func Result(err error) wolkvox.Result {
	if failure, ok := errors.AsType[*wolkvox.Error](err); ok {
		return failure.Result
	}
	return ""
}

// ResultLabel returns the result of an error as log lines have it, "none" for an error
// that is not the API's.
func ResultLabel(err error) string {
	if result := Result(err); result != "" {
		return string(result)
	}
	return "none"
}
