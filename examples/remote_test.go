package examples

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const remoteDocument = "../docs/remote-write.md"

// remoteConfig writes the document's configuration whose first line is a comment with this name to a file.
func remoteConfig(t *testing.T, name string) string {
	t.Helper()
	block := regexp.MustCompile("(?s)```yaml\n# " + name + "\n(.*?)\n```\n").FindStringSubmatch(readFile(t, remoteDocument))
	if block == nil {
		t.Fatalf("%s has no configuration of %s", remoteDocument, name)
	}
	file := filepath.Join(t.TempDir(), "config.yml")
	writeFile(t, file, block[1])
	return file
}

func TestRemote_PrometheusAgentAcceptsConfiguration(t *testing.T) {
	promtool := findProgram(t, "PROMTOOL")
	file := remoteConfig(t, "Prometheus agent")
	// promtool looks for the file of the password.
	text := readFile(t, file)
	password := filepath.Join(t.TempDir(), "password")
	writeFile(t, password, "secret")
	writeFile(t, file, regexp.MustCompile(`password_file: .*`).ReplaceAllString(text, "password_file: "+password))
	if out, status := run(t, promtool, "check", "config", "--agent", file); status != 0 {
		t.Errorf("promtool check config --agent:\n%s", out)
	}
}

func TestRemote_CollectorScrapesAsPrometheus(t *testing.T) {
	promtool := findProgram(t, "PROMTOOL")
	config := decodeYAML[struct {
		Receivers struct {
			Prometheus struct {
				Config map[string]any `json:"config"`
			} `json:"prometheus"`
		} `json:"receivers"`
		Exporters map[string]map[string]any `json:"exporters"`
		Service   struct {
			Pipelines map[string]struct {
				Receivers []string `json:"receivers"`
				Exporters []string `json:"exporters"`
			} `json:"pipelines"`
		} `json:"service"`
	}](t, readFile(t, remoteConfig(t, "OpenTelemetry Collector")))
	text, err := yaml.Marshal(config.Receivers.Prometheus.Config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "prometheus.yml")
	writeFile(t, file, string(text))
	if out, status := run(t, promtool, "check", "config", file); status != 0 || !strings.Contains(string(text), "wolkvox") {
		t.Errorf("promtool check config:\n%s\n%s", text, out)
	}
	pipeline := config.Service.Pipelines["metrics"]
	if len(pipeline.Receivers) != 1 || pipeline.Receivers[0] != "prometheus" || len(pipeline.Exporters) != 1 || config.Exporters[pipeline.Exporters[0]] == nil {
		t.Errorf("have pipeline %+v, want the receiver and the exporter", pipeline)
	}
}
