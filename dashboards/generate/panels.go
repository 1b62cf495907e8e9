package main

import (
	"maps"
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
	colours    map[string]string // colours by series' name; a name of Grafana's suits light and dark
	max        any               // the axis' upper end, if it is known
	noValue    string            // shown if there is no data
	ifEmpty    string            // sentence of the description: why there may be no data
	mappings   []object          // texts for values
	columns    []column          // of a table
	text       string            // of a text
}

// query is a PromQL query and the name of its series.
type query struct {
	expr, legend string
	step         string // the minimal time between two points
}

// threshold is where a colour begins.
type threshold struct {
	from   any // nil is below all others
	colour string
}

// column is a column of a table. It is identified by the name of a label or the letter of a query.
type column struct {
	from, title string
	unit        string
	decimals    any
	link        string // where a click leads to; see linkTo
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
	m["targets"] = targets
	m["fieldConfig"] = object{"defaults": p.defaults(), "overrides": p.overrides()}
	if p.columns != nil {
		m["transformations"] = p.transformations()
	}
	return m
}

// timing returns which time a value covers.
func (p panel) timing() string {
	const wider = ", or more if the time range is long."
	switch q := p.queries[0]; {
	case p.kind.instant:
		return ""
	case strings.Contains(q.expr, overInterval):
		return " A " + p.kind.mark + " covers the " + q.step + " before it" + wider
	case strings.Contains(q.expr, overRate):
		return " A " + p.kind.mark + " covers the 20m before it" + wider
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
		axis := merged(p.kind.options["yAxis"].(object), object{"unit": p.unit})
		return merged(p.kind.options, object{"yAxis": axis})
	case table.name:
		return merged(p.kind.options, object{"sortBy": []object{{"displayName": p.sortedBy(), "desc": true}}})
	default:
		return p.kind.options
	}
}

// sortedBy returns the first column with a figure.
func (p panel) sortedBy() string {
	for _, c := range p.columns {
		if c.unit != "" {
			return c.title
		}
	}
	return ""
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
		if p.kind.name == "timeseries" {
			custom["thresholdsStyle"] = object{"mode": "line"}
		} else {
			d["color"] = object{"mode": "thresholds"}
		}
	case p.kind.instant:
		d["color"] = object{"mode": "fixed", "fixedColor": "text"}
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
	if p.mappings != nil {
		d["mappings"] = p.mappings
	}
	return d
}
