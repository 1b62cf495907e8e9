package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
)

// rule is a recording or an alerting rule of rules/.
type rule struct {
	Record      string            `yaml:"record"`
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

// unitTest is a unit test of promtool with the rules that it names.
type unitTest struct {
	Alerts []struct {
		Name     string `yaml:"alertname"`
		Expected []struct {
			Labels map[string]string `yaml:"exp_labels"`
		} `yaml:"exp_alerts"`
	} `yaml:"alert_rule_test"`
	Expressions []struct {
		Expr     string `yaml:"expr"`
		Expected []struct {
			Value float64 `yaml:"value"`
		} `yaml:"exp_samples"`
	} `yaml:"promql_expr_test"`
}

// ruleFiles are the files in rules/ whose names end in suffix.
func ruleFiles(t *testing.T, suffix string) []string {
	t.Helper()
	files, err := filepath.Glob("../rules/*" + suffix)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("rules/ has no file *%s", suffix)
	}
	return files
}

func runbooks(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func readYAML(t *testing.T, file string, to any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, to); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func readRules(t *testing.T) (recordings, alerts []rule) {
	t.Helper()
	for _, file := range append(ruleFiles(t, ".rules.yml"), ruleFiles(t, ".alerts.yml")...) {
		var content struct {
			Groups []struct {
				Rules []rule `yaml:"rules"`
			} `yaml:"groups"`
		}
		readYAML(t, file, &content)
		for _, group := range content.Groups {
			for _, r := range group.Rules {
				if r.Alert == "" {
					recordings = append(recordings, r)
				} else {
					alerts = append(alerts, r)
				}
			}
		}
	}
	return recordings, alerts
}

func readUnitTests(t *testing.T) []unitTest {
	t.Helper()
	var all []unitTest
	for _, file := range ruleFiles(t, "_test.yml") {
		var content struct {
			Tests []unitTest `yaml:"tests"`
		}
		readYAML(t, file, &content)
		all = append(all, content.Tests...)
	}
	return all
}

// metricNames parses an expression and returns the metrics that it selects.
func metricNames(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Errorf("%q does not parse: %v", expr, err)
		return nil
	}
	var names []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			names = append(names, selector.Name)
		}
		return nil
	})
	return names
}

// Only the names of recordings contain a colon.
func TestRules_UseExistingRecordings(t *testing.T) {
	t.Parallel()
	recordings, alerts := readRules(t)
	recorded := map[string]bool{}
	for _, r := range recordings {
		recorded[r.Record] = true
	}
	check := func(user, expr string) {
		for _, name := range metricNames(t, expr) {
			if strings.Contains(name, ":") && !recorded[name] {
				t.Errorf("%s uses %s, which nothing records", user, name)
			}
		}
	}
	for _, r := range append(recordings, alerts...) {
		check(r.Record+r.Alert, r.Expr)
	}
	for _, file := range runbooks(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		query := false // One on each line of a block.
		for line := range strings.Lines(string(text)) {
			switch {
			case strings.HasPrefix(line, "```"):
				query = line == "```promql\n"
			case query && !strings.HasPrefix(line, "#"):
				check(file, line)
			}
		}
	}
}

func TestRules_RecordingsFollowNamingConvention(t *testing.T) {
	t.Parallel()
	recordings, _ := readRules(t)
	for _, r := range recordings {
		if parts := strings.Split(r.Record, ":"); len(parts) != 3 {
			t.Errorf("have %q, want level:metric:operations", r.Record)
		}
	}
}

func TestRules_AlertsHaveRunbooks(t *testing.T) {
	t.Parallel()
	const folder = "https://github.com/wolkvox-exporter/wolkvox_exporter/blob/main/docs/runbooks/"
	_, alerts := readRules(t)
	unused := map[string]bool{}
	for _, file := range runbooks(t) {
		unused[filepath.Base(file)] = true
	}
	for _, a := range alerts {
		for _, annotation := range []string{"summary", "description"} {
			if a.Annotations[annotation] == "" {
				t.Errorf("%s has no %s", a.Alert, annotation)
			}
		}
		if severity := a.Labels["severity"]; severity != "critical" && severity != "warning" {
			t.Errorf("%s has severity %q, want critical or warning", a.Alert, severity)
		}
		runbook := a.Alert + ".md"
		if have := a.Annotations["runbook_url"]; have != folder+runbook {
			t.Errorf("%s: want runbook_url %s, have %q", a.Alert, folder+runbook, have)
		}
		if _, err := os.Stat("../docs/runbooks/" + runbook); err != nil {
			t.Errorf("%s: %v", a.Alert, err)
		}
		delete(unused, runbook)
	}
	for name := range unused {
		t.Errorf("docs/runbooks/%s belongs to no alert", name)
	}
}

// Alerts lead to the dashboard that shows their figures, with the variables that it has.
func TestRules_AlertsLeadToDashboards(t *testing.T) {
	t.Parallel()
	_, alerts := readRules(t)
	known := map[string]bool{}
	for _, d := range grafanaDashboards(t) {
		for _, v := range d.Templating.List {
			known[d.UID+" "+v.Name] = true
		}
	}
	link, variable := regexp.MustCompile(`^/d/(wolkvox-\w+)`), regexp.MustCompile(`var-(\w+)=\{\{ (\$labels)?\.(\w*) ?`)
	for _, a := range alerts {
		found := link.FindStringSubmatch(a.Annotations["dashboard"])
		if found == nil {
			t.Errorf("%s leads to no dashboard", a.Alert)
			continue
		}
		byRoutingPoint := strings.Contains(a.Annotations["description"], "$labels.rp_id")
		want := map[bool]string{true: "wolkvox-chats", false: "wolkvox-exporter"}[byRoutingPoint || a.Alert == "WolkvoxNoChats"]
		if found[1] != want {
			t.Errorf("%s leads to %s, want %s", a.Alert, found[1], want)
		}
		variables, wanted := variable.FindAllStringSubmatch(a.Annotations["dashboard"], -1), 0
		for _, label := range []string{"operation", "rp_id"} {
			if strings.Contains(a.Annotations["description"], "$labels."+label) {
				wanted++
			}
		}
		if len(variables) < wanted {
			t.Errorf("%s: have the link %s, want one with its operation and routing point", a.Alert, a.Annotations["dashboard"])
		}
		for _, v := range variables {
			if !known[found[1]+" "+v[1]] || v[2] != "" && v[1] != v[3] {
				t.Errorf("%s: %s sets %s to another label, or %s lacks it", a.Alert, a.Annotations["dashboard"], v[1], found[1])
			}
		}
	}
}

func TestRules_AlertsAreTestedFiringAndSilent(t *testing.T) {
	t.Parallel()
	_, alerts := readRules(t)
	firing, silent := map[string]bool{}, map[string]bool{}
	for _, test := range readUnitTests(t) {
		for _, a := range test.Alerts {
			if len(a.Expected) == 0 {
				silent[a.Name] = true
			}
			for _, expected := range a.Expected {
				firing[a.Name+" "+expected.Labels["severity"]] = true
			}
		}
	}
	for _, a := range alerts {
		if key := a.Alert + " " + a.Labels["severity"]; !firing[key] {
			t.Errorf("no unit test sees %s firing", key)
		}
		if !silent[a.Alert] {
			t.Errorf("no unit test sees %s silent", a.Alert)
		}
	}
}

func TestRules_RecordingsHaveExpectedValues(t *testing.T) {
	t.Parallel()
	recordings, _ := readRules(t)
	valued := map[string]bool{}
	for _, test := range readUnitTests(t) {
		for _, e := range test.Expressions {
			for _, name := range metricNames(t, e.Expr) {
				valued[name] = valued[name] || len(e.Expected) > 0
			}
		}
	}
	for _, r := range recordings {
		if !valued[r.Record] {
			t.Errorf("no unit test expects a value of %s", r.Record)
		}
	}
}

func TestRules_PassPromtool(t *testing.T) {
	t.Parallel()
	promtool := findProgram(t, "PROMTOOL")
	checks := append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, append(ruleFiles(t, ".rules.yml"), ruleFiles(t, ".alerts.yml")...)...)
	tests := append([]string{"test", "rules"}, ruleFiles(t, "_test.yml")...)
	for _, args := range [][]string{checks, tests} {
		t.Run(args[0], func(t *testing.T) {
			t.Parallel()
			output, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput()
			if err != nil {
				t.Errorf("%s %s: %v\n%s", promtool, strings.Join(args, " "), err, output)
			}
		})
	}
}
