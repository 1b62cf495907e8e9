// Command generate writes Grafana's dashboards. Run it at the root of the
// repository after a change: go run ./dashboards/generate
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// dashboards returns all dashboards by file name.
func dashboards() map[string]dashboard {
	return map[string]dashboard{
		"chats.json":     chats(),
		"agents.json":    agents(),
		"exporter.json":  exporter(),
		"wallboard.json": wallboard(),
	}
}

func main() {
	if err := generate(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // It is main that exits.
	}
}

func write(folder string) error {
	for name, d := range dashboards() {
		text, err := encode(d)
		if err != nil {
			return fmt.Errorf("encoding %q: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil { //nolint:gosec // They are for everyone to read.
			return fmt.Errorf("writing a dashboard: %w", err)
		}
	}
	return nil
}

// encode sorts the keys of maps, so that a change of a panel changes only its lines.
func encode(d dashboard) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(d.model())
	return text.Bytes(), err
}
