package reader

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// readHistory reads two days of the report, from 2000-02-10 on, in April.
func readHistory(t *testing.T, report *fakeReport, log *lines) (rows []*Rows, took time.Duration, err error) {
	t.Helper()
	from := time.Date(2000, 2, 10, 0, 0, 0, 0, bogota)
	time.Sleep(time.Until(from.AddDate(0, 2, 0)))
	o := options()
	o.Logger = log.logger()
	h := NewHistory(report, o)
	began := time.Now()
	for piece := range h.Spans(from, from.Add(2*day)) {
		read, err := h.Read(t.Context(), piece)
		if err != nil {
			return rows, time.Since(began), err
		}
		rows = append(rows, read)
	}
	return rows, time.Since(began), nil
}

func TestHistory_ReadsWindowsOfPolls(t *testing.T) {
	from := time.Date(2000, 2, 28, 12, 0, 0, 0, bogota)
	report := &fakeReport{}
	h := NewHistory(report, options())
	for piece := range h.Spans(from, from.Add(3*day)) {
		if _, err := h.Read(t.Context(), piece); err != nil {
			t.Fatal(err)
		}
	}
	wantSpans(t, report,
		"2000-02-28 12:00:00 2000-02-29 12:00:01",
		"2000-02-29 12:00:00 2000-02-29 23:59:59", "2000-03-01 00:00:01 2000-03-01 12:00:01",
		"2000-03-01 12:00:00 2000-03-02 12:00:01",
	)
	if have := h.Requests(from, from.Add(3*day)); have != len(report.windows) {
		t.Errorf("have %d requests foretold, want %d", have, len(report.windows))
	}
}

func TestHistory_SplitsTruncatedWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report, log := &fakeReport{}, &lines{}
		want := map[wolkvox.ID]bool{}
		for n := range 100_000 {
			c := chat(n+1, time.Date(2000, 2, 10, 12, 0, n%3600, 0, bogota))
			report.chats = append(report.chats, c)
			want[c.ID] = true
		}
		rows, _, err := readHistory(t, report, log)
		if err != nil {
			t.Fatal(err)
		}
		have := map[wolkvox.ID]bool{}
		for _, read := range rows {
			for _, c := range read.Ended {
				have[c.ID] = true
			}
		}
		if !maps.Equal(have, want) {
			t.Errorf("have %d chats, want %d", len(have), len(want))
		}
	})
}

func TestRows_KeepsEndedChatsAndCountsInvalidRows(t *testing.T) {
	var rows Rows
	for _, c := range []wolkvox.Chat{{ID: 1, End: 5}, {ID: 2}, {ID: 3, Malformed: 1 << wolkvox.EndDate}} {
		rows.Apply(&c, ledger.Polling)
	}
	rows.Reject()
	if len(rows.Ended) != 1 || rows.Ended[0].ID != 1 || rows.Invalid != 2 {
		t.Errorf("have %+v, want chat 1 and 2 invalid rows", rows)
	}
}

// The first piece is read by the first request.
func TestHistory_WaitsForTransientFault(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		fails func(n int) bool // numbered from 0
		waits time.Duration    // and some seconds more
		fatal bool
	}{
		"a moment without network": {failing(wolkvox.Network), func(n int) bool { return n == 1 || n == 2 }, time.Second, false},
		"an hour of maintenance":   {failing(wolkvox.Unavailable), func(n int) bool { return n >= 1 && n < 12 }, 55 * time.Minute, false},
		"maintenance that lasts":   {failing(wolkvox.Unavailable), func(n int) bool { return n >= 1 }, time.Hour, true},
		"no network from then on":  {failing(wolkvox.Network), func(n int) bool { return n >= 1 }, time.Hour, true},
		"no network at first":      {failing(wolkvox.Network), func(int) bool { return true }, 0, true},
		"a long Retry-After":       {&wolkvox.Error{Result: wolkvox.RateLimited, RetryAfter: 40 * time.Minute}, func(n int) bool { return n == 1 }, 40 * time.Minute, false},
		"too long a Retry-After":   {&wolkvox.Error{Result: wolkvox.RateLimited, RetryAfter: 2 * time.Hour}, func(n int) bool { return n == 1 }, 0, true},
		"a refused token":          {failing(wolkvox.TokenRejected), func(n int) bool { return n >= 1 }, 0, true},
		"a spent quota":            {failing(wolkvox.QuotaExceeded), func(n int) bool { return n >= 1 }, 0, true},
		"a wrong URL":              {failing(wolkvox.BadRequest), func(n int) bool { return n >= 1 }, 0, true},
		"a token file that is bad": {errors.New("no such file"), func(n int) bool { return n >= 1 }, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &lines{}
				report := &fakeReport{fail: func(n int, _ wolkvox.Window) error {
					if test.fails(n) {
						return test.err
					}
					return nil
				}}
				_, took, err := readHistory(t, report, log)
				if (err != nil) != test.fatal {
					t.Fatalf("have error %v, want one: %t", err, test.fatal)
				}
				if test.fatal && (!errors.Is(err, test.err) || !strings.Contains(err.Error(), "reading 2000-02-1")) {
					t.Errorf("have error %q, want one that names the time and %q", err, test.err)
				}
				if took < test.waits || took >= test.waits+options().Interval {
					t.Errorf("have waited for %s, want %s", took, test.waits)
				}
			})
		})
	}
}

func TestHistory_StopsAtOnceWhenCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		report := &fakeReport{fail: func(n int, _ wolkvox.Window) error {
			if n > 0 {
				return failing(wolkvox.Unavailable)
			}
			return nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		h, piece := NewHistory(report, options()), ledger.Span{From: time.Now().Add(-day), To: time.Now()}
		if _, err := h.Read(ctx, piece); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Read(ctx, piece); !errors.Is(err, context.DeadlineExceeded) || len(report.windows) != 2 {
			t.Errorf("have error %v after %d requests, want the context's after 2", err, len(report.windows))
		}
	})
}
