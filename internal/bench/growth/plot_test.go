package main

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// shown returns the texts of a picture.
func shown(t *testing.T, svg []byte) (said []string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(string(svg)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return said
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && strings.TrimSpace(string(text)) != "" {
			said = append(said, string(text))
		}
	}
}

func TestChart_HasLegendAndAxes(t *testing.T) {
	all := costs{
		{"Poll/by=exporter", "cpu-ms/op"}: {100: {0.7}, 10_000: {20}},
		{"Poll/by=obvious", "cpu-ms/op"}:  {100: {5}, 1000: {30}},
	}
	c := chart{"rows", "rows", "CPU, in ms", []line{
		{"exporter", cost{"Poll/by=exporter", "cpu-ms/op"}, blue, draw.CircleGlyph{}},
		{"obvious exporter", cost{"Poll/by=obvious", "cpu-ms/op"}, red, draw.BoxGlyph{}},
	}}
	svg, err := c.svg(all)
	if err != nil {
		t.Fatal(err)
	}
	have := shown(t, svg)
	for _, want := range []string{
		"rows", "100", "1,000", "10,000",
		"CPU, in ms", "0.1", "1", "10",
		"exporter", "obvious exporter", "in proportion to the size",
	} {
		if !slices.Contains(have, want) {
			t.Errorf("have %q, want %q among it", have, want)
		}
	}
	if !strings.Contains(string(svg), "0072B2") || !strings.Contains(string(svg), "D55E00") {
		t.Error("have not the colors of both lines")
	}
}

func TestChart_RefusesEmptyLine(t *testing.T) {
	if svg, err := charts[0].svg(costs{}); err == nil {
		t.Errorf("have %s, want an error", svg)
	}
}

func TestChart_ProportionEndsWithCost(t *testing.T) {
	have := inProportion([]point{{10, 500}, {100, 700}, {1000, 2000}})
	if want := []point{{10, 20}, {1000, 2000}}; !slices.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
}

func TestTicks_EncloseValues(t *testing.T) {
	labelled := func(ticks []plot.Tick) (labels []string) {
		for _, tick := range ticks {
			if !tick.IsMinor() {
				labels = append(labels, tick.Label)
			}
		}
		return labels
	}
	for _, c := range []struct {
		low, high float64
		want      []string
	}{
		{0, 2, []string{"1", "10", "100"}},
		{-1.2, 0.3, []string{"0.01", "0.1", "1", "10"}},
		{5.5, 6.5, []string{"100,000", "1,000,000", "10,000,000"}},
	} {
		if have := labelled(decades{}.Ticks(c.low, c.high)); !slices.Equal(have, c.want) {
			t.Errorf("from %v to %v: have %q, want %q", c.low, c.high, have, c.want)
		}
	}
}
