package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

// wallPanel has the fields of a panel that a wall depends on.
type wallPanel struct {
	Type, Title      string
	GridPos          struct{ X, Y, W, H int }
	TimeFrom         string
	HideTimeOverride bool
	Options          struct {
		Text struct{ TitleSize, ValueSize int }
	}
	FieldConfig struct {
		Defaults struct {
			Unit       string
			Decimals   *int
			Thresholds struct{ Steps []struct{ Color string } }
			NoValue    string
			Mappings   []struct {
				Type    string
				Options json.RawMessage
			}
		}
	}
}

type wallMapping struct{ Text, Color string }

func wallPanels(t *testing.T) []wallPanel {
	t.Helper()
	var d struct{ Panels []wallPanel }
	if err := json.Unmarshal(checkedInFiles(t)["wallboard.json"], &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Panels) == 0 {
		t.Fatal("have no panels")
	}
	return d.Panels
}

func TestWallboard_FillsOneScreen(t *testing.T) {
	t.Parallel()
	height := func(lines int) int { return lines*lineHeight + (lines-1)*lineGap + 2*screenMargin }
	lines, cells := 0, 0
	for _, p := range wallPanels(t) {
		if p.Type == "row" {
			t.Errorf("%q is a heading", p.Title)
		}
		lines = max(lines, p.GridPos.Y+p.GridPos.H)
		cells += p.GridPos.W * p.GridPos.H
	}
	if have := height(lines); have > screenHeight || height(lines+1) <= screenHeight {
		t.Errorf("have %d lines, which are %d pixels high, want as many as fit into %d", lines, have, screenHeight)
	}
	// Panels do not overlap, which another test checks.
	if cells != lines*columns {
		t.Errorf("panels cover %d cells of %d", cells, lines*columns)
	}
}

func TestWallboard_HasSixTilesWithTrendBelow(t *testing.T) {
	t.Parallel()
	panels, tiles := wallPanels(t), 0
	for _, tile := range panels {
		if tile.Type != "stat" || tile.GridPos.W != columns/3 {
			continue
		}
		tiles++
		below := 0
		for _, p := range panels {
			if p.Type == "timeseries" && p.GridPos.X == tile.GridPos.X && p.GridPos.W == tile.GridPos.W && p.GridPos.Y == tile.GridPos.Y+tile.GridPos.H {
				below++
			}
		}
		if below != 1 {
			t.Errorf("%q has %d trends below it", tile.Title, below)
		}
	}
	if tiles != 6 {
		t.Errorf("have %d tiles", tiles)
	}
}

// The letters of Grafana's own sizes, which depend on the panel, can become small.
func TestWallboard_IsReadableAtFiveMetres(t *testing.T) {
	t.Parallel()
	for _, p := range wallPanels(t) {
		if size := p.Options.Text; p.Type != "timeseries" && (size.TitleSize < 26 || size.ValueSize < 26) {
			t.Errorf("%q has letters of %+v pixels", p.Title, size)
		}
	}
}

func TestWallboard_ShowsWholeNumbersAndClockDurations(t *testing.T) {
	t.Parallel()
	for _, p := range wallPanels(t) {
		d := p.FieldConfig.Defaults
		switch d.Unit {
		case "dthms":
		case "percentunit", "locale", "none":
			if p.Type != "timeseries" && (d.Decimals == nil || *d.Decimals != 0) {
				t.Errorf("%q has decimals", p.Title)
			}
		default:
			t.Errorf("%q has the unit %q", p.Title, d.Unit)
		}
	}
}

// A link from another dashboard keeps its time range, and a day's chats would be those of a week.
func TestWallboard_ShowsToday(t *testing.T) {
	t.Parallel()
	for _, p := range wallPanels(t) {
		if p.TimeFrom != "now/d" || !p.HideTimeOverride {
			t.Errorf("%q shows the time from %q", p.Title, p.TimeFrom)
		}
	}
}

// The queries' results without an exporter are tested in e2e.
func TestWallboard_IsNotGreen(t *testing.T) {
	t.Parallel()
	if bytes.Contains(checkedInFiles(t)["wallboard.json"], []byte("green")) {
		t.Error("something is green")
	}
	for _, p := range wallPanels(t) {
		if p.FieldConfig.Defaults.NoValue == "" {
			t.Errorf("%q has no words for no data", p.Title)
		}
		if p.Type == "timeseries" || p.Title == "Active alerts" {
			continue
		}
		shown := map[string]wallMapping{}
		for _, m := range p.FieldConfig.Defaults.Mappings {
			if m.Type != "value" {
				missing := struct{ Result wallMapping }{}
				if err := json.Unmarshal(m.Options, &missing); err != nil {
					t.Fatal(err)
				}
				shown["no value"] = missing.Result
				continue
			}
			if err := json.Unmarshal(m.Options, &shown); err != nil {
				t.Fatal(err)
			}
		}
		for _, value := range []string{outdated, "no value"} {
			if have := shown[value]; have.Text == "" || have.Color != wallWorst {
				t.Errorf("%q shows %s as %+v", p.Title, value, have)
			}
		}
		for value, have := range shown {
			if have.Color != wallWorst && have.Color != "text" {
				t.Errorf("%q shows %s as %+v", p.Title, value, have)
			}
		}
	}
}
