package main

import (
	"maps"
	"slices"
	"strings"
)

// targetLine is the name of a series that is a target and not a measurement.
const targetLine = "target"

func (p panel) overrides() []object {
	overrides := []object{}
	for _, name := range slices.Sorted(maps.Keys(p.colours)) {
		overrides = append(overrides, override(name, property("color", fixed(p.colours[name]))))
	}
	for i, colour := range p.byQuery {
		overrides = append(overrides, object{
			"matcher":    object{"id": "byFrameRefID", "options": letter(i)},
			"properties": []object{property("color", fixed(colour))},
		})
	}
	for _, name := range slices.Sorted(maps.Keys(p.units)) {
		overrides = append(overrides, override(name, property("unit", p.units[name]), property("decimals", 0)))
	}
	for _, q := range p.queries {
		if q.legend == targetLine {
			overrides = append(overrides, override(targetLine,
				property("color", fixed(neutral)),
				property("custom.lineWidth", 1),
				property("custom.lineStyle", object{"fill": "dash", "dash": []int{10, 10}}),
			))
		}
	}
	for _, c := range p.columns {
		if properties := c.properties(); properties != nil {
			overrides = append(overrides, override(c.title, properties...))
		}
	}
	return overrides
}

// override sets properties of the series with a name, or with names that match a /pattern/.
func override(name string, properties ...object) object {
	matcher := "byName"
	if strings.HasPrefix(name, "/") {
		matcher = "byRegexp"
	}
	return object{"matcher": object{"id": matcher, "options": name}, "properties": properties}
}

func property(id string, value any) object { return object{"id": id, "value": value} }

func fixed(colour string) object { return object{"mode": "fixed", "fixedColor": colour} }
