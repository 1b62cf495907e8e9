package test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// documented is a metric of docs/metrics.md.
type documented struct {
	kind   string
	labels []string // sorted
}

var (
	quoted       = regexp.MustCompile("`([a-z_]+)`")
	labelsOfAll  = regexp.MustCompile(`(?m)^(?:.*\. )?Labels? of all[^:]*: (.*)$`)
	parenthesis  = regexp.MustCompile(`\([^)]*\)`)
	listOfValues = regexp.MustCompile("`: [^;]*")
	// metricItem has a metric's name, type, further labels and meaning.
	metricItem = regexp.MustCompile("^- `(wolkvox_[a-z_]+)` \\(([a-z]+)[^;)]*([^)]*)\\): .")
)

// documentedMetrics returns the metrics in the lists of docs/metrics.md, and its queries.
func documentedMetrics(t *testing.T) (metrics map[string]documented, queries string) {
	t.Helper()
	text, err := os.ReadFile("docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	lists, queries, found := strings.Cut(string(text), "\n## Queries\n")
	if !found {
		t.Fatal("docs/metrics.md has no queries")
	}
	metrics = map[string]documented{}
	for section := range strings.SplitSeq(lists, "\n## ") {
		var common []string
		if of := labelsOfAll.FindStringSubmatch(section); of != nil {
			first, _, _ := strings.Cut(parenthesis.ReplaceAllString(of[1], ""), ".")
			common = quotedNames(first)
		}
		for line := range strings.Lines(section) {
			item := metricItem.FindStringSubmatch(line)
			if item == nil {
				continue
			}
			labels := quotedNames(listOfValues.ReplaceAllString(item[3], "`"))
			if !strings.Contains(line, "it has no `operation`") {
				labels = append(labels, common...)
			}
			slices.Sort(labels)
			metrics[item[1]] = documented{item[2], labels}
		}
	}
	return metrics, queries
}

func quotedNames(text string) (found []string) {
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		found = append(found, match[1])
	}
	return found
}

// servedMetrics returns all families of the golden expositions with their type and the
// labels of one series.
func servedMetrics(t *testing.T) map[string]documented {
	t.Helper()
	served := map[string]documented{}
	for _, file := range []string{"collector/testdata/metrics.txt", "test/testdata/metrics.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		exposition := strings.ReplaceAll(string(text), "wolkvox_exporter_build_info MASKED", `wolkvox_exporter_build_info{branch="",goarch="",goos="",goversion="",revision="",tags="",version=""} 1`)
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(strings.ReplaceAll(exposition, "MASKED", "0")))
		if err != nil {
			t.Fatal(err)
		}
		for name, family := range families {
			var labels []string
			for _, pair := range family.GetMetric()[0].GetLabel() {
				labels = append(labels, pair.GetName())
			}
			slices.Sort(labels)
			served[name] = documented{strings.ToLower(family.GetType().String()), labels}
		}
	}
	return served
}

func TestMetrics_AreDocumented(t *testing.T) {
	t.Parallel()
	documents, queries := documentedMetrics(t)
	served := servedMetrics(t)
	for name, want := range served {
		have, ok := documents[name]
		if !ok || have.kind != want.kind || !slices.Equal(have.labels, want.labels) {
			t.Errorf("%s: docs/metrics.md has %+v, and it is %+v", name, have, want)
		}
		if !regexp.MustCompile(`\b` + name + `(_sum|_count|_bucket)?\b`).MatchString(queries) {
			t.Errorf("%s: docs/metrics.md has no query with it", name)
		}
	}
	for name := range documents {
		if _, ok := served[name]; !ok {
			t.Errorf("%s: docs/metrics.md has it, and no exposition", name)
		}
	}
	if len(served) < 37 {
		t.Errorf("have %d families, want all", len(served))
	}
}
