package main

import "strings"

// object is an object of Grafana's JSON.
type object = map[string]any

// source is the data source of every panel, query and variable: the one that the user has
// selected.
var source = object{"type": "prometheus", "uid": "${datasource}"}

// dashboard is a page.
type dashboard struct {
	uid, title, description string
	from                    string // start of the time range
	variables               []object
	rows                    []row
}

// row is a heading with the panels below it. The panels are placed from left to right, in as
// many lines as they need.
type row struct {
	title     string // none: no heading
	collapsed bool
	panels    []panel
}

const columns = 24

func (d dashboard) model() object {
	var panels []object
	y := 0
	for i, r := range d.rows {
		// Each row has its own hundred ids, so that a new panel does not change the ids of
		// other rows, and links to their panels remain valid.
		id := 100 * (i + 1)
		heading := object{
			"type": "row", "id": id, "title": r.title, "collapsed": r.collapsed,
			"gridPos": object{"x": 0, "y": y, "w": columns, "h": 1},
			"panels":  []object{},
		}
		if r.title != "" {
			y++
		}
		var placed []object
		placed, y = r.place(id, y)
		if r.collapsed {
			heading["panels"] = placed
			placed = nil
		}
		if r.title != "" {
			panels = append(panels, heading)
		}
		panels = append(panels, placed...)
	}
	return object{
		"uid":           d.uid,
		"title":         d.title,
		"description":   d.description,
		"tags":          []string{"wolkvox"},
		"schemaVersion": 37, // Grafana 9's; newer ones read it
		"editable":      true,
		"graphTooltip":  1, // one crosshair for all panels
		"refresh":       "1m",
		"time":          object{"from": d.from, "to": "now"},
		"timezone":      "browser",
		"annotations":   object{"list": []object{}},
		"templating":    object{"list": d.variables},
		"links":         links(d.uid),
		"panels":        panels,
	}
}

// place sets the ids and positions of a row's panels, starting at line y, and returns the
// first line below them.
func (r row) place(id, y int) ([]object, int) {
	placed := make([]object, len(r.panels))
	x, height := 0, 0
	for i, p := range r.panels {
		if x+p.w > columns {
			x, y, height = 0, y+height, 0
		}
		placed[i] = p.model(id+i+1, object{"x": x, "y": y, "w": p.w, "h": p.h})
		x, height = x+p.w, max(height, p.h)
	}
	return placed, y + height
}

// links returns links to the other dashboards, which keep the time range and the variables.
func links(from string) []object {
	var to []object
	for _, other := range []struct{ uid, title string }{
		{chatsUID, "Chats"}, {agentsUID, "Agents"}, {exporterUID, "Exporter"},
	} {
		if other.uid != from {
			to = append(to, object{
				"type": "link", "title": other.title, "url": "/d/" + other.uid, "icon": "dashboard",
				"keepTime": true, "includeVars": true, "targetBlank": false,
			})
		}
	}
	return to
}

// datasource returns the variable for the Prometheus server.
func datasource() object {
	return object{
		"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
		"refresh": 1, "current": object{}, "options": []object{}, "regex": "",
		"multi": false, "includeAll": false, "hide": 0, "skipUrlSync": false,
	}
}

// choice returns a variable for values of a label. All is a pattern instead of a list of the
// values, which would make long queries.
func choice(label, title, series string) object {
	values := "label_values(" + series + ", " + label + ")"
	return object{
		"name": label, "label": title, "type": "query", "datasource": source,
		"definition": values, "query": object{"query": values, "refId": "StandardVariableQuery"},
		"refresh": 2, // when the time range changes
		"sort":    3, // as numbers
		"multi":   true, "includeAll": true, "allValue": ".*",
		"current": object{"text": []string{"All"}, "value": []string{"$__all"}}, "options": []object{},
		"regex": "", "hide": 0, "skipUrlSync": false,
	}
}

// setting returns a variable with some values, and one of them as the default.
func setting(name, title, description, chosen string, values ...string) object {
	options := make([]object, len(values))
	for i, v := range values {
		options[i] = object{"text": v, "value": v, "selected": v == chosen}
	}
	return object{
		"name": name, "label": title, "description": description, "type": "custom", "query": strings.Join(values, ","),
		"current": object{"text": chosen, "value": chosen}, "options": options,
		"multi": false, "includeAll": false, "hide": 0, "skipUrlSync": false,
	}
}

// bound returns a variable for a histogram's bounds, and one of them as the default. le="60.0" and
// le="60" are one value.
func bound(name, title, description, series, chosen string) object {
	values := "label_values(" + series + ", le)"
	return object{
		"name": name, "label": title, "description": description, "type": "query", "datasource": source,
		"definition": values, "query": object{"query": values, "refId": "StandardVariableQuery"},
		"refresh": 2, // when the time range changes
		"sort":    3, // as numbers
		"multi":   false, "includeAll": false,
		"current": object{"text": chosen, "value": chosen}, "options": []object{},
		"regex": `/^(\d+(?:\.\d*[1-9])?)(?:\.0)?$/`, "hide": 0, "skipUrlSync": false,
	}
}

// window is the time that a figure covers. Counters change with each poll, every 5 minutes,
// so that less than three polls would show the interval of polls instead of the chats.
func window() object {
	return setting("window", "Window", "Each value covers the chats that ended in this time before it.",
		"1h", "15m", "30m", "1h", "3h", "6h", "1d")
}
