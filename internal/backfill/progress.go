package backfill

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// logInterval is the minimum time between two log lines with progress.
const logInterval = 10 * time.Second

// progress shows how much of the report has been read.
type progress struct {
	logger          log.Logger
	bar             *Bar
	start, from, to time.Time // the time span of the backfill, and where this run began in it
	started, logged time.Time // on this machine's clock
}

func newProgress(logger log.Logger, bar *Bar, start, from, to time.Time) *progress {
	now := time.Now()
	return &progress{logger: logger, bar: bar, start: start, from: from, to: to, started: now, logged: now}
}

// read shows that the report has been read up to a time, which is local in the operation's
// time zone.
func (p *progress) read(until time.Time, local string, chats uint64) {
	now := time.Now()
	share := until.Sub(p.start).Seconds() / p.to.Sub(p.start).Seconds()
	perSecond := until.Sub(p.from).Seconds() / max(now.Sub(p.started), time.Millisecond).Seconds()
	left := time.Duration(p.to.Sub(until).Seconds()/perSecond) * time.Second
	rate := fmt.Sprintf("%.1f days/min", perSecond/(24*60))
	if p.bar != nil {
		p.bar.draw(fmt.Sprintf("%s  %s  %d chats  %s  %s left", renderBar(share), local, chats, rate, left))
		return
	}
	if now.Sub(p.logged) >= logInterval {
		p.logged = now
		level.Info(p.logger).Log("msg", "read", "until", local, "percent", int(100*share), "chats", chats, "rate", rate, "left", left)
	}
}

// written shows how many of all families have been written.
func (p *progress) written(families, all int) {
	if p.bar != nil {
		p.bar.draw(fmt.Sprintf("%s  writing", renderBar(float64(families)/float64(all))))
	}
}

// renderBar returns a progress bar with its percentage.
func renderBar(share float64) string {
	const width = 20
	done := int(share * width)
	return fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("=", done), strings.Repeat(" ", width-done), int(100*share))
}

// Bar is a progress bar in the last line of a terminal.
type Bar struct {
	terminal io.Writer
	text     string
}

// NewBar returns a bar that has not been drawn.
func NewBar(terminal io.Writer) *Bar { return &Bar{terminal: terminal} }

// clearLine moves the cursor to the start of the line and clears the line.
const clearLine = "\r\x1b[K"

// Write writes whole lines above the bar.
func (b *Bar) Write(lines []byte) (int, error) {
	if b.text == "" {
		return b.terminal.Write(lines)
	}
	fmt.Fprint(b.terminal, clearLine)
	n, err := b.terminal.Write(lines)
	fmt.Fprint(b.terminal, b.text)
	return n, err
}

func (b *Bar) draw(text string) {
	b.text = text
	fmt.Fprint(b.terminal, clearLine+text)
}

// clear removes the bar.
func (b *Bar) clear() {
	if b != nil && b.text != "" {
		b.text = ""
		fmt.Fprint(b.terminal, clearLine)
	}
}
