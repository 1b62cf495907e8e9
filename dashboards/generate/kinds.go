package main

import "maps"

// kind is a type of panel.
type kind struct {
	name     string // Grafana's
	instant  bool   // shows one moment
	format   string // of the queries' results
	options  object
	custom   object // Grafana's options of this kind for each field
	fromZero bool   // the axis begins at 0
	mark     string // the name of one value of several
}

var (
	stat = kind{name: "stat", instant: true, format: "time_series", options: object{
		"colorMode": "value", "graphMode": "none", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
		"reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}}
	// stats shows several series and their names, such as the verdict of judged.
	stats = stat.with(object{"textMode": "value_and_name"})
	lines = kind{name: "timeseries", format: "time_series", options: legend, fromZero: true, mark: "point", custom: object{
		"drawStyle": "line", "lineWidth": 2, "fillOpacity": 0, "showPoints": "auto",
		"spanNulls": 3600000, // an hour without a chat is bridged, a night is not
		"stacking":  object{"mode": "none", "group": "A"},
	}}
	bars = kind{name: "timeseries", format: "time_series", options: legend, fromZero: true, mark: "bar", custom: object{
		"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80, "showPoints": "never",
		"barAlignment": -1, // a point counts the time before it
		"stacking":     object{"mode": "normal", "group": "A"},
	}}
	// timeline shows states by the words and colours of a panel's mappings. Its legend has the words.
	timeline = kind{name: "state-timeline", format: "time_series", mark: "state", options: object{
		"mergeValues": true, "showValue": "never", "rowHeight": 0.8, "alignValue": "left",
		"legend":  object{"showLegend": true, "displayMode": "list", "placement": "bottom"},
		"tooltip": object{"mode": "single", "sort": "none"},
	}, custom: object{"lineWidth": 0, "fillOpacity": 80}}
	heatmap = kind{name: "heatmap", format: "heatmap", mark: "column", options: object{
		"calculate": false, "cellGap": 1, "showValue": "never",
		"rowsFrame":    object{"layout": "auto"},
		"filterValues": object{"le": 1e-9},
		"color":        object{"mode": "scheme", "scheme": "Oranges", "scale": "exponential", "exponent": 0.5, "steps": 64, "reverse": false},
		"yAxis":        object{"axisPlacement": "left", "reverse": false},
		"legend":       object{"show": true},
		"tooltip":      object{"mode": "single", "show": true, "yHistogram": true},
	}}
	table = kind{name: "table", instant: true, format: "table", options: object{
		"showHeader": true, "cellHeight": "sm",
	}, custom: object{"align": "auto", "filterable": false}}
	text = kind{name: "text", options: object{"mode": "markdown"}}

	legend = object{
		"legend":  object{"showLegend": true, "displayMode": "list", "placement": "bottom", "calcs": []string{}},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
)

func (k kind) with(options object) kind {
	k.options = merged(k.options, options)
	return k
}

// shares returns bars that fill the panel's height: the parts of a whole.
func shares() kind {
	k := bars
	k.custom = merged(k.custom, object{"stacking": object{"mode": "percent", "group": "A"}})
	return k
}

// signed returns lines that may be below 0.
func signed() kind {
	k := lines
	k.fromZero = false
	return k
}

// rowsOfDays returns a heatmap of one series for each day. Cells below least are empty.
func rowsOfDays(least float64, color object) kind {
	k := heatmap.with(object{
		"filterValues": object{"le": least},
		"color":        merged(heatmap.options["color"].(object), color),
	})
	k.format = "time_series"
	return k
}

// daily returns a table with a row for each point of a graph.
func daily() kind {
	k := table
	k.instant = false
	return k
}

func merged(a, b object) object {
	m := maps.Clone(a)
	maps.Copy(m, b)
	return m
}
