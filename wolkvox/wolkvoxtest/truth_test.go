package wolkvoxtest_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestTruth_SumsChats(t *testing.T) {
	const absent = wolkvoxtest.Absent
	first, second, bot := answered(1, noon), answered(2, noon), botOnly(3, noon)
	second.Channel, second.Answer, second.HandleTime, second.Total = "whatsapp", absent, 90*time.Second+700*time.Millisecond, 0
	second.LastSender, second.AgentChars = "Customer", 20
	bot.Answer, bot.AgentChars, bot.HandleTime = time.Minute, 7, time.Minute // shown, and none of the agents'
	bot.Channel, bot.Messages, bot.LastSender = "web", absent, ""
	open := answered(4, noon)
	open.End = time.Time{}

	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(first, second, bot, open)
	have := s.Truth(noon.Add(time.Hour))

	type stat = wolkvoxtest.Stat
	whatsapp := wolkvoxtest.Figures{
		Interactions: 2, Handoffs: 2, LastSender: map[string]int{"agent": 1, "customer": 1},
		BotTime: stat{2, 60}, SpeedOfAnswer: stat{1, 90}, HandleTime: stat{2, 570}, Duration: stat{2, 600},
		Messages: stat{2, 24}, CustomerChars: stat{2, 420}, AgentChars: stat{2, 500},
	}
	web := wolkvoxtest.Figures{
		Interactions: 1, LastSender: map[string]int{"": 1},
		BotTime: stat{1, 60}, Duration: stat{1, 60}, CustomerChars: stat{1, 210},
	}
	want := wolkvoxtest.Truth{
		Total: wolkvoxtest.Figures{
			Interactions: 3, Handoffs: 2, LastSender: map[string]int{"agent": 1, "customer": 1, "": 1},
			BotTime: stat{3, 120}, SpeedOfAnswer: stat{1, 90}, HandleTime: stat{2, 570}, Duration: stat{3, 660},
			Messages: stat{2, 24}, CustomerChars: stat{3, 630}, AgentChars: stat{2, 500},
		},
		By: map[wolkvoxtest.Key]wolkvoxtest.Figures{{"77", "whatsapp"}: whatsapp, {"77", "web"}: web},
		Agents: map[string]wolkvoxtest.AgentFigures{
			"1201": {Chats: 2, HandleTime: stat{2, 570}, SpeedOfAnswer: stat{1, 90}, Characters: stat{2, 500}},
		},
	}
	if !reflect.DeepEqual(have, want) {
		t.Errorf("want %+v\nhave %+v", want, have)
	}
}

func TestTruth_FollowsReport(t *testing.T) {
	c := answered(1, noon)
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: readings{
		ListOpen: wolkvoxtest.EmptyEnd, FillDelay: 20 * time.Minute,
		Lateness: func(wolkvoxtest.Chat) time.Duration { return 5 * time.Minute },
	}})
	s.Add(c)
	for _, test := range []struct {
		after                            time.Duration
		interactions, handoffs, handling int
	}{
		{-time.Second, 0, 0, 0},
		{5*time.Minute - 1, 0, 0, 0},
		{5 * time.Minute, 1, 0, 0},
		{20*time.Minute - 1, 1, 0, 0},
		{20 * time.Minute, 1, 1, 1},
	} {
		have := s.Truth(c.End.Add(test.after))
		if have.Total.Interactions != test.interactions || have.Total.Handoffs != test.handoffs ||
			have.Total.HandleTime.Count != test.handling || have.Total.AgentChars.Count != test.handling || len(have.Agents) != test.handling {
			t.Errorf("%v after the end: have %+v", test.after, have.Total)
		}
	}
}

func TestUpdate_ReplacesChat(t *testing.T) {
	c, other := answered(1, noon), answered(2, noon)
	c.End = time.Time{}
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: readings{SelectOn: wolkvoxtest.End}})
	s.Add(c, other)
	c.End, c.Messages = noon.Add(time.Minute), 3
	s.Update(c)
	wantColumn(t, get(t, s, dayReport()).document(t), "times_chatted", "3", "12")
	c.Messages = 4
	s.Update(c, answered(3, noon))
	wantColumn(t, get(t, s, dayReport()).document(t), "times_chatted", "4", "12", "12")
	if have := s.Truth(noon.Add(time.Hour)).Total; have.Interactions != 3 || have.Messages.Sum != 28 {
		t.Errorf("have %+v", have)
	}
	c.Start = c.Start.Add(time.Second) // another chat
	s.Update(c)
	if have := s.Truth(noon.Add(time.Hour)).Total; have.Interactions != 4 {
		t.Errorf("have %+v", have)
	}
}

// The sum of all rows of one response is the server's truth.
func TestTruthBetween_MatchesReport(t *testing.T) {
	i := -1
	for name, r := range wolkvoxtest.EveryReading() {
		if i++; !isSampled(i) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := newServer(t, wolkvoxtest.Config{
				Location: bogota, Readings: r, Now: clockAt(noon), Source: wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: bogota, Seed: 3}),
			})
			from := noon.Add(-40 * time.Minute)
			if strings.HasPrefix(name, "U5-hours") {
				from = noon.Add(-4 * time.Hour)
			}
			s.Add(answered(1, from), botOnly(2, noon.Add(-30*time.Minute)))
			d := get(t, s, chat8(from, noon)).document(t)
			interactions, handoffs := 0, 0
			for _, row := range d.Data {
				if row["end_date"] == "" || row["end_date"] == "-" {
					continue
				}
				interactions++
				if answer, ok := row["asa"]; ok && answer != nil && answer != "-" && answer != "" {
					handoffs++
				}
			}
			have := s.TruthBetween(from, noon).Total
			if have.Interactions != interactions || have.SpeedOfAnswer.Count != handoffs || interactions < 100 {
				t.Errorf("%d rows of ended chats, %d with asa; account %+v", interactions, handoffs, have)
			}
		})
	}
}
