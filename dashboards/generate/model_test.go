package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// grafana has the fields of a Grafana dashboard that the tests check.
type grafana struct {
	UID           string
	Title         string
	Description   string
	SchemaVersion int
	Timezone      string
	Time          struct{ From string }
	Links         []struct {
		Type                              string
		Tags                              []string
		KeepTime, IncludeVars, AsDropdown bool
	}
	Tags       []string
	Templating struct{ List []grafanaVariable }
	Panels     []grafanaPanel
}

type grafanaVariable struct {
	Name, Label, Type, AllValue, Regex string
	Multi, IncludeAll                  bool
	Hide                               int
	AutoCount                          int `json:"auto_count"`
	Query                              any
	Current                            struct{ Text, Value any }
}

type grafanaPanel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Panels                   []grafanaPanel
	Targets                  []grafanaTarget
	TimeFrom                 string
	HideTimeOverride         bool
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			NoValue    string
			Decimals   *int
			Thresholds struct{ Steps []struct{ Color string } }
			Mappings   []grafanaMapping
		}
		Overrides []struct {
			Matcher    struct{ ID, Options string }
			Properties []struct {
				ID    string
				Value any
			}
		}
	}
	Transformations []struct {
		ID      string
		Options struct {
			ExcludeByName map[string]bool
			RenameByName  map[string]string
			IndexByName   map[string]int
		}
	}
}

type grafanaTarget struct {
	RefID, Expr, Interval, LegendFormat string
	Instant                             bool
}

// grafanaMapping gives texts and colours to values. Its options are of its type.
type grafanaMapping struct {
	Type    string
	Options json.RawMessage
}

// result is the text and colour of a value.
type result struct{ Text, Color string }

// texts returns the results by value. The missing value is "null+nan".
func (m grafanaMapping) texts(t *testing.T) map[string]result {
	t.Helper()
	var err error
	results := map[string]result{}
	if m.Type == "special" {
		var special struct {
			Match  string
			Result result
		}
		err = json.Unmarshal(m.Options, &special)
		results[special.Match] = special.Result
	} else {
		err = json.Unmarshal(m.Options, &results)
	}
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// checkedInFiles returns the dashboards that are checked in, by name.
func checkedInFiles(t *testing.T) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../*.json")
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]byte{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = text
	}
	return texts
}

// readDashboards parses the dashboards that are checked in.
func readDashboards(t *testing.T) map[string]grafana {
	t.Helper()
	all := map[string]grafana{}
	for name, text := range checkedInFiles(t) {
		var d grafana
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = d
	}
	return all
}

// all returns the panels and rows, including those in collapsed rows.
func (d grafana) all() []grafanaPanel {
	var all []grafanaPanel
	for _, p := range d.Panels {
		all = append(append(all, p), p.Panels...)
	}
	return all
}

// visible returns the panels without the rows.
func (d grafana) visible() []grafanaPanel {
	var visible []grafanaPanel
	for _, p := range d.all() {
		if p.Type != "row" {
			visible = append(visible, p)
		}
	}
	return visible
}
