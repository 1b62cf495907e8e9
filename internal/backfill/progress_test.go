package backfill

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
)

func TestProgress_DrawsBarOnTerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var terminal strings.Builder
		b := NewBar(&terminal)
		logger := log.NewLogfmtLogger(b)
		begin := time.Now()
		// The first two of ten days were read by the run before.
		p := newProgress(logger, b, begin, begin.Add(2*day), begin.Add(10*day))
		time.Sleep(90 * time.Second)
		p.read(begin.Add(5*day), "2026-01-15 00:00:00", 1234)
		_ = logger.Log("msg", "news")
		p.written(3, 4)
		b.clear()
		const bar = "[==========          ]  50%  2026-01-15 00:00:00  1234 chats  2.0 days/min  2m30s left"
		want := "\r\x1b[K" + bar + "\r\x1b[Kmsg=news\n" + bar + "\r\x1b[K[===============     ]  75%  writing\r\x1b[K"
		if have := terminal.String(); have != want {
			t.Errorf("have %q\nwant %q", have, want)
		}
	})
}

func TestProgress_LogsAtIntervals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		begin := time.Now()
		p := newProgress(log.NewLogfmtLogger(&lines), nil, begin, begin, begin.Add(10*day))
		for range 9 {
			time.Sleep(6 * time.Second)
			p.read(begin.Add(5*day), "2026-01-15 00:00:00", 1234)
		}
		p.written(3, 4)
		have := strings.Split(lines.String(), "\n")
		const want = `level=info msg=read until="2026-01-15 00:00:00" percent=50 chats=1234 rate="25.0 days/min" left=12s`
		if len(have) != 5 || have[0] != want {
			t.Errorf("have %q, want 4 lines, the first one %q", have, want)
		}
	})
}
