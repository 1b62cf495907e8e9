package main

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

// tag marks the dashboards, for the menu of each.
const tag = "wolkvox"

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
		"tags":          []string{tag},
		"schemaVersion": 37, // Grafana 9's; newer ones read it
		"editable":      true,
		"graphTooltip":  1, // one crosshair for all panels
		"refresh":       "1m",
		"time":          object{"from": d.from, "to": "now"},
		"timezone":      "", // the user's, or Grafana's default: a server can set the operation's
		"annotations":   object{"list": annotations()},
		"templating":    object{"list": d.variables},
		"links":         otherDashboards(),
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

// otherDashboards returns one menu of all dashboards, which keeps the time range and the variables.
func otherDashboards() []object {
	return []object{{
		"type": "dashboards", "title": "Dashboards", "tags": []string{tag}, "asDropdown": true, "icon": "external link",
		"keepTime": true, "includeVars": true, "targetBlank": false,
	}}
}

// annotations returns the marks that all graphs show.
func annotations() []object {
	mark := func(name, colour, step, expr, title, text string, more object) object {
		return merged(object{
			"name": name, "datasource": source, "enable": true, "hide": false, "iconColor": colour,
			"expr": expr, "step": step, "titleFormat": title, "textFormat": text, "tagKeys": "",
		}, more)
	}
	return []object{
		mark("Alerts", red, "5m", firing, "{{alertname}}", "{{operation}} {{rp_id}}", object{"tagKeys": "severity"}),
		// The value is when the process started.
		mark("Starts", purple, "5m", "1000 * process_start_time_seconds"+ours, "Exporter started", "{{instance}}", object{"useValueForTime": true}),
		// Counters begin at 0 where a backfill ends and after a loss of the state.
		mark("Counters from 0", grey, "1h", "sum by (operation) (resets("+operations.series(interactions)+"[1h])) > 0",
			"Counters began at 0", "{{operation}}: a backfill's end, or a lost state", object{}),
	}
}

// firing are the active alerts of the operations, and those without an operation.
const firing = `ALERTS{alertname=~"Wolkvox.*", alertstate="firing", operation=~"$operation|"}`
