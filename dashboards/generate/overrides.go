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
	for _, q := range p.queries {
		if q.legend == targetLine {
			overrides = append(overrides, override(targetLine,
				property("color", fixed("text")),
				property("custom.lineWidth", 1),
				property("custom.lineStyle", object{"fill": "dash", "dash": []int{10, 10}}),
			))
		}
	}
	for _, c := range p.columns {
		var properties []object
		if c.unit != "" {
			properties = append(properties, property("unit", c.unit))
		}
		if c.decimals != nil {
			properties = append(properties, property("decimals", c.decimals))
		}
		if c.link != "" {
			properties = append(properties, property("links", []object{{"title": "Show only " + c.title + " ${__value.raw}", "url": c.link}}))
		}
		if properties != nil {
			overrides = append(overrides, override(c.title, properties...))
		}
	}
	return overrides
}

func override(name string, properties ...object) object {
	return object{"matcher": object{"id": "byName", "options": name}, "properties": properties}
}

func property(id string, value any) object { return object{"id": id, "value": value} }

func fixed(colour string) object { return object{"mode": "fixed", "fixedColor": colour} }

// transformations join the queries' results to one table, with a row for each set of labels
// that all of them have.
func (p panel) transformations() []object {
	hidden, order, titles := object{"Time": true}, object{}, object{}
	for i := range p.queries {
		hidden[value(i)] = true
	}
	for i, c := range p.columns {
		delete(hidden, c.from)
		order[c.from] = i
		if c.title != c.from {
			titles[c.from] = c.title
		}
	}
	return []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": hidden, "indexByName": order, "renameByName": titles}},
	}
}

// value returns Grafana's name of the column with the i-th query's values.
func value(i int) string { return "Value #" + letter(i) }

// linkTo returns a link to a dashboard with the clicked value, and with the kept variables.
func linkTo(uid, variable string, kept ...string) string {
	kept = append([]string{"datasource", "operation", "window"}, kept...)
	return "/d/" + uid + "?${__url_time_range}&${" + strings.Join(kept, ":queryparam}&${") + ":queryparam}" +
		"&var-" + variable + "=${__value.raw}"
}

// texts maps values to texts, each with a colour.
func texts(of map[string][2]string) []object {
	options := object{}
	for i, v := range slices.Sorted(maps.Keys(of)) {
		options[v] = object{"index": i, "text": of[v][0], "color": of[v][1]}
	}
	return []object{{"type": "value", "options": options}}
}
