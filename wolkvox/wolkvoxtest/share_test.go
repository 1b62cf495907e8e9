package wolkvoxtest_test

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestShare_IsStableAndIndependent(t *testing.T) {
	one, other := wolkvoxtest.Share("one", 30), wolkvoxtest.Share("other", 50)
	const n = 10_000
	var ones, both int
	for i := range n {
		c := answered(i, noon.Add(time.Duration(i)*time.Second))
		later := c
		later.Messages, later.End = 99, time.Time{}
		if one(c) != one(later) || one(c) != wolkvoxtest.Share("one", 30)(c) {
			t.Fatal("the same chat is in it and is not")
		}
		if one(c) {
			ones++
			if other(c) {
				both++
			}
		}
	}
	if ones < n*28/100 || ones > n*32/100 || both < n*13/100 || both > n*17/100 {
		t.Errorf("have %d of %d, %d in both", ones, n, both)
	}
	if c := answered(1, noon); wolkvoxtest.Share("", 0)(c) || wolkvoxtest.Share("", -1)(c) || !wolkvoxtest.Share("", 100)(c) {
		t.Error("no chats, or all, are others")
	}
}

func TestTimedOut_LastsAboutADayOrTwo(t *testing.T) {
	two := 0
	const n = 2_000
	for i := range n {
		c := answered(i, noon.Add(time.Duration(i)*time.Second))
		have := wolkvoxtest.TimedOut(c)
		last := have.End.Sub(have.Start)
		if last > 46*time.Hour && last <= wolkvoxtest.MaxTimeout {
			two++
		} else if last < 22*time.Hour+45*time.Minute || last > 23*time.Hour+15*time.Minute {
			t.Errorf("have %v", last)
		}
		if have.Total != last || have.HandleTime != last-2*time.Minute || !have.Start.Equal(c.Start) || have.ConnID != c.ConnID {
			t.Errorf("have %+v", have)
		}
	}
	if two < n*7/100 || two > n*13/100 {
		t.Errorf("have %d of %d that last two days", two, n)
	}
	if have := wolkvoxtest.TimedOut(botOnly(1, noon)); have.HandleTime != wolkvoxtest.Absent {
		t.Errorf("have %+v", have)
	}
}

func TestDay_HasChatsThatTimeOut(t *testing.T) {
	source := wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: bogota, TimedOut: 20})
	if source.Longest() != wolkvoxtest.MaxTimeout {
		t.Errorf("have %v", source.Longest())
	}
	var handed, long, two int
	for c := range source.Started(noon, noon.Add(6*time.Hour)) {
		if c.HandedOff {
			handed++
		}
		switch last := c.End.Sub(c.Start); {
		case last > source.Longest():
			t.Errorf("have %+v", c)
		case last > 24*time.Hour:
			two++
		case last > 22*time.Hour:
			long++
		}
	}
	if long < handed/20 || long > handed/4 || two == 0 || two > long/3 {
		t.Errorf("of %d chats with an agent, have %d long ones and %d of two days", handed, long, two)
	}
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Source: source, Now: clockAt(noon), Readings: readings{SelectOn: wolkvoxtest.End}})
	found := 0
	for _, row := range get(t, s, chat8(noon.Add(-time.Hour), noon)).document(t).Data {
		start, err := time.ParseInLocation(time.DateTime, row["start_date"].(string), bogota)
		if err != nil {
			t.Fatal(err)
		}
		if start.Before(noon.Add(-45 * time.Hour)) {
			found++
		}
	}
	if found == 0 {
		t.Error("the range of the end has no chat of two days")
	}
}
