package examples

import (
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"sigs.k8s.io/yaml"
)

// containerFile returns the file of the checkout that a container has at a path.
func containerFile(t *testing.T, service types.ServiceConfig, file string) string {
	t.Helper()
	for _, volume := range service.Volumes {
		if rest, ok := strings.CutPrefix(file, volume.Target); ok && volume.Type == types.VolumeTypeBind {
			return filepath.Join(volume.Source, rest)
		}
	}
	t.Fatalf("%s mounts nothing at %s", service.Name, file)
	return ""
}

// copyConfiguration copies the folder of the file that --config.file names, as the container
// has it, and returns the path of the file in the copy.
func copyConfiguration(t *testing.T, service types.ServiceConfig) string {
	t.Helper()
	var file string
	for _, argument := range service.Command {
		if value, ok := strings.CutPrefix(argument, "--config.file="); ok {
			file = value
		}
	}
	dir := t.TempDir()
	for _, volume := range service.Volumes {
		rest, ok := strings.CutPrefix(volume.Target, path.Dir(file)+"/")
		if !ok {
			continue
		}
		info, err := os.Stat(volume.Source)
		switch {
		case err != nil:
			t.Fatal(err)
		case info.IsDir():
			if err := os.CopyFS(filepath.Join(dir, rest), os.DirFS(volume.Source)); err != nil {
				t.Fatal(err)
			}
		default:
			writeFile(t, filepath.Join(dir, rest), readFile(t, volume.Source))
		}
	}
	return filepath.Join(dir, path.Base(file))
}

// nativeHistograms are the lines that Prometheus before 3.8 refuses.
var nativeHistograms = regexp.MustCompile(`(?m)^ *(scrape_native_histograms|always_scrape_classic_histograms): true\n`)

func TestPrometheus_AcceptsConfigurationAndRules(t *testing.T) {
	promtool := findProgram(t, "PROMTOOL")
	file := copyConfiguration(t, loadDemo(t).Services["prometheus"])
	if lines := nativeHistograms.FindAllString(readFile(t, file), -1); len(lines) != 2 {
		t.Fatalf("have %q, want the two lines on native histograms", lines)
	}
	if !knowsNativeHistograms(t, promtool) {
		if out, status := run(t, promtool, "check", "config", file); status == 0 {
			t.Errorf("an old promtool takes the lines that it is said to refuse:\n%s", out)
		}
		writeFile(t, file, nativeHistograms.ReplaceAllString(readFile(t, file), ""))
	}
	out, status := run(t, promtool, "check", "config", file)
	if status != 0 {
		t.Errorf("promtool check config:\n%s", out)
	}
	t.Logf("%s\n%s", promtool, out)
}

// knowsNativeHistograms reports whether promtool is of Prometheus 3.8 or newer, or has no
// version.
func knowsNativeHistograms(t *testing.T, promtool string) bool {
	t.Helper()
	out, _ := run(t, promtool, "--version")
	found := regexp.MustCompile(`version (\d+)\.(\d+)`).FindStringSubmatch(out)
	if found == nil {
		return true
	}
	major, _ := strconv.Atoi(found[1])
	minor, _ := strconv.Atoi(found[2])
	return major > 3 || major == 3 && minor >= 8
}

func TestAlertmanager_AcceptsConfiguration(t *testing.T) {
	amtool := findProgram(t, "AMTOOL")
	file := copyConfiguration(t, loadDemo(t).Services["alertmanager"])
	if out, status := run(t, amtool, "check-config", file); status != 0 {
		t.Errorf("amtool check-config:\n%s", out)
	}
}

// prometheusConfig is the part of prometheus.yml that must agree with other files.
type prometheusConfig struct {
	Global struct {
		ScrapeInterval string `json:"scrape_interval"`
	} `json:"global"`
	Alerting struct {
		Alertmanagers []targets `json:"alertmanagers"`
	} `json:"alerting"`
	ScrapeConfigs []targets `json:"scrape_configs"`
}

type targets struct {
	StaticConfigs []struct {
		Targets []string `json:"targets"`
	} `json:"static_configs"`
}

// datasourceFile is Grafana's format, as is dashboardFile.
type datasourceFile struct {
	APIVersion  int `json:"apiVersion"`
	Datasources []struct {
		Name      string `json:"name"`
		Type      string `json:"type"`
		Access    string `json:"access"`
		URL       string `json:"url"`
		IsDefault bool   `json:"isDefault"`
		JSONData  struct {
			TimeInterval string `json:"timeInterval"`
			HTTPMethod   string `json:"httpMethod"`
		} `json:"jsonData"`
	} `json:"datasources"`
}

type dashboardFile struct {
	APIVersion int `json:"apiVersion"`
	Providers  []struct {
		Name    string `json:"name"`
		Folder  string `json:"folder"`
		Type    string `json:"type"`
		Options struct {
			Path string `json:"path"`
		} `json:"options"`
	} `json:"providers"`
}

// wantService checks that a service of the project listens on an address.
func wantService(t *testing.T, project *types.Project, address, service string) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if host != service {
		t.Errorf("have address %q, want the service %q", address, service)
	}
	for _, p := range project.Services[host].Ports {
		if strconv.Itoa(int(p.Target)) == port {
			return
		}
	}
	t.Errorf("no service listens on %q", address)
}

func TestCompose_ServicesConnect(t *testing.T) {
	project := loadDemo(t)
	var prometheus prometheusConfig
	if err := yaml.Unmarshal([]byte(readFile(t, copyConfiguration(t, project.Services["prometheus"]))), &prometheus); err != nil {
		t.Fatal(err)
	}
	for _, list := range []struct {
		service string
		targets []targets
	}{
		{"exporter", prometheus.ScrapeConfigs},
		{"alertmanager", prometheus.Alerting.Alertmanagers},
	} {
		if len(list.targets) == 0 {
			t.Errorf("%s is no target of Prometheus", list.service)
		}
		for _, target := range list.targets {
			for _, addresses := range target.StaticConfigs {
				for _, address := range addresses.Targets {
					wantService(t, project, address, list.service)
				}
			}
		}
	}

	grafana := project.Services["grafana"]
	for _, source := range decodeYAML[datasourceFile](t, readFile(t, containerFile(t, grafana, "/etc/grafana/provisioning/datasources/wolkvox.yml"))).Datasources {
		at, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		wantService(t, project, at.Host, "prometheus")
		if have, want := source.JSONData.TimeInterval, prometheus.Global.ScrapeInterval; have != want {
			t.Errorf("Grafana has scrape interval %q, Prometheus %q", have, want)
		}
	}
	for _, provider := range decodeYAML[dashboardFile](t, readFile(t, containerFile(t, grafana, "/etc/grafana/provisioning/dashboards/wolkvox.yml"))).Providers {
		dashboards, err := filepath.Glob(containerFile(t, grafana, provider.Options.Path) + "/*.json")
		if err != nil || len(dashboards) == 0 {
			t.Errorf("no dashboards are mounted at %s: %v", provider.Options.Path, err)
		}
	}
}
