package main

import "strings"

// datasource returns the variable for the Prometheus server.
func datasource() object {
	return withoutLabel(object{
		"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
		"refresh": 1, "current": object{}, "options": []object{}, "regex": "",
		"multi": false, "includeAll": false, "skipUrlSync": false,
	})
}

// choice returns a variable for values of a label.
func choice(label, title, series string) object {
	return queryVariable(label, title, "label_values("+series+", "+label+")", "")
}

// namedChoice returns a variable for ids, which are shown by their names. Grafana writes a result as
// {name="Sales",rp_id="1101"} 1 1700000000000, with its labels in alphabetical order and without escaping quotes.
func namedChoice(id, title, names string) object {
	text, value := `name="(?<text>.*)"`, id+`="(?<value>[^"]*)"`
	pattern := text + "," + value
	if id < "name" {
		pattern = value + "," + text
	}
	return queryVariable(id, title, "query_result(topk by ("+id+") (1, group by ("+id+", name) ("+names+")))", `/^\{`+pattern+`\} \S+ \S+$/`)
}

// queryVariable returns a variable with several values. All is a pattern instead of a list of the values, which would make
// long queries.
func queryVariable(name, title, definition, regex string) object {
	return object{
		"name": name, "label": title, "type": "query", "datasource": source,
		"definition": definition, "query": object{"query": definition, "refId": "StandardVariableQuery"},
		"refresh": 2, // when the time range changes
		"sort":    5, // by the alphabet
		"multi":   true, "includeAll": true, "allValue": ".*",
		"current": object{"text": []string{"All"}, "value": []string{"$__all"}}, "options": []object{},
		"regex": regex, "hide": 0, "skipUrlSync": false,
	}
}

// setting returns a variable with some values, and one of them as the default. A value can have a text: "text : value".
func setting(name, title, description, chosen string, values ...string) object {
	options := make([]object, len(values))
	current := object{}
	for i, v := range values {
		text, value, found := strings.Cut(v, " : ")
		if !found {
			value = text
		}
		options[i] = object{"text": text, "value": value, "selected": value == chosen}
		if value == chosen {
			current = object{"text": text, "value": value}
		}
	}
	return object{
		"name": name, "label": title, "description": description, "type": "custom", "query": strings.Join(values, ","),
		"current": current, "options": options,
		"multi": false, "includeAll": false, "hide": 0, "skipUrlSync": false,
	}
}

// withoutLabel returns a variable that shows only its value, to keep all variables on one line.
func withoutLabel(variable object) object { return merged(variable, object{"hide": 1}) }

// hidden returns a variable that the dashboard's settings and links can change.
func hidden(variable object) object { return merged(variable, object{"hide": 2}) }

// bound returns a variable for a histogram's bounds, and one of them as the default. le="60.0" and
// le="60" are one value.
func bound(name, title, description, series, chosen string) object {
	return merged(queryVariable(name, title, "label_values("+series+", le)", `/^(\d+(?:\.\d*[1-9])?)(?:\.0)?$/`), object{
		"description": description, "multi": false, "includeAll": false, "allValue": nil,
		"sort":    3, // as numbers
		"current": object{"text": chosen, "value": chosen},
	})
}

// window is the time that a figure covers. Counters change with each poll, every 5 minutes,
// so that less than three polls would show the interval of polls instead of the chats.
func window() object {
	return setting("window", "Window", "Each value covers the chats that ended in this time before it.",
		"1h", "15m", "30m", "1h", "3h", "6h", "1d")
}

// barsEvery is the time from one bar or column to the next: by itself about 24 in the time range.
func barsEvery() object {
	const auto = "$__auto_interval_bars"
	widths := []string{"15m", "30m", "1h", "3h", "6h", "12h", "1d"}
	options := []object{{"text": "auto", "value": auto, "selected": true}}
	for _, w := range widths {
		options = append(options, object{"text": w, "value": w, "selected": false})
	}
	return object{
		"name": "bars", "label": "Bars", "description": "Time from one bar to the next. Auto makes about 24 of the time range.",
		"type": "interval", "query": strings.Join(widths, ","), "auto": true, "auto_count": 24, "auto_min": "15m",
		"current": object{"text": "auto", "value": auto}, "options": options,
		"refresh": 2, // when the time range changes
		"hide":    0, "skipUrlSync": false,
	}
}
