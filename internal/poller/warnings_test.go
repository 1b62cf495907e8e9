package poller

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const (
	endsInTheFuture = "chats end in the future"
	foundLate       = "no chat is found soon after its end"
)

func wantWarnings(t *testing.T, log *lines, text string, want int) {
	t.Helper()
	if have := log.warnings(text); have != want {
		t.Errorf("%q: have %d warnings, want %d\n%s", text, have, want, log.withoutPolls())
	}
}

// withoutPolls leaves out the line of each poll.
func (l *lines) withoutPolls() string {
	var rest strings.Builder
	for line := range strings.Lines(l.text.String()) {
		if !strings.Contains(line, " msg=polled ") {
			rest.WriteString(line)
		}
	}
	return rest.String()
}

// longChat returns a chat that only a reconcile finds if the report selects on the start.
func longChat(number int, length time.Duration, end time.Time) wolkvox.Chat {
	c := chat(number, end)
	c.Start = c.End - wolkvox.LocalTime(length/time.Second)
	return c
}

func TestPoller_DoesNotSuspectZoneForLongChat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := options()
		o.Logger = log.logger()
		report := &byStart{chats: []wolkvox.Chat{longChat(1, 3*time.Hour, time.Now().Add(20*time.Minute))}}
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, 3*time.Hour)
		if have := interactions(p); have != 1 {
			t.Fatalf("interactions: have %d, want 1", have)
		}
		wantWarnings(t, &log, foundLate, 0)
	})
}

func TestPoller_DoesNotSuspectZoneAtClockChange(t *testing.T) {
	back := newPlace("Europe/Madrid", "2025-10-25 23:00:00")
	s := newSimulation(1, back.zone)
	s.readings.SelectOn = wolkvoxtest.End
	var log lines
	s.options.Logger = log.logger()
	s.chats = s.makeChats(100, back.start.Add(time.Second), back.start.Add(4*time.Hour), back.matters)
	s.live(t, back.start, 6*time.Hour)
	s.wantAll(t, s.chats)
	wantWarnings(t, &log, endsInTheFuture, 0)
	wantWarnings(t, &log, foundLate, 0)
}

// Between two chats the newest end is no longer in the future, of a wall clock
// that is three hours behind.
func TestPoller_LogsZoneBehindOnceWithFewChats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lines
		o := options()
		o.Logger = log.logger()
		o.Zone = time.FixedZone("three hours behind", -8*3600)
		report := &byStart{}
		for n := range 12 {
			report.chats = append(report.chats, longChat(n+1, 10*time.Minute, time.Now().Add(time.Duration(n-6)*40*time.Minute)))
		}
		p := newPoller(t, report, &store.Memory{}, o)
		runFor(t, p, 6*time.Hour)
		wantWarnings(t, &log, endsInTheFuture, 1)
	})
}

func TestPoller_CountsAndLogsFutureChatOnce(t *testing.T) {
	start := time.Date(2026, 5, 12, 9, 0, 0, 0, time.UTC)
	s := newSimulation(1, bogota)
	early := s.makeChat(0, start.Add(time.Hour), start.Add(3*time.Hour))
	s.readings.Lateness = func(c wolkvoxtest.Chat) time.Duration {
		if c.ConnID == early.ConnID {
			return -2 * time.Hour
		}
		return 0
	}
	var log lines
	s.options.Logger = log.logger()
	var others []wolkvoxtest.Chat
	for n := range 70 {
		end := start.Add(time.Duration(n+1) * 5 * time.Minute)
		others = append(others, s.makeChat(n+4, end.Add(-time.Minute), end))
	}
	s.chats = slices.Concat([]wolkvoxtest.Chat{early}, others)
	s.live(t, start, 30*time.Hour)
	s.wantAll(t, s.chats)
	wantWarnings(t, &log, endsInTheFuture, 1)
	if have := log.count("resolved: " + endsInTheFuture); have != 1 {
		t.Errorf("have %d lines that it is over, want 1", have)
	}
}
