package e2e

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"go.yaml.in/yaml/v3"
)

// externalMetrics are metrics of client_golang, Prometheus and its libraries. The golden
// files do not have them, or not their labels.
var externalMetrics = map[string]labelSet{
	"up":                            {},
	"ALERTS":                        newLabelSet("alertname", "alertstate", "severity", "operation", "rp_id"),
	"scrape_duration_seconds":       {},
	"scrape_samples_scraped":        {},
	"process_start_time_seconds":    {},
	"process_resident_memory_bytes": {},
	"wolkvox_exporter_build_info":   newLabelSet("version", "revision", "branch", "goversion", "goos", "goarch", "tags"),
}

// exposition has the series of the exporter's golden files.
type exposition struct {
	series map[string]labelSet // by the name of the series
	family map[string]string   // of a series
}

func readGolden(t *testing.T) exposition {
	t.Helper()
	x := exposition{map[string]labelSet{}, map[string]string{}}
	for _, file := range []string{"../collector/testdata/metrics.txt", "../test/testdata/metrics.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// Values that differ between runs.
		text = bytes.ReplaceAll(text, []byte(" MASKED"), []byte(" 0"))
		p := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
		family := ""
		for {
			entry, err := p.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if entry == textparse.EntryType {
				name, _ := p.Type()
				family = string(name)
			}
			if entry == textparse.EntrySeries {
				var series labels.Labels
				p.Labels(&series)
				x.add(family, series)
			}
		}
	}
	return x
}

func (x exposition) add(family string, series labels.Labels) {
	name := series.Get(model.MetricNameLabel)
	x.family[name] = family
	if x.series[name] == nil {
		x.series[name] = labelSet{}
	}
	series.Range(func(l labels.Label) {
		if l.Name != model.MetricNameLabel {
			x.series[name][l.Name] = true
		}
	})
}

// ruleQuery is the expression of a recording rule or an alert.
type ruleQuery struct {
	Record, Alert, Expr string
	Labels              map[string]string
}

func ruleQueries(t *testing.T) []ruleQuery {
	t.Helper()
	files, err := filepath.Glob("../rules/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	var all []ruleQuery
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content struct {
			Groups []struct{ Rules []ruleQuery }
		}
		if err := yaml.Unmarshal(text, &content); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, group := range content.Groups {
			all = append(all, group.Rules...)
		}
	}
	return all
}

func TestQueries_UseExistingMetricsAndLabels(t *testing.T) {
	t.Parallel()
	x, all := readGolden(t), ruleQueries(t)
	recorded := map[string][]ruleQuery{}
	for _, r := range all {
		if r.Record != "" {
			recorded[r.Record] = append(recorded[r.Record], r)
		}
	}
	c := &checker{used: map[string]bool{}}
	// An expression may use recordings, in any order.
	known := map[string]labelSet{}
	c.metrics = func(name string) (labelSet, bool) {
		target := newLabelSet("job", "instance")
		if have, ok := externalMetrics[name]; ok {
			return target.intersect(have), true
		}
		if have, ok := x.series[name]; ok {
			return target.intersect(have), true
		}
		if have, ok := x.series[name+"_count"]; ok { // a native histogram
			return target.intersect(have), true
		}
		if have, ok := known[name]; ok {
			return have, true
		}
		if recorded[name] == nil {
			return nil, false
		}
		known[name] = labelSet{} // A rule may look at its own past.
		have := labelSet{}
		for _, r := range recorded[name] {
			if e := parseExpr(t, name, r.Expr); e != nil {
				have = have.intersect(c.labels(e)).intersect(newLabelSet(slices.Collect(maps.Keys(r.Labels))...))
			}
		}
		known[name] = have
		return have, true
	}
	check := func(where, expr string) {
		if e := parseExpr(t, where, expr); e != nil {
			c.labels(e)
			for _, problem := range c.problems {
				t.Errorf("%s: %s", where, problem)
			}
			c.problems = nil
		}
	}
	for _, r := range all {
		check(r.Record+r.Alert, r.Expr)
	}
	for _, q := range panelQueries(t) {
		check(q.String(), q.expr)
	}
	used := maps.Clone(c.used)
	for _, q := range documentQueries(t) {
		check(q.file+": "+q.expr, q.expr)
	}

	// Each metric must be used by a query.
	idle := map[string]bool{}
	for _, family := range x.family {
		if regexp.MustCompile(`^wolkvox_(chat|agent)_`).MatchString(family) {
			idle[family] = true
		}
	}
	for name := range used {
		delete(idle, x.family[name])
	}
	if len(idle) > 0 {
		t.Errorf("no dashboard and no rule uses %s", strings.Join(slices.Sorted(maps.Keys(idle)), ", "))
	}
}
