package wolkvoxtest_test

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestReadings_GrowthChangesRowAtKnownTimes(t *testing.T) {
	c, other := answered(1, noon), botOnly(2, noon)
	r := readings{
		FillDelay: 2 * time.Minute, Lateness: func(wolkvoxtest.Chat) time.Duration { return 5 * time.Minute },
		Growth: func(c wolkvoxtest.Chat) []time.Duration {
			if c.HandedOff {
				return []time.Duration{3 * time.Minute, 20 * time.Minute}
			}
			return nil
		},
	}
	whole := c.End.Add(5 * time.Minute)
	shown := func(r readings, now time.Time) document {
		return reportRows(t, r, now, noon, noon.Add(time.Hour), c, other)
	}
	for _, test := range []struct {
		after                             time.Duration
		messages, typed, bot, total, sent string
	}{
		{0, "12", "210", "00:00:30", "00:10:00", "480"},
		{3*time.Minute - 1, "12", "210", "00:00:30", "00:10:00", "480"},
		{3 * time.Minute, "22", "220", "00:00:35", "00:10:05", "490"},
		{20*time.Minute - 1, "22", "220", "00:00:35", "00:10:05", "490"},
		{20 * time.Minute, "32", "230", "00:00:40", "00:10:10", "500"},
		{20 * time.Hour, "32", "230", "00:00:40", "00:10:10", "500"},
	} {
		d := shown(r, whole.Add(test.after))
		wantColumn(t, d, "times_chatted", test.messages, "12")
		wantColumn(t, d, "customer_chars", test.typed, "210")
		wantColumn(t, d, "time_on_chatbot", test.bot, "00:01:00")
		wantColumn(t, d, "total_time", test.total, "00:01:00")
		wantColumn(t, d, "agent_chars", test.sent, "-")
		wantColumn(t, d, "end_date", "2026-03-10 12:10:00", "2026-03-10 12:01:00")
		wantColumn(t, d, "conn_id", "1001", "1002")
	}
	r.GrowEnd = true
	for after, want := range map[time.Duration]string{0: "2026-03-10 12:10:00", 3 * time.Minute: "2026-03-10 12:13:00", 20 * time.Minute: "2026-03-10 12:30:00"} {
		wantColumn(t, shown(r, whole.Add(after)), "end_date", want, "2026-03-10 12:01:00")
	}
}

func TestReadings_GrowthMovesRowToLaterRange(t *testing.T) {
	c := answered(1, noon)
	grows := func(wolkvoxtest.Chat) []time.Duration { return []time.Duration{time.Hour} }
	r := readings{SelectOn: wolkvoxtest.End, Growth: grows, GrowEnd: true}
	inRange := func(now, from time.Time) document { return reportRows(t, r, now, from, from.Add(time.Minute), c) }
	before, after := c.End.Add(time.Hour-1), c.End.Add(time.Hour)
	wantColumn(t, inRange(before, c.End), "times_chatted", "12")
	wantColumn(t, inRange(before, after), "times_chatted")
	wantColumn(t, inRange(after, c.End), "times_chatted")
	wantColumn(t, inRange(after, after), "times_chatted", "22")

	source := wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: bogota})
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: r, Now: clockAt(after), Source: source})
	from := after.Add(-time.Minute)
	have := len(get(t, s, chat8(from, after)).document(t).Data)
	still, moved := 0, 0
	for c := range source.Started(from.Add(-time.Hour-source.Longest()), after) {
		switch end := c.End; {
		case !end.Before(from) && !end.After(after):
			still++
		case !end.Before(from.Add(-time.Hour)) && !end.After(after.Add(-time.Hour)):
			moved++
		}
	}
	if have != still+moved || moved < 10 {
		t.Errorf("have %d made rows, want %d that ended now and %d whose end moved", have, still, moved)
	}
}

func TestReadings_GrowthIsOnlyCountedInTruth(t *testing.T) {
	c, bot := answered(1, noon), botOnly(2, noon)
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: readings{Growth: func(c wolkvoxtest.Chat) []time.Duration {
		if c.HandedOff {
			return []time.Duration{time.Minute, time.Hour}
		}
		return nil
	}}, Now: clockAt(c.End.Add(time.Hour))})
	s.Add(c, bot)
	for _, test := range []struct {
		after          time.Duration
		grown, growths int
		shown          float64
	}{{0, 0, 0, 24}, {time.Minute - 1, 0, 0, 24}, {time.Minute, 1, 1, 34}, {time.Hour, 1, 2, 44}} {
		now := c.End.Add(test.after)
		have := s.Truth(now)
		if have.Grown != test.grown || have.Growths != test.growths || have.Total.Messages.Sum != 24 || have.Total.Interactions != 2 {
			t.Errorf("%v: have %+v", test.after, have)
		}
		if have := s.TruthBetween(noon, now).Total; have.Messages.Sum != test.shown || have.Interactions != 2 {
			t.Errorf("%v: have %+v", test.after, have)
		}
	}
	c.Messages = 7
	s.Update(c)
	wantColumn(t, get(t, s, dayReport()).document(t), "times_chatted", "12", "27")
	if have := s.Truth(c.End.Add(time.Hour)); have.Total.Messages.Sum != 19 || have.Growths != 2 {
		t.Errorf("after an update: have %+v", have)
	}
}

func TestReadings_ShownAndFirstShown(t *testing.T) {
	c := answered(1, noon)
	r := readings{
		FillDelay: 5 * time.Minute,
		Growth:    func(wolkvoxtest.Chat) []time.Duration { return []time.Duration{time.Hour} },
		WrongType: func(wolkvoxtest.Chat) (string, string) { return "total_time", "[]" },
	}
	for _, test := range []struct {
		after                  time.Duration
		ended, handed          bool
		messages, messagesThen int
	}{
		{-1, false, false, 0, 0},
		{0, true, false, 12, 12},
		{5 * time.Minute, true, true, 12, 12},
		{65*time.Minute - 1, true, true, 12, 12},
		{65 * time.Minute, true, true, 12, 22},
	} {
		now := c.End.Add(test.after)
		first, ended := r.FirstShown(c, now)
		then, endedThen := r.Shown(c, now)
		if ended != test.ended || endedThen != test.ended {
			t.Errorf("%v: have %v, %v", test.after, ended, endedThen)
		}
		if !ended {
			continue
		}
		if first.Messages != test.messages || then.Messages != test.messagesThen || first.HandedOff != test.handed || then.HandedOff != test.handed ||
			first.Total != wolkvoxtest.Absent || then.Total != wolkvoxtest.Absent {
			t.Errorf("%v: have %+v and %+v", test.after, first, then)
		}
	}
}
