package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// generate writes the dashboards that are checked in. With a folder as argument it writes there what
// grafana.com and Grafana's import take.
func generate(arguments []string) error {
	if len(arguments) == 0 {
		return write("dashboards")
	}
	for name, d := range dashboards() {
		text, err := encode(d)
		if err != nil {
			return fmt.Errorf("encoding %q: %w", name, err)
		}
		text, err = share(text)
		if err != nil {
			return fmt.Errorf("sharing %q: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(arguments[0], "grafana-"+name), text, 0o644); err != nil { //nolint:gosec // They are for everyone to read.
			return fmt.Errorf("writing a dashboard: %w", err)
		}
	}
	return nil
}

// input is the name of the data source that the import asks for.
const input = "DS_PROMETHEUS"

// share adds what an import reads: the data source to ask for, and the plugins that the dashboard needs. The
// variable of the data source begins with the answer.
func share(text []byte) ([]byte, error) {
	var model object
	if err := json.Unmarshal(text, &model); err != nil {
		return nil, fmt.Errorf("decoding: %w", err)
	}
	templating, _ := model["templating"].(object)
	variables, _ := templating["list"].([]any)
	for _, v := range variables {
		if variable, ok := v.(object); ok && variable["type"] == "datasource" {
			variable["current"] = object{"text": "${" + input + "}", "value": "${" + input + "}"}
		}
	}
	requires := []object{
		{"type": "grafana", "id": "grafana", "name": "Grafana", "version": "9.0.0"},
		{"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
	}
	types := map[string]bool{}
	addPanelTypes(types, model["panels"])
	for _, kind := range slices.Sorted(maps.Keys(types)) {
		requires = append(requires, object{"type": "panel", "id": kind, "name": kind, "version": ""})
	}
	model["id"] = nil
	model["__elements"] = object{}
	model["__inputs"] = []object{{
		"name": input, "label": "Prometheus", "description": "", "type": "datasource", "pluginId": "prometheus", "pluginName": "Prometheus",
	}}
	model["__requires"] = requires
	shared, err := json.MarshalIndent(model, "", "  ")
	return append(shared, '\n'), err
}

// addPanelTypes adds the types of panels, and of those in collapsed rows.
func addPanelTypes(types map[string]bool, panels any) {
	list, _ := panels.([]any)
	for _, p := range list {
		panel, ok := p.(object)
		if !ok {
			continue
		}
		if kind, ok := panel["type"].(string); ok && kind != "row" {
			types[kind] = true
		}
		addPanelTypes(types, panel["panels"])
	}
}
