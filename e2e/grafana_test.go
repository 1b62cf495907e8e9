package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// grafanaDashboard has the parts of a dashboard's JSON that decide what it asks and how it shows the answers.
type grafanaDashboard struct {
	file       string
	UID        string
	Time       struct{ From, To string }
	Panels     []grafanaPanel
	Templating struct {
		List []struct {
			Name, Type, Regex string
			Definition        string
			Current           struct{ Value any }
			AutoMin           string `json:"auto_min"`
			AutoCount         int    `json:"auto_count"`
		}
	}
	Annotations struct {
		List []struct {
			Name, Expr, Step string
		}
	}
}

type grafanaPanel struct {
	Type, Title string
	TimeFrom    string
	GridPos     struct{ W int }

	MaxDataPoints int

	Panels  []grafanaPanel
	Targets []struct {
		RefID, Expr, Interval, LegendFormat string
		Instant                             bool
	}
	FieldConfig struct {
		Defaults  grafanaField
		Overrides []struct {
			Matcher    struct{ Options string }
			Properties []struct {
				ID    string
				Value json.RawMessage
			}
		}
	}
	Transformations []struct {
		ID      string
		Options json.RawMessage
	}
}

// grafanaField decides the colour and the text of a value.
type grafanaField struct {
	NoValue string
	Color   struct{ Mode, FixedColor string }
	// Thresholds begin with the one below all others, which has no value.
	Thresholds struct {
		Steps []struct {
			Value *float64
			Color string
		}
	}
	Mappings []struct {
		Type    string
		Options json.RawMessage
	}
}

// grafanaDashboards reads all dashboards.
func grafanaDashboards(t *testing.T) (all []grafanaDashboard) {
	t.Helper()
	files, err := filepath.Glob("../dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := grafanaDashboard{file: filepath.Base(file)}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	return all
}

// visible returns the panels without the rows.
func (d grafanaDashboard) visible() (all []grafanaPanel) {
	for _, p := range d.Panels {
		if p.Type != "row" {
			all = append(all, p)
		}
		all = append(all, p.Panels...)
	}
	return all
}

// timeRange is a range of a dashboard, as it is at now. A range such as "today" ends after now.
type timeRange struct {
	from, to, now time.Time
	absolute      bool
}

func (r timeRange) length() time.Duration { return r.to.Sub(r.from) }

// of returns the range of a panel: its own, if it has one and the dashboard's is relative.
func (r timeRange) of(t *testing.T, p grafanaPanel) timeRange {
	t.Helper()
	if p.TimeFrom == "" || r.absolute {
		return r
	}
	own := timeRange{to: r.now, now: r.now}
	midnight := r.now.Truncate(24 * time.Hour)
	switch from := strings.TrimPrefix(p.TimeFrom, "now-"); {
	case from == "now/d":
		own.from = midnight
	case from == "now/M":
		own.from = midnight.AddDate(0, 0, 1-midnight.Day())
	case strings.HasSuffix(from, "/d"):
		own.from = midnight.Add(-parseDuration(t, strings.TrimSuffix(from, "/d")))
	default:
		own.from = r.now.Add(-parseDuration(t, from))
	}
	return own
}

// step returns the time between two points of a panel's query, at a screen 1600 pixels wide.
func (r timeRange) step(t *testing.T, p grafanaPanel, minimum string) time.Duration {
	t.Helper()
	least := 30 * time.Second
	if minimum != "" {
		least = parseDuration(t, minimum)
	}
	points := p.MaxDataPoints
	if points == 0 {
		points = max(1600*p.GridPos.W/24, 1)
	}
	return max(roundInterval(r.length()/time.Duration(points)), least)
}

// roundInterval rounds an interval as Grafana does.
func roundInterval(d time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, s := range []struct{ below, to time.Duration }{
		{45 * time.Second, 30 * time.Second},
		{90 * time.Second, time.Minute},
		{210 * time.Second, 2 * time.Minute},
		{450 * time.Second, 5 * time.Minute},
		{750 * time.Second, 10 * time.Minute},
		{1050 * time.Second, 15 * time.Minute},
		{25 * time.Minute, 20 * time.Minute},
		{45 * time.Minute, 30 * time.Minute},
		{90 * time.Minute, time.Hour},
		{150 * time.Minute, 2 * time.Hour},
		{270 * time.Minute, 3 * time.Hour},
		{9 * time.Hour, 6 * time.Hour},
		{day, 12 * time.Hour},
		{7 * day, day},
	} {
		if d < s.below {
			return s.to
		}
	}
	return 7 * day
}

// values are the chosen values of a dashboard's variables.
type values map[string]string

// with returns the values with others.
func (v values) with(pairs ...string) values {
	more := maps.Clone(v)
	for i := 0; i < len(pairs); i += 2 {
		more[pairs[i]] = pairs[i+1]
	}
	return more
}

// defaults returns the values of a dashboard's variables that a user sees first.
func (d grafanaDashboard) defaults(t *testing.T, r timeRange) values {
	t.Helper()
	v := values{}
	for _, variable := range d.Templating.List {
		switch value := variable.Current.Value.(type) {
		case string:
			if strings.HasPrefix(value, "$__auto") {
				value = promDuration(max(roundInterval(r.length()/time.Duration(variable.AutoCount)), parseDuration(t, variable.AutoMin)))
			}
			v[variable.Name] = value
		case []any: // All.
			v[variable.Name] = ".*"
		}
	}
	return v
}

var variableUse = regexp.MustCompile(`\$(?:([A-Za-z_]\w*)|\{(\w+)(?::\w+)?\})`)

// expand replaces variables.
func (v values) expand(t *testing.T, text string) string {
	t.Helper()
	return variableUse.ReplaceAllStringFunc(text, func(use string) string {
		found := variableUse.FindStringSubmatch(use)
		value, known := v[found[1]+found[2]]
		if !known {
			t.Errorf("%s: there is no value for %s", text, use)
		}
		return value
	})
}

// grafanaQuery is a query as Prometheus gets it.
type grafanaQuery struct {
	where    string
	expr     string
	instant  bool
	from, to time.Time
	step     time.Duration
}

// queries returns the queries of a panel.
func (d grafanaDashboard) queries(t *testing.T, p grafanaPanel, v values, r timeRange) (all []grafanaQuery) {
	t.Helper()
	r = r.of(t, p)
	for _, target := range p.Targets {
		minimum := v.expand(t, target.Interval)
		step := r.step(t, p, minimum)
		scrape := max(parseDuration(t, "30s"), parseDuration(t, orElse(minimum, "30s")))
		own := v.with("__interval", promDuration(step), "__range", fmt.Sprintf("%ds", int(r.length().Seconds()+0.5)),
			"__rate_interval", promDuration(max(step+scrape, 4*scrape)))
		all = append(all, grafanaQuery{
			where: fmt.Sprintf("%s: %s, %s", d.file, v.expand(t, p.Title), target.RefID), expr: own.expand(t, target.Expr),
			instant: target.Instant, from: r.from.Truncate(step), to: r.to.Truncate(step), step: step,
		})
		if q := &all[len(all)-1]; q.instant {
			q.to = r.to
		}
	}
	return all
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// promDuration formats a duration as PromQL does.
func promDuration(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

// parseDuration reads a duration, which may be in days or weeks.
func parseDuration(t *testing.T, text string) time.Duration {
	t.Helper()
	var n int
	for unit, of := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if before, found := strings.CutSuffix(text, unit); found {
			if _, err := fmt.Sscan(before, &n); err != nil {
				t.Fatal(err)
			}
			return time.Duration(n) * of
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
