package examples

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// scrapeConfig is what must agree with the Service.
type scrapeConfig struct {
	Discovery []struct {
		Role string `json:"role"`
	} `json:"kubernetes_sd_configs"`
	Relabeling []struct {
		Source []string `json:"source_labels"`
		Regex  string   `json:"regex"`
		Action string   `json:"action"`
		Target string   `json:"target_label"`
	} `json:"relabel_configs"`
}

func TestScrapeConfig_IsAcceptedByPrometheus(t *testing.T) {
	promtool := findProgram(t, "PROMTOOL")
	text := readFile(t, "kubernetes/scrape.yaml")
	if lines := nativeHistograms.FindAllString(text, -1); len(lines) != 2 {
		t.Fatalf("have %q, want the two lines on native histograms", lines)
	}
	if !knowsNativeHistograms(t, promtool) {
		text = nativeHistograms.ReplaceAllString(text, "")
	}
	check := func() (out string, status int) {
		file := filepath.Join(t.TempDir(), "prometheus.yml")
		writeFile(t, file, "scrape_configs:\n"+text)
		return run(t, promtool, "check", "config", file)
	}
	out, status := check()
	if strings.Contains(out, "field kubernetes_sd_configs not found") { // Debian builds it without Kubernetes.
		text = serviceDiscovery.ReplaceAllString(text, "")
		out, status = check()
	}
	if status != 0 {
		t.Errorf("promtool check config:\n%s", out)
	}
}

var serviceDiscovery = regexp.MustCompile(`(?m)^ *kubernetes_sd_configs:\n *- role: service\n`)

// The address of a Service is its DNS name. With a label of a pod, each pod would have new series.
func TestScrapeConfig_GivesEachPodTheSameLabels(t *testing.T) {
	var jobs []scrapeConfig
	if err := yaml.Unmarshal([]byte(readFile(t, "kubernetes/scrape.yaml")), &jobs); err != nil {
		t.Fatal(err)
	}
	if len(jobs) != 1 || len(jobs[0].Discovery) != 1 || jobs[0].Discovery[0].Role != "service" {
		t.Fatalf("have %+v, want one job that discovers Services", jobs)
	}
	service := buildManifests(t).service
	discovered := map[string]string{
		"__meta_kubernetes_namespace":                            "shop",
		"__meta_kubernetes_service_name":                         service.Name,
		"__meta_kubernetes_service_port_name":                    service.Spec.Ports[0].Name,
		"__meta_kubernetes_service_label_app_kubernetes_io_name": service.Labels["app.kubernetes.io/name"],
	}
	kept := false
	for _, rule := range jobs[0].Relabeling {
		var values []string
		for _, source := range rule.Source {
			value, ok := discovered[source]
			if !ok {
				t.Errorf("have the label %s, which a Service does not have, or which differs by pod", source)
			}
			values = append(values, value)
		}
		if rule.Action == "keep" {
			kept = regexp.MustCompile("^(?:" + rule.Regex + ")$").MatchString(strings.Join(values, ";"))
		}
	}
	if !kept {
		t.Errorf("the Service %q is not scraped", service.Name)
	}
}
