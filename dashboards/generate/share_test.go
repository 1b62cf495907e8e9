package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestShare_AsksForDataSource(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	if err := generate([]string{folder}); err != nil {
		t.Fatal(err)
	}
	for name, d := range dashboards() {
		text, err := os.ReadFile(filepath.Join(folder, "grafana-"+name))
		if err != nil {
			t.Fatal(err)
		}
		var shared struct {
			Inputs    []map[string]string `json:"__inputs"`
			Requires  []map[string]string `json:"__requires"`
			Panels    []any               `json:"panels"`
			Variables struct {
				List []struct {
					Type    string `json:"type"`
					Current any    `json:"current"`
				} `json:"list"`
			} `json:"templating"`
		}
		if err := json.Unmarshal(text, &shared); err != nil {
			t.Fatal(err)
		}
		if len(shared.Inputs) != 1 || shared.Inputs[0]["pluginId"] != "prometheus" || shared.Inputs[0]["type"] != "datasource" {
			t.Fatalf("%s: have inputs %v, want a Prometheus", name, shared.Inputs)
		}
		chosen := "${" + shared.Inputs[0]["name"] + "}"
		found := false
		for _, variable := range shared.Variables.List {
			if variable.Type == "datasource" {
				found = reflect.DeepEqual(variable.Current, map[string]any{"text": chosen, "value": chosen})
			}
		}
		if !found {
			t.Errorf("%s: the variable of the data source does not begin with %s", name, chosen)
		}
		want, have := map[string]bool{}, map[string]bool{}
		addPanelTypes(want, shared.Panels)
		for _, plugin := range shared.Requires {
			if plugin["type"] == "panel" {
				have[plugin["id"]] = true
			}
		}
		if !reflect.DeepEqual(have, want) || len(want) < 2 || want["row"] {
			t.Errorf("%s: have panels %v, want %v", name, have, want)
		}
		// Every other part is that of the checked-in file.
		if checkedIn, err := encode(d); err != nil || strings.Count(string(text), `"${datasource}"`) != strings.Count(string(checkedIn), `"${datasource}"`) {
			t.Errorf("%s: the panels use another data source: %v", name, err)
		}
	}
}

func TestShare_RequiresPanelsOfCollapsedRows(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	addPanelTypes(have, []any{object{"type": "row", "panels": []any{object{"type": "table"}}}, object{"type": "stat"}})
	if want := map[string]bool{"table": true, "stat": true}; !reflect.DeepEqual(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
}
