package backfill

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// pause is the least time between two lines of the log that tell of progress.
const pause = 10 * time.Second

// progress tells how far a run has come.
type progress struct {
	logger          log.Logger
	bar             *Bar
	begin, from, to time.Time // what is read in all, and from when on by this run
	began, told     time.Time
}

func newProgress(logger log.Logger, bar *Bar, begin, from, to time.Time) *progress {
	now := time.Now()
	return &progress{logger: logger, bar: bar, begin: begin, from: from, to: to, began: now, told: now}
}

// read tells that the report is read until then, by the operation's clock.
func (p *progress) read(until time.Time, local string, chats uint64) {
	now := time.Now()
	share := until.Sub(p.begin).Seconds() / p.to.Sub(p.begin).Seconds()
	perSecond := until.Sub(p.from).Seconds() / max(now.Sub(p.began), time.Millisecond).Seconds()
	left := time.Duration(p.to.Sub(until).Seconds()/perSecond) * time.Second
	rate := fmt.Sprintf("%.1f days/min", perSecond/(24*60))
	if p.bar != nil {
		p.bar.draw(fmt.Sprintf("%s  %s  %d chats  %s  %s left", bar(share), local, chats, rate, left))
		return
	}
	if now.Sub(p.told) >= pause {
		p.told = now
		level.Info(p.logger).Log("msg", "read", "until", local, "percent", int(100*share), "chats", chats, "rate", rate, "left", left)
	}
}

// written tells that so many of all families are written.
func (p *progress) written(families, all int) {
	if p.bar != nil {
		p.bar.draw(fmt.Sprintf("%s  writing", bar(float64(families)/float64(all))))
	}
}

func bar(share float64) string {
	const width = 20
	done := int(share * width)
	return fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("=", done), strings.Repeat(" ", width-done), int(100*share))
}

// Bar is the last line of a terminal, which is drawn again and again.
type Bar struct {
	terminal io.Writer
	text     string
}

// NewBar draws nothing yet.
func NewBar(terminal io.Writer) *Bar { return &Bar{terminal: terminal} }

// clearLine goes to the line's begin and deletes it.
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

// clear takes the bar away.
func (b *Bar) clear() {
	if b != nil && b.text != "" {
		b.text = ""
		fmt.Fprint(b.terminal, clearLine)
	}
}
