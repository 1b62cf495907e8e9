package examples

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-jsonnet"
	"sigs.k8s.io/yaml"
)

// mixin is what the mixin renders to.
type mixin struct {
	Alerts, Rules ruleFile
	Dashboards    map[string]map[string]any
}

type ruleFile struct {
	Groups []struct {
		Name     string           `json:"name"`
		Interval string           `json:"interval,omitempty"`
		Rules    []map[string]any `json:"rules"`
	} `json:"groups"`
}

// renderMixin evaluates the mixin with a configuration over the defaults.
func renderMixin(t *testing.T, config string) (m mixin) {
	t.Helper()
	code := fmt.Sprintf(`local m = (import '../mixin/mixin.libsonnet') { _config+:: %s };
		{ Alerts: m.prometheusAlerts, Rules: m.prometheusRules, Dashboards: m.grafanaDashboards }`, config)
	text, err := jsonnet.MakeVM().EvaluateAnonymousSnippet("test.jsonnet", code)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// readRules decodes some files of rules and joins their groups.
func readRules(t *testing.T, names ...string) (all ruleFile) {
	t.Helper()
	for _, name := range names {
		var file ruleFile
		if err := yaml.UnmarshalStrict([]byte(readFile(t, "../rules/wolkvox."+name+".yml")), &file); err != nil {
			t.Fatal(err)
		}
		all.Groups = append(all.Groups, file.Groups...)
	}
	return all
}

func TestMixin_DefaultsGiveCheckedInFiles(t *testing.T) {
	m := renderMixin(t, `{}`)
	if want := readRules(t, "alerts"); !reflect.DeepEqual(m.Alerts, want) {
		t.Errorf("the alerts are not those of rules: have %v\nwant %v", m.Alerts, want)
	}
	if want := readRules(t, "rules"); !reflect.DeepEqual(m.Rules, want) {
		t.Errorf("the recording rules are not those of rules: have %v\nwant %v", m.Rules, want)
	}
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(files) != len(m.Dashboards) {
		t.Errorf("have %d dashboards, the checked-in files are %q: %v", len(m.Dashboards), files, err)
	}
	for _, file := range files {
		var want map[string]any
		if err := json.Unmarshal([]byte(readFile(t, file)), &want); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m.Dashboards["wolkvox-"+filepath.Base(file)], want) {
			t.Errorf("the dashboard of %s is another one", file)
		}
	}
}

func TestMixin_AddsRulesForDays(t *testing.T) {
	if have, want := renderMixin(t, `{ days: true }`).Rules, readRules(t, "rules", "days.rules"); !reflect.DeepEqual(have, want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
}

func TestMixin_ConfigAppliesEverywhere(t *testing.T) {
	m := renderMixin(t, `{
		serviceLevelShare: 0.9, serviceLevelWithin: '30', alertLabels: { team: 'care' }, runbookURL: 'https://wiki.example/',
		dashboardTags: ['care'], dashboardRefresh: '5m', dashboardTimezone: 'America/Bogota',
	}`)
	want := readRules(t, "alerts")
	for _, group := range want.Groups {
		for _, rule := range group.Rules {
			if rule["alert"] != nil {
				rule["labels"].(map[string]any)["team"] = "care"
				annotations := rule["annotations"].(map[string]any)
				if runbook, ok := annotations["runbook_url"].(string); ok {
					annotations["runbook_url"] = "https://wiki.example/" + filepath.Base(runbook)
				}
			}
			if rule["record"] == "wolkvox:service_level:target" {
				rule["expr"], rule["labels"] = "vector(0.9)", map[string]any{"within": "30"}
			}
		}
	}
	if !reflect.DeepEqual(m.Alerts, want) {
		t.Errorf("have %v\nwant %v", m.Alerts, want)
	}
	for name, dashboard := range m.Dashboards {
		tags, _ := dashboard["tags"].([]any)
		if !slices.Equal(tags, []any{"care"}) || dashboard["refresh"] != "5m" || dashboard["timezone"] != "America/Bogota" {
			t.Errorf("%s: have tags %v, refresh %v, time zone %v", name, tags, dashboard["refresh"], dashboard["timezone"])
		}
		if !strings.HasPrefix(dashboard["uid"].(string), "wolkvox-") {
			t.Errorf("%s: have uid %v", name, dashboard["uid"])
		}
	}
}
