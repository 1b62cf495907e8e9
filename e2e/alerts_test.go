package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// speedUpFactor is how much faster than in production time passes: a poll each second
// stands for one each 5 minutes. Limits, such as a speed of answer, are not changed.
const speedUpFactor = 300

// TestAlerts_NotifyWhileCustomersWait runs the rules in a real Prometheus with a real
// Alertmanager.
func TestAlerts_NotifyWhileCustomersWait(t *testing.T) {
	t.Parallel()
	const alert = "WolkvoxSpeedOfAnswerHigh"
	zone := noonZone()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Location:      location,
		Limits:        wolkvoxtest.Limits{RequestsPerDay: -1},
		RoutingPoints: []wolkvoxtest.RoutingPoint{{ID: busy.RoutingPoint, Name: "Ventas"}},
	})
	defer server.Close()
	pager := newPager(t)
	alertmanager := startAlertmanager(t, pager)
	exporter := newExporter(t, server, "token", zone, "--poll.interval=1s", "--poll.overlap=10s", "--poll.reconcile-interval=0s", "--collector.zero-hold=1s")
	eventually(t, "a first poll", exporter.isPolled)
	p := startPrometheus(t, prometheusConfig("200ms", scrapeJob("wolkvox", exporter.newProxy("").target()))+
		"rule_files: ["+writeFastRules(t)+"/*.yml]\n"+
		"alerting:\n  alertmanagers:\n    - static_configs:\n        - targets: ["+alertmanager+"]\n")

	chats := 0
	// answering ends chats with the given waiting time until a condition is fulfilled.
	answering := func(answer time.Duration, what string, happens func() bool) {
		t.Helper()
		eventually(t, what, func() bool {
			c := busy.chat(chats, time.Now(), true)
			c.Answer = answer
			server.Add(c)
			chats++
			return happens()
		})
	}
	answering(15*time.Second, "a speed of answer of enough chats", func() bool {
		return p.number("operation_rp_id:wolkvox_chat_speed_of_answer_seconds_count:increase1h", time.Now()) >= 10
	})
	if early := pager.last(alert); early.Status != "" {
		t.Fatalf("have a page while customers are answered at once: %v", early)
	}

	worse, before := time.Now(), chats
	var firing page
	answering(4*time.Minute, "a page", func() bool {
		firing = pager.last(alert)
		return firing.Status == "firing"
	})
	after := chats
	paged := time.Since(worse)
	for label, want := range map[string]string{"severity": "warning", "operation": "wv0042", "rp_id": busy.RoutingPoint} {
		if have := firing.Labels[label]; have != want {
			t.Errorf("label %s: have %q, want %q", label, have, want)
		}
	}
	for annotation, want := range map[string]string{
		"summary": `^Customers wait long for an agent$`,
		// Between the limit and the waiting time of the chats.
		"description":   `\b1101 of wv0042: .* [234]m \d+s `,
		"routing_point": `^Ventas$`,
		"dashboard":     `^/d/wolkvox-chats\?var-operation=wv0042&var-rp_id=1101$`,
		"runbook_url":   `^https://.+/docs/runbooks/` + alert + `\.md$`,
	} {
		if have := firing.Annotations[annotation]; !regexp.MustCompile(want).MatchString(have) {
			t.Errorf("annotation %s: have %q, want a match of %q", annotation, have, want)
		}
	}

	better := time.Now()
	answering(15*time.Second, "the page resolved", func() bool { return pager.last(alert).Status == "resolved" })
	_, version := prometheusVersion(t)
	t.Logf("Prometheus %s and Alertmanager: paged %.1fs and %d chats after it became worse, resolved %.1fs and %d chats after it became better: %s",
		version, paged.Seconds(), after-before, time.Since(better).Seconds(), chats-after, firing.Annotations["description"])
}

// ruleFile is a file of rules.
type ruleFile struct {
	Groups []struct {
		Name     string         `yaml:"name"`
		Interval model.Duration `yaml:"interval,omitempty"`
		Rules    []fastRule     `yaml:"rules"`
	} `yaml:"groups"`
}

type fastRule struct {
	Record        string            `yaml:"record,omitempty"`
	Alert         string            `yaml:"alert,omitempty"`
	Expr          string            `yaml:"expr"`
	For           model.Duration    `yaml:"for,omitempty"`
	KeepFiringFor model.Duration    `yaml:"keep_firing_for,omitempty"`
	Labels        map[string]string `yaml:"labels,omitempty"`
	Annotations   map[string]string `yaml:"annotations,omitempty"`
}

// writeFastRules writes the rules with all durations divided by speedUpFactor.
func writeFastRules(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range []string{"wolkvox.rules.yml", "wolkvox.alerts.yml"} {
		text, err := os.ReadFile(filepath.Join("..", "rules", name))
		if err != nil {
			t.Fatal(err)
		}
		var file ruleFile
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true) // What is not known here would be lost.
		if err := decoder.Decode(&file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range file.Groups {
			group := &file.Groups[i]
			group.Interval /= speedUpFactor
			for i := range group.Rules {
				rule := &group.Rules[i]
				rule.Expr = speedUp(t, rule.Expr)
				rule.For /= speedUpFactor
				rule.KeepFiringFor /= speedUpFactor
			}
		}
		if text, err = yaml.Marshal(file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// speedUp divides the ranges and offsets of an expression by speedUpFactor.
func speedUp(t *testing.T, expression string) string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	if err != nil {
		t.Fatal(err)
	}
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		switch node := node.(type) {
		case *parser.MatrixSelector:
			node.Range /= speedUpFactor
		case *parser.SubqueryExpr:
			node.Range /= speedUpFactor
			node.Step /= speedUpFactor
			node.OriginalOffset /= speedUpFactor
		case *parser.VectorSelector:
			node.OriginalOffset /= speedUpFactor
		}
		return nil
	})
	return parsed.String()
}
