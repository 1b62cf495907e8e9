package poller

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// truncating answers as an API that selects on the end and shows no more than so many
// rows of a window.
type truncating struct {
	clock
	chats     []wolkvox.Chat // in the order of their ends
	limit     int
	lastRows  bool // the last rows of a window survive, else the first
	says      func(rows, found int) int
	fail      func(w wolkvox.Window) error // may be nil
	sameRows  bool                         // every window has the first rows of all
	requests  int
	announced int
}

// What msg may say.
func saysFound(_, found int) int  { return found }
func saysRows(rows, _ int) int    { return rows }
func saysNothing(int, int) int    { return -1 }
func saysTooMuch(rows, _ int) int { return rows + 7 }

func (f *truncating) Chats(_ context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		f.requests++
		if f.fail != nil {
			if err := f.fail(w); err != nil {
				yield(wolkvox.Chat{}, err)
				return
			}
		}
		end := func(chat wolkvox.Chat, at wolkvox.LocalTime) int { return int(chat.End - at) }
		first, _ := slices.BinarySearchFunc(f.chats, w.From, end)
		behind, _ := slices.BinarySearchFunc(f.chats, min(w.To, wolkvox.ToLocalTime(time.Now().In(bogota)))+1, end)
		rows := f.chats[first:max(first, behind)]
		if f.sameRows {
			rows = f.chats
		}
		found := len(rows)
		if found > f.limit && f.lastRows {
			rows = rows[found-f.limit:]
		}
		rows = rows[:min(len(rows), f.limit)]
		f.announced = f.says(len(rows), found)
		for _, chat := range rows {
			if !yield(chat, nil) {
				return
			}
		}
	}
}

func (f *truncating) LastResponse() wolkvox.Response { return wolkvox.Response{Announced: f.announced} }

// add adds n chats that end within a time.
func (f *truncating) add(n int, from time.Time, within time.Duration, random *rand.Rand) {
	for range n {
		f.chats = append(f.chats, chat(len(f.chats)+1, from.Add(time.Duration(random.Int64N(int64(within))))))
	}
	slices.SortFunc(f.chats, func(a, b wolkvox.Chat) int { return int(a.End - b.End) })
}

func TestPoller_LosesNoChatWhereverTheAPITruncates(t *testing.T) {
	says := []struct {
		name string
		says func(rows, found int) int
	}{{"found", saysFound}, {"rows", saysRows}, {"nothing", saysNothing}}
	i := 0
	for _, limit := range []int{50, 100, 777, 1_000, 5_000, 10_000} {
		for _, lastRows := range []bool{false, true} {
			for _, say := range says {
				i++
				seed := uint64(i)
				if !torture && (i%3 != 0 && limit != 777 || limit > 1_000 && (limit > 5_000 || lastRows)) || !sampled(i) {
					continue
				}
				t.Run(fmt.Sprintf("%d rows, the last %v, msg says %s", limit, lastRows, say.name), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						losesNoChat(t, &truncating{limit: limit, lastRows: lastRows, says: say.says}, rand.New(rand.NewPCG(seed, 0)))
					})
				})
			}
		}
	}
}

// losesNoChat polls through half a day with a rush in it, and a stop of five hours.
func losesNoChat(t *testing.T, report *truncating, random *rand.Rand) {
	t.Helper()
	start := time.Now()
	report.add(report.limit/2, start.Add(-40*time.Hour), 40*time.Hour-time.Hour, random)
	seeded := len(report.chats)
	report.add(4*report.limit, start.Add(time.Second), 12*time.Hour, random)
	report.add(3*report.limit, start.Add(2*time.Hour), 20*time.Minute, random)
	kept := &store.Memory{}
	p := newPoller(t, report, kept, options())
	runFor(t, p, 6*time.Hour)
	truncated, seconds := p.Snapshot().Status.TruncatedWindows, p.Snapshot().Status.TruncatedSeconds
	time.Sleep(5 * time.Hour)
	p = newPoller(t, report, kept, options())
	runFor(t, p, 13*time.Hour)
	requests := report.requests
	runFor(t, p, settled)
	status := p.Snapshot().Status
	t.Logf("requests in a day: %d, truncated windows: %d", requests, truncated+status.TruncatedWindows)
	if have, want := int(interactions(p)), len(report.chats)-seeded; have != want {
		t.Errorf("chats: have %d, want %d", have, want)
	}
	if requests > 900 {
		t.Errorf("requests in a day: have %d, want at most 900", requests)
	}
	if truncated == 0 || seconds+status.TruncatedSeconds > 0 || !status.Up {
		t.Errorf("have %d truncated windows, %d truncated seconds and up %v, want some, 0 and true", truncated, seconds+status.TruncatedSeconds, status.Up)
	}
}

func TestPoller_AcceptsRoundNumberOfRows(t *testing.T) {
	for i, rows := range []int{100, 200, 512, 777} {
		if !sampled(i) {
			continue
		}
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(uint64(rows), 0))
				report := &truncating{limit: wolkvox.MaxRows, says: saysNothing}
				start := time.Now()
				// The same number of chats in each half hour and its overlap.
				for i := range 24 {
					report.add(rows/2, start.Add(time.Duration(i)*30*time.Minute), 30*time.Minute, random)
				}
				p := newPoller(t, report, &store.Memory{}, options())
				runFor(t, p, 24*time.Hour)
				t.Logf("requests in a day: %d", report.requests)
				status := p.Snapshot().Status
				if status.TruncatedWindows > 0 || report.requests > 450 {
					t.Errorf("have %d truncated windows and %d requests, want 0 and at most 450", status.TruncatedWindows, report.requests)
				}
				if have := int(interactions(p)); have != len(report.chats) {
					t.Errorf("chats: have %d, want %d", have, len(report.chats))
				}
			})
		})
	}
}

func TestPoller_IgnoresFalseAnnouncements(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 0))
		report := &truncating{limit: wolkvox.MaxRows, says: saysTooMuch}
		report.add(2_000, time.Now().Add(time.Second), 23*time.Hour, random)
		var log lines
		o := options()
		o.Logger = log.logger()
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, 24*time.Hour)
		t.Logf("requests in a day: %d", report.requests)
		status := p.Snapshot().Status
		if status.TruncatedWindows > 0 || status.TruncatedSeconds > 0 || log.count("chats there are missing") > 0 {
			t.Errorf("have %d truncated windows and %d seconds, want none", status.TruncatedWindows, status.TruncatedSeconds)
		}
		if report.requests > 450 || int(interactions(p)) != len(report.chats) {
			t.Errorf("have %d requests and %d chats, want at most 450 and %d", report.requests, interactions(p), len(report.chats))
		}
	})
}

func TestPoller_NoticesALimitThatComesAndGoes(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: 20,000 chats in one goroutine")
	}
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 0))
		report := &truncating{limit: wolkvox.MaxRows, says: saysNothing}
		start := time.Now()
		report.add(20_000, start.Add(time.Second), 23*time.Hour, random)
		p := newPoller(t, report, &store.Memory{}, options())
		runFor(t, p, 6*time.Hour)
		if have := p.Snapshot().Status.TruncatedWindows; have > 0 {
			t.Errorf("before: have %d truncated windows, want 0", have)
		}
		report.limit = 500
		runFor(t, p, 6*time.Hour)
		truncated := p.Snapshot().Status.TruncatedWindows
		if truncated == 0 {
			t.Error("with a limit of 500 rows: have no truncated window, want some")
		}
		report.limit = wolkvox.MaxRows
		runFor(t, p, 12*time.Hour)
		before := p.Snapshot().Status.TruncatedWindows
		runFor(t, p, settled)
		if have := p.Snapshot().Status.TruncatedWindows; have > before+1 || int(interactions(p)) != len(report.chats) {
			t.Errorf("afterwards: have %d more truncated windows and %d chats, want 1 at most and %d", have-before, interactions(p), len(report.chats))
		}
	})
}
