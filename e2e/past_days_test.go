package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const (
	oldName = "Ventas"
	newName = `Ventas "VIP" \ ñ`
)

// pastDays is a Prometheus with two backfilled days of two operations until now. The chats of wv0044 end ten hours
// before. The routing point 1101 of wv0042 has a new name in the last 20 hours, 1102 has none.
func pastDays(t *testing.T) (p *prometheus, now time.Time) {
	t.Helper()
	const day = 24 * time.Hour
	now = time.Now().UTC().Truncate(day).Add(-6 * time.Hour)
	from := now.Add(-2 * day)
	dir := t.TempDir()
	for operation, end := range map[string]time.Time{"wv0042": now, "wv0044": now.Add(-10 * time.Hour)} {
		server := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: time.UTC})
		defer server.Close()
		server.Add(pastChats(from.Add(-time.Hour), end)...)
		file := runBackfill(t, t.TempDir(), server, from, now, "--collector.agents", "--label=job=wolkvox", "--label=instance=exporter:10042")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(`"wv0042"`), []byte(`"`+operation+`"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		importBlocks(t, dir, file, "--max-block-duration=24h")
	}
	extra := past{from: from, to: now, step: 2 * time.Minute}
	polls := goldenSamples(t, "../test/testdata/metrics.txt")
	extra.addProcess(from, now)
	for _, operation := range []string{"wv0042", "wv0044"} {
		extra.addOperation(polls, operation, from, now)
		renamed := now.Add(-20 * time.Hour)
		named := []string{"operation", operation, "rp_id", "1101", "rp_name"}
		extra.add("wolkvox_routing_point_info", during(from, renamed, constant(1)), append(named, oldName)...)
		extra.add("wolkvox_routing_point_info", during(renamed.Add(time.Minute), now, constant(1)), append(named, newName)...)
	}
	extra.write(t, dir)
	return startPrometheusIn(t, dir, "{}"), now
}

func TestDashboards_InPastDays(t *testing.T) {
	t.Parallel()
	p, now := pastDays(t)
	all := grafanaDashboards(t)
	last6h := timeRange{from: now.Add(-6 * time.Hour), to: now, now: now}
	midnight := now.Truncate(24 * time.Hour)
	today := timeRange{from: midnight, to: midnight.Add(24 * time.Hour), now: now}
	week := timeRange{from: midnight.AddDate(0, 0, -1), to: midnight.AddDate(0, 0, 6), now: now}
	absolute := timeRange{from: now.Add(-9 * time.Hour), to: now.Add(-3 * time.Hour), now: now, absolute: true}

	t.Run("EveryRangeHasTheFigures", func(t *testing.T) {
		for _, d := range all {
			for _, panel := range d.visible() {
				want := p.results(t, d, panel, last6h, nil)
				for name, r := range map[string]timeRange{"today": today, "this week": week, "absolute": absolute} {
					for i, have := range p.results(t, d, panel, r, nil) {
						if len(want[i]) > 0 && len(have) == 0 {
							t.Errorf("%s: %q has no data of %s for query %d", d.file, panel.Title, name, i)
						}
					}
				}
			}
			for _, a := range d.Annotations.List {
				p.run(grafanaQuery{expr: d.defaults(t, today).expand(t, a.Expr), from: today.from, to: today.to, step: parseDuration(t, a.Step)})
			}
		}
	})
	t.Run("NothingIsGreenWhileDown", func(t *testing.T) {
		later := now.Add(10 * time.Minute)
		down := timeRange{from: later.Add(-6 * time.Hour), to: later, now: later}
		if green := p.green(t, all, last6h); len(green) < 5 {
			t.Errorf("have only %q in green while all is well", green)
		}
		if green := p.green(t, all, down); len(green) > 0 {
			t.Errorf("have %q in green while the exporter is down", green)
		}
	})
	t.Run("TablesKeepColumnsAndRows", func(t *testing.T) {
		for _, d := range all {
			for _, panel := range d.visible() {
				if panel.Type != "table" || panel.FieldConfig.Defaults.NoValue == "none" {
					continue
				}
				results := p.results(t, d, panel, last6h, values{"operation": "wv0044"})
				for i, result := range results {
					if len(result) != len(results[0]) || len(result) == 0 {
						t.Errorf("%s: %q has %d rows of query %d, and %d of the first", d.file, panel.Title, len(result), i, len(results[0]))
					}
				}
			}
		}
	})
	t.Run("SeriesKeepOneName", func(t *testing.T) {
		yesterday := timeRange{from: now.Add(-40 * time.Hour), to: now, now: now}
		for _, d := range all {
			named := 0
			for _, panel := range d.visible() {
				for i, result := range p.results(t, d, panel, yesterday, nil) {
					for _, s := range result {
						if !strings.Contains(panel.Targets[i].Expr, "name") || s.Metric["rp_id"] == "" {
							continue
						}
						named++
						if want := map[string]string{"1101": newName, "1102": "1102"}[s.Metric["rp_id"]]; s.Metric["name"] != want && s.Metric["name"] != "" {
							t.Errorf("%s: %q has the name %q for %s, want %q", d.file, panel.Title, s.Metric["name"], s.Metric["rp_id"], want)
						}
					}
				}
			}
			if d.UID == "wolkvox-chats" && named == 0 {
				t.Error("no series has a name")
			}
		}
	})
	t.Run("VariablesShowNames", func(t *testing.T) {
		for _, d := range all {
			for _, v := range d.Templating.List {
				query, found := strings.CutPrefix(v.Definition, "query_result(")
				if !found {
					continue
				}
				for _, r := range []timeRange{last6h, today} {
					chosen := d.defaults(t, r).with("__range", promDuration(r.length()))
					have := options(t, p.query(chosen.expand(t, strings.TrimSuffix(query, ")")), r.to), v.Regex)
					want := []string{"1101=" + newName, "1102=1102"}
					if v.Name == "agent_id" {
						want = []string{"1201=1201"}
					}
					if !slices.Equal(have, want) {
						t.Errorf("%s: $%s has the choices %q, want %q", d.file, v.Name, have, want)
					}
				}
			}
		}
	})
}

// results returns the results of a panel's queries with some chosen values.
func (p *prometheus) results(t *testing.T, d grafanaDashboard, panel grafanaPanel, r timeRange, chosen values) (all [][]series) {
	t.Helper()
	v := d.defaults(t, r)
	maps.Copy(v, chosen)
	for _, q := range d.queries(t, panel, v, r) {
		all = append(all, p.run(q))
	}
	return all
}

// green returns what is shown in green now.
func (p *prometheus) green(t *testing.T, all []grafanaDashboard, r timeRange) (found []string) {
	t.Helper()
	for _, d := range all {
		for _, panel := range d.visible() {
			if !panel.showsStates() {
				continue
			}
			empty := true
			for i, result := range p.results(t, d, panel, r, nil) {
				name := panel.column(t, "Value #"+panel.Targets[i].RefID)
				for _, s := range result {
					at, value := s.last()
					if panel.Type == "state-timeline" && at < float64(r.to.Add(-15*time.Minute).Unix()) {
						continue // It has ended, and says nothing of now.
					}
					if panel.Type != "table" {
						name = legend(panel.Targets[i].LegendFormat, s.Metric)
					}
					empty = false
					if have := panel.field(t, name).show(t, value); have.colour == good || have.colour == "green" {
						found = append(found, fmt.Sprintf("%s: %s, %s: %v %s", d.file, panel.Title, name, value, have.text))
					}
				}
			}
			if have := panel.FieldConfig.Defaults.show(t, none); empty && (have.colour == good || have.colour == "green" || have.text == "") {
				found = append(found, fmt.Sprintf("%s: %s: nothing", d.file, panel.Title))
			}
		}
	}
	return found
}

// options returns the choices of a query_result variable as value=text. Grafana formats each series without escapes.
func options(t *testing.T, result []series, regex string) (all []string) {
	t.Helper()
	pattern := regexp.MustCompile(strings.Trim(regex, "/"))
	for _, s := range result {
		var labels []string
		for name, value := range s.Metric {
			labels = append(labels, fmt.Sprintf(`%s="%s"`, name, value))
		}
		slices.Sort(labels)
		text := fmt.Sprintf("{%s} 1 %d", strings.Join(labels, ","), 1000*int(s.Value.at))
		found := pattern.FindStringSubmatch(text)
		if found == nil {
			t.Errorf("%s does not match %s", regex, text)
			continue
		}
		all = append(all, found[pattern.SubexpIndex("value")]+"="+found[pattern.SubexpIndex("text")])
	}
	slices.Sort(all)
	return all
}
