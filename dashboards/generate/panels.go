package main

import (
	"maps"
	"slices"
	"strings"
)

// panel shows the results of some queries.
type panel struct {
	title, description string
	kind               kind
	w, h               int
	unit               string
	queries            []query

	decimals   any               // number of decimals; nil is as many as fit
	thresholds []threshold       // colours by value
	colours    map[string]string // colours by series' name
	byQuery    []string          // colours by query
	units      map[string]string // units by series' name, where they differ
	max        any               // the axis' upper end, if it is known
	noValue    string            // shown if there is no data
	ifEmpty    string            // sentence of the description: why there may be no data
	mappings   []object          // texts for values
	columns    []column          // of a table
	sortBy     string            // of a table, the column with the largest value first
	timeFrom   string            // begin of the panel's own time range
	text       string            // of a text
}

func (p panel) model(id int, place object) object {
	m := object{
		"id": id, "type": p.kind.name, "title": p.title, "description": p.description,
		"gridPos": place, "datasource": source, "options": p.options(),
	}
	if p.kind.name == text.name {
		return m
	}
	m["description"] = p.description + p.timing() + p.ifEmpty
	if from := p.ownRange(); from != "" {
		m["timeFrom"], m["hideTimeOverride"] = from, true
	}
	targets := make([]object, len(p.queries))
	for i, q := range p.queries {
		targets[i] = object{
			"refId": letter(i), "datasource": source, "editorMode": "code",
			"expr": q.expr, "legendFormat": q.legend, "format": p.kind.format,
			"instant": p.kind.instant, "range": !p.kind.instant,
		}
		if q.step != "" {
			targets[i]["interval"] = q.step
		}
	}
	if p.kind.name == lines.name {
		m["maxDataPoints"] = maxPoints
	}
	m["targets"] = targets
	m["fieldConfig"] = object{"defaults": p.defaults(), "overrides": p.overrides()}
	if p.columns != nil {
		m["transformations"] = p.transformations()
	}
	return m
}

// maxPoints are enough for a line. More would make long time ranges slow, and look like noise.
const maxPoints = 300

// ownRange returns the begin of the panel's own time range. What shows one moment shows now: Grafana's "Today" ends in
// the future, where there is no value. It follows the dashboard if that shows absolute times.
func (p panel) ownRange() string {
	if p.timeFrom != "" || !p.kind.instant || strings.Contains(p.queries[0].expr, overRange) {
		return p.timeFrom
	}
	return "1h"
}

// timing returns which time a value covers.
func (p panel) timing() string {
	switch q := p.queries[0]; {
	case p.kind.instant || p.kind.mark == "":
		return ""
	case strings.Contains(q.expr, overInterval):
		return " A " + p.kind.mark + " covers the " + q.step + " before it."
	case strings.Contains(q.expr, overRate):
		return " A " + p.kind.mark + " covers the 20m before it, or more if the time range is long."
	case strings.Contains(q.expr, overWindow):
		return " A " + p.kind.mark + " covers the " + overWindow + " before it."
	default:
		return ""
	}
}

func letter(i int) string { return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i : i+1] }

func (p panel) options() object {
	switch p.kind.name {
	case text.name:
		return merged(p.kind.options, object{"content": p.text})
	case heatmap.name:
		if p.kind.format != heatmap.format { // Its rows are days.
			return merged(p.kind.options, object{"cellValues": object{"unit": p.unit}})
		}
		axis := merged(p.kind.options["yAxis"].(object), object{"unit": p.unit})
		return merged(p.kind.options, object{"yAxis": axis, "cellValues": object{"unit": count}})
	case table.name:
		if p.sortBy == "" {
			return p.kind.options
		}
		return merged(p.kind.options, object{"sortBy": []object{{"displayName": p.sortBy, "desc": true}}})
	default:
		return p.kind.options
	}
}

func (p panel) defaults() object {
	d := object{"color": object{"mode": "palette-classic"}}
	custom := maps.Clone(p.kind.custom)
	switch {
	case p.thresholds != nil:
		steps := make([]object, len(p.thresholds))
		for i, t := range p.thresholds {
			steps[i] = object{"value": t.from, "color": t.colour}
		}
		d["thresholds"] = object{"mode": "absolute", "steps": steps}
		if p.kind.name == lines.name {
			custom["thresholdsStyle"] = object{"mode": "line"}
		} else {
			d["color"] = object{"mode": "thresholds"}
		}
	case p.kind.instant || p.kind.name == timeline.name || p.kind.name == table.name:
		d["color"] = fixed(neutral)
	}
	if custom != nil {
		d["custom"] = custom
	}
	if p.kind.fromZero {
		d["min"] = 0
	}
	for name, value := range map[string]any{"unit": p.unit, "noValue": p.noValue} {
		if value != "" {
			d[name] = value
		}
	}
	if p.decimals != nil {
		d["decimals"] = p.decimals
	}
	if p.max != nil {
		d["max"] = p.max
	}
	switch {
	case p.mappings != nil:
		d["mappings"] = p.mappings
	case p.kind.name == stat.name:
		d["mappings"] = texts(p.noValue, p.missingColour())
	}
	return d
}

// missingColour is the colour of a figure that is not there: it is a fault where a value can be one.
func (p panel) missingColour() string {
	if p.noValue == noData && slices.ContainsFunc(p.thresholds, func(t threshold) bool { return t.colour == red }) {
		return red
	}
	return neutral
}

// query is a PromQL query and the name of its series.
type query struct {
	expr, legend string
	step         string // the minimal time between two points
}
