package poller

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"
	"go.uber.org/goleak"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Copies of the reader's constants.
const (
	maxExtra      = reader.MaxExtra
	probeInterval = 6 // polls between two probes of an API whose fault lasts
	maxQuickTries = 4 // requests before a failure is taken for failing
)

var bogota = mustLoad("America/Bogota")

func mustLoad(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}

// clock is the clock of a fake API: how far it is ahead of ours, if that is known.
type clock struct {
	ahead time.Duration
	known bool
}

func (c *clock) ClockSkew() (time.Duration, bool) { return c.ahead, c.known }

// LastResponse announces no number of rows.
func (c *clock) LastResponse() wolkvox.Response { return wolkvox.Response{Announced: -1} }

// fakeReport is an API with a list of chats. It selects on the end, both ends of the window
// inclusive. fail returns the error of a request, whose number counts from 0.
type fakeReport struct {
	clock
	chats   []wolkvox.Chat
	fail    func(n int, w wolkvox.Window) error
	windows []wolkvox.Window
	times   []time.Time
}

func (f *fakeReport) Chats(_ context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		f.windows = append(f.windows, w)
		f.times = append(f.times, time.Now())
		if f.fail != nil {
			if err := f.fail(len(f.windows)-1, w); err != nil {
				yield(wolkvox.Chat{}, err)
				return
			}
		}
		rows := 0
		for _, chat := range f.chats {
			if chat.End < w.From || chat.End > w.To || chat.End > wolkvox.ToLocalTime(time.Now().In(bogota)) {
				continue
			}
			if rows == wolkvox.MaxRows || !yield(chat, nil) {
				return
			}
			rows++
		}
	}
}

func failing(result wolkvox.Result) error { return &wolkvox.Error{Result: result} }

// chat returns a chat that ended at the given time.
func chat(number int, end time.Time) wolkvox.Chat {
	local := wolkvox.ToLocalTime(end.In(bogota))
	return wolkvox.Chat{ID: wolkvox.ID(number), Start: local - 60, End: local, RoutingPoint: "7", Channel: "web"}
}

// options returns the defaults of the flags.
func options() Options {
	return Options{
		Operation: "test", Zone: bogota, Logger: log.NewNopLogger(),
		Interval: 5 * time.Minute, Overlap: 30 * time.Minute,
		ReconcileInterval: time.Hour, ReconcileWindow: 48 * time.Hour,
		InitialWindow: 5 * time.Minute, MaxCatchUp: 168 * time.Hour, Ledger: ledger.Options{MaxLabelSets: 10}, Timeout: time.Minute,
	}
}

func newPoller(t *testing.T, report Report, kept ByteStore, o Options) *Poller {
	t.Helper()
	p, err := New(report, &partStore{t: t, kept: kept}, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// runFor runs p for some virtual time and stops it.
func runFor(t *testing.T, p *Poller, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	p.Run(ctx)
}

func interactions(p *Poller) uint64 {
	var n uint64
	for _, set := range p.Snapshot().View.LabelSets {
		n += set.Interactions
	}
	return n
}

// brokenStore fails to save while it is broken.
type brokenStore struct {
	store.Memory
	broken bool
	saves  int
}

func (s *brokenStore) Save(state []byte) error {
	s.saves++
	if s.broken {
		return errors.New("no space left on device")
	}
	return s.Memory.Save(state)
}

// lines is a logger that keeps its lines.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) logger() log.Logger { return log.NewLogfmtLogger(l) }

// Write takes a line.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *lines) count(substring string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), substring)
}

// spans returns the requested windows on the wall clock, without the second by which each
// begins earlier.
func (f *fakeReport) spans() []string {
	var spans []string
	for _, w := range f.windows {
		spans = append(spans, (w.From+1).String()+" "+w.To.String())
	}
	return spans
}

func wantSpans(t *testing.T, f *fakeReport, want ...string) {
	t.Helper()
	if have := f.spans(); !slices.Equal(have, want) {
		t.Errorf("windows asked for:\nhave %s\nwant %s", strings.Join(have, "\n     "), strings.Join(want, "\n     "))
	}
}

// sameRows is a report that returns all of its chats for every window.
type sameRows struct {
	clock
	chats []wolkvox.Chat
}

func (f *sameRows) Chats(context.Context, wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		for _, chat := range f.chats {
			if !yield(chat, nil) {
				return
			}
		}
	}
}

// byStart is a report that selects ended chats on their start.
type byStart struct {
	clock
	chats []wolkvox.Chat
}

func (f *byStart) Chats(_ context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		for _, chat := range f.chats {
			ended := chat.End <= wolkvox.ToLocalTime(time.Now().In(bogota))
			if ended && chat.Start >= w.From && chat.Start <= w.To && !yield(chat, nil) {
				return
			}
		}
	}
}
