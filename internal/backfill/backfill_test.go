package backfill

import (
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestRun_CountsUnderEveryReading(t *testing.T) {
	var first string
	i := -1
	for name, readings := range wolkvoxtest.EveryReading() {
		if i++; !isSelected(i) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := newPast("America/Bogota", "2026-01-30T20:11:07Z", 2*day)
			p.options.Step = time.Hour
			p.readings = readings
			have, err := p.run(t)
			if err != nil {
				t.Fatal(err)
			}
			p.wantTruth(t, have)
			if first == "" {
				first = have
			}
			if have != first {
				t.Error("the text is another one than under the ordinary reading")
			}
		})
	}
}

func TestRun_CountsAcrossClockChanges(t *testing.T) {
	for i, test := range []struct{ zone, from string }{
		{"Europe/Madrid", "2025-10-25T12:30:00Z"},
		{"Europe/Madrid", "2025-10-26T00:30:00Z"}, // in the hour that there is twice
		{"Europe/Madrid", "2026-03-28T12:00:59Z"},
		{"America/Santiago", "2025-09-06T01:02:03Z"}, // at midnight: the day has 23 hours
		{"America/Santiago", "2025-04-05T12:00:07Z"},
		{"Australia/Lord_Howe", "2026-04-04T00:00:00Z"}, // by half an hour
	} {
		if !isSelected(i) {
			continue
		}
		for _, selectOn := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
			t.Run(test.zone+" "+test.from, func(t *testing.T) {
				p := newPast(test.zone, test.from, 30*time.Hour)
				p.readings = wolkvoxtest.Readings{SelectOn: selectOn, Ends: wolkvoxtest.BothExclusive}
				have, err := p.run(t)
				if err != nil {
					t.Fatal(err)
				}
				p.wantTruth(t, have)
			})
		}
	}
}

func TestRun_EndsWithSampleAtTo(t *testing.T) {
	p := newPast("America/Bogota", "2026-01-10T00:00:00Z", 5*time.Hour)
	p.options.Step = 7 * time.Hour
	if p.options.sampleCount() != 2 || !p.options.sampleTime(1).Equal(p.options.To) {
		t.Fatalf("have %d samples, the second one at %s", p.options.sampleCount(), p.options.sampleTime(1))
	}
	have, err := p.run(t)
	if err != nil {
		t.Fatal(err)
	}
	p.wantTruth(t, have)
}

func TestRun_WritesNoSamplesWithoutChats(t *testing.T) {
	p := newPast("America/Bogota", "2026-01-10T00:00:00Z", day)
	p.chats = nil
	if have, err := p.run(t); have != "# EOF\n" || err != nil {
		t.Errorf("have %q (error %v), want # EOF", have, err)
	}
}

func TestRun_AddsLabelsToEachSeries(t *testing.T) {
	p := newPast("America/Bogota", "2026-01-10T00:00:00Z", day)
	plain, err := p.run(t)
	if err != nil {
		t.Fatal(err)
	}
	p.options.Stdout = nil
	p.options.Labels = map[string]string{"job": "wolkvox", "instance": `a "quoted" one`}
	labelled, err := p.run(t)
	if err != nil {
		t.Fatal(err)
	}
	const added = `,instance="a \"quoted\" one",job="wolkvox"`
	series := 0
	for line := range strings.Lines(labelled) {
		if !strings.HasPrefix(line, "#") {
			series++
			if !strings.Contains(line, added) {
				t.Errorf("have %q, want %s in it", line, added)
			}
		}
	}
	if have := strings.ReplaceAll(labelled, added, ""); have != plain || series == 0 {
		t.Errorf("have other samples with labels than without, or none of %d", series)
	}
}
