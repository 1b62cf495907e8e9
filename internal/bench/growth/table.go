package main

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/number"
)

// table has a row for each size, and a last row with the exponents.
type table struct {
	name    string // In the page, a comment with it is above the table.
	sizes   string
	columns []column
}

type column struct {
	title string
	cost  cost
}

var tables = []table{
	{"rows-new", "rows", both("Poll/chats=new", "allocated", "B/op")},
	{"identities-saved", "identities", both("Save", "on disk, each", "disk-B/chat")},
	{"identities-loaded", "identities", both("Load", "in memory, each", "heap-B/chat")},
	{"operations", "operations", []column{
		{"CPU of all polls", cost{"Operations", "cpu-ms/op"}},
		{"of a request", cost{"Operations", "cpu-ms/request"}},
		{"memory", cost{"Operations", "MiB-rss"}},
		{"delay of a poll, p99", cost{"Operations", "p99-late-ms"}},
	}},
	{"label-sets", "label sets", []column{
		{"first: CPU", cost{"LabelSets/of=exporter-after-a-poll", "cpu-ms/op"}},
		{"later: CPU", cost{"LabelSets/of=exporter", "cpu-ms/op"}},
		{"in memory", cost{"LabelSets/of=exporter", "heap-B"}},
		{"plain registry: CPU", cost{"LabelSets/of=registry", "cpu-ms/op"}},
		{"in memory", cost{"LabelSets/of=registry", "heap-B"}},
	}},
}

// both returns the columns of a benchmark that runs the exporter and the naive one.
// The wall clock of a busy machine varies too much to be shown.
func both(benchmark, space, unit string) []column {
	exporter, obvious := benchmark+"/by=exporter", benchmark+"/by=obvious"
	return []column{
		{"CPU", cost{exporter, "cpu-ms/op"}},
		{space, cost{exporter, unit}},
		{"obvious: CPU", cost{obvious, "cpu-ms/op"}},
		{space, cost{obvious, unit}},
	}
}

// into replaces the table in a page.
func (t *table) into(page []byte, all costs) ([]byte, error) {
	comment := "<!-- growth: " + t.name + " -->\n\n"
	place := regexp.MustCompile(regexp.QuoteMeta(comment) + `(\|.*\n)*`).FindIndex(page)
	if place == nil {
		return nil, fmt.Errorf("there is no %q", strings.TrimSpace(comment))
	}
	text, err := t.markdown(all)
	if err != nil {
		return nil, err
	}
	return slices.Concat(page[:place[0]], []byte(comment), text, page[place[1]:]), nil
}

func (t *table) markdown(all costs) ([]byte, error) {
	sizes, err := all.medians(t.columns[0].cost)
	if err != nil {
		return nil, err
	}
	lines := [][]string{{t.sizes}}
	for _, p := range sizes {
		lines = append(lines, []string{grouped(float64(p.size))})
	}
	lines = append(lines, []string{"exponent"})
	for _, c := range t.columns {
		points, err := all.medians(c.cost)
		if err != nil {
			return nil, err
		}
		cells := []string{c.title}
		for _, size := range sizes {
			cell := ""
			if at := slices.IndexFunc(points, func(p point) bool { return p.size == size.size }); at >= 0 {
				cell = units[c.cost.unit](points[at].value)
			}
			cells = append(cells, cell)
		}
		// Adding 0 turns -0 into 0.
		cells = append(cells, fmt.Sprintf("%.2f", math.Round(100*exponent(points))/100+0))
		for i, cell := range cells {
			lines[i] = append(lines[i], cell)
		}
	}
	var text bytes.Buffer
	for i, cells := range lines {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(&text, "|%s\n", strings.Repeat("---:|", len(cells)))
		}
	}
	return text.Bytes(), nil
}

// units has the format of each unit.
var units = map[string]func(float64) string{
	"ns/op":          nanoseconds,
	"cpu-ms/op":      milliseconds,
	"cpu-ms/request": milliseconds,
	"p99-late-ms":    milliseconds,
	"B/op":           byteSize,
	"heap-B":         byteSize,
	"heap-B/chat":    byteSize,
	"disk-B/chat":    byteSize,
	"MiB-rss":        func(value float64) string { return short(value, "MiB") },
}

func nanoseconds(value float64) string  { return short(value, "ns", "µs", "ms", "s") }
func milliseconds(value float64) string { return short(value, "ms", "s") }
func byteSize(value float64) string     { return short(value, "B", "kB", "MB", "GB") }

// short formats a value in the largest unit in which it is at least 1. Each unit is 1,000
// of the one before.
func short(value float64, units ...string) string {
	for len(units) > 1 && value >= 999.5 {
		value, units = value/1000, units[1:]
	}
	digits := 0
	if value < 9.95 {
		digits = 1
	}
	return strconv.FormatFloat(value, 'f', digits, 64) + " " + units[0]
}

func grouped(value float64) string {
	return message.NewPrinter(language.English).Sprint(number.Decimal(value))
}
