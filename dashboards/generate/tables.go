package main

import "strings"

// Units of Grafana.
const (
	count   = "locale" // whole, as in 1,043
	percent = "percentunit"
	clock   = "dthms" // 00:08:45
	date    = "time:ddd D MMM"
)

// column is a column of a table. It is identified by the name of a label or the letter of a query.
type column struct {
	from, title string
	unit        string
	decimals    any
	width       int      // in pixels; 0 is what remains
	mappings    []object // texts for values
	link        string   // where a click leads to; see linkTo
	colours     bool     // the text has the colour of its mapping
}

func (c column) properties() (all []object) {
	add := func(id string, value any) { all = append(all, property(id, value)) }
	if c.unit != "" {
		add("unit", c.unit)
		mappings := c.mappings
		if mappings == nil {
			mappings = texts(emptyNum, neutral)
		}
		add("mappings", mappings)
	}
	if c.decimals != nil {
		add("decimals", c.decimals)
	}
	if c.width != 0 {
		add("custom.width", c.width)
	}
	if c.colours {
		add("custom.displayMode", "color-text") // Grafana 9's; newer ones read it
	}
	if c.link != "" {
		add("links", []object{{"title": "Show only ${__value.text}", "url": c.link}})
	}
	return all
}

// counted, shared, timed and judgedIn are columns of figures.
func counted(query int, title string) column {
	return column{from: value(query), title: title, unit: count, decimals: 0, width: 95}
}

func shared(query int, title string) column {
	return column{from: value(query), title: title, unit: percent, decimals: 0, width: 95}
}

func timed(query int, title string) column {
	return column{from: value(query), title: title, unit: clock, width: 90}
}

func judgedIn(query int, title string) column {
	return column{from: value(query), title: title, unit: count, width: 95, mappings: verdictTexts(), colours: true}
}

// transformations join the queries' results to one table, with a row for each set of labels
// that all of them have.
func (p panel) transformations() []object {
	hidden, order, titles := object{"Time": true}, object{}, object{}
	for i := range p.queries {
		hidden[value(i)] = true
		hidden["Value"] = true
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

// figures returns the queries of a table whose rows are there without a value, too.
func figures(by, rows string, exprs ...string) []query {
	queries := make([]query, len(exprs))
	for i, expr := range exprs {
		queries[i] = query{expr: ofRows(expr, by, rows)}
	}
	return queries
}

// linkTo returns a link to a dashboard with values of the clicked row, by variable, and with the kept variables.
func linkTo(uid string, row map[string]string, kept ...string) string {
	parameters := []string{"${__url_time_range}", "${datasource:queryparam}"}
	for _, variable := range kept {
		parameters = append(parameters, "${"+variable+":queryparam}")
	}
	for _, variable := range []string{"operation", "rp_id", "agent_id"} {
		if column := row[variable]; column != "" {
			parameters = append(parameters, "var-"+variable+"=${__data.fields."+column+":percentencode}")
		}
	}
	return "/d/" + uid + "?" + strings.Join(parameters, "&")
}
