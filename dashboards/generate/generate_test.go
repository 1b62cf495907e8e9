package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDashboards_AreGenerated(t *testing.T) {
	t.Parallel()
	checkedIn := checkedInFiles(t)
	for name, d := range dashboards() {
		want, err := encode(d)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, checkedIn[name]) {
			t.Errorf("%s is not what its source says: go run ./dashboards/generate", name)
		}
		delete(checkedIn, name)
	}
	for name := range checkedIn {
		t.Errorf("%s has no source", name)
	}
}

// The result of the query is tested in e2e.
func TestHandoffRate_HasTextWithoutBotOnlyChats(t *testing.T) {
	t.Parallel()
	for _, p := range readDashboards(t)["chats.json"].visible() {
		if p.Title != "Handoff rate, last $window" {
			continue
		}
		if have := p.FieldConfig.Defaults.Mappings[0].texts(t)["-1"].Text; have != noBotOnly {
			t.Errorf("have the text %q for -1, want %q", have, noBotOnly)
		}
		return
	}
	t.Error("there is no panel with the handoff rate")
}

// Links, bookmarks and provisioned folders identify a dashboard by its uid.
func TestDashboards_KeepUIDs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"chats.json": "wolkvox-chats", "agents.json": "wolkvox-agents", "exporter.json": "wolkvox-exporter",
	} {
		if have := dashboards()[name].uid; have != want {
			t.Errorf("%s: have uid %q, want %q", name, have, want)
		}
	}
}

func TestPanels_HaveUniqueIDs(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			titles := map[int]string{}
			for _, p := range d.all() {
				if other, taken := titles[p.ID]; taken || p.ID == 0 {
					t.Errorf("%q and %q have id %d", other, p.Title, p.ID)
				}
				titles[p.ID] = p.Title
			}
		})
	}
}

func TestPanels_DoNotOverlap(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			type cell struct{ x, y int }
			grid := map[cell]string{}
			for _, p := range d.all() {
				at := p.GridPos
				if at.W <= 0 || at.H <= 0 || at.X < 0 || at.Y < 0 || at.X+at.W > 24 {
					t.Errorf("%q has no place in 24 columns: %+v", p.Title, at)
				}
				for x := at.X; x < at.X+at.W; x++ {
					for y := at.Y; y < at.Y+at.H; y++ {
						if other, taken := grid[cell{x, y}]; taken {
							t.Fatalf("%q lies on %q at column %d, line %d", p.Title, other, x, y)
						}
						grid[cell{x, y}] = p.Title
					}
				}
			}
		})
	}
}

func TestPanels_HaveDescriptions(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			if d.Description == "" {
				t.Error("the dashboard has no description")
			}
			for _, p := range d.visible() {
				if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
					t.Errorf("%q: have the description %q, want sentences", p.Title, p.Description)
				}
			}
		})
	}
}

func TestPanels_HaveUnits(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			for _, p := range d.visible() {
				switch p.Type {
				case "text":
				case "table":
					for _, column := range p.withoutUnit() {
						t.Errorf("%q: the column %q has no unit", p.Title, column)
					}
				default:
					if p.FieldConfig.Defaults.Unit == "" {
						t.Errorf("%q has no unit", p.Title)
					}
				}
			}
		})
	}
}

// withoutUnit returns a table's columns of figures that have no unit.
func (p grafanaPanel) withoutUnit() []string {
	units := map[string]bool{}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == "unit" {
				units[o.Matcher.Options] = true
			}
		}
	}
	var without []string
	for _, target := range p.Targets {
		column := "Value #" + target.RefID
		for _, transformation := range p.Transformations {
			if transformation.Options.ExcludeByName[column] {
				units[column] = true
			} else if title := transformation.Options.RenameByName[column]; title != "" {
				column = title
			}
		}
		if !units[column] {
			without = append(without, column)
		}
	}
	return without
}

func TestPanels_UseDataSourceVariable(t *testing.T) {
	t.Parallel()
	want := map[string]any{"type": "prometheus", "uid": "${datasource}"}
	for name, text := range checkedInFiles(t) {
		var d map[string]any
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		if d["__inputs"] != nil {
			t.Errorf("%s has __inputs, which provisioning cannot fill in", name)
		}
		count := 0
		var walk func(at string, v any)
		walk = func(at string, v any) {
			switch v := v.(type) {
			case map[string]any:
				if have, ok := v["datasource"]; ok {
					if count++; !reflect.DeepEqual(have, want) {
						t.Errorf("%s: %s has the data source %v", name, at, have)
					}
				}
				if v["expr"] != nil && v["datasource"] == nil {
					t.Errorf("%s: %s has a query without a data source", name, at)
				}
				for key, child := range v {
					walk(at+"."+key, child)
				}
			case []any:
				for _, child := range v {
					walk(at, child)
				}
			}
		}
		walk("", d)
		if count == 0 {
			t.Errorf("%s names no data source at all", name)
		}
	}
}

func TestLinks_KeepVariables(t *testing.T) {
	t.Parallel()
	variables := map[string]map[string]bool{} // by uid
	for _, d := range readDashboards(t) {
		variables[d.UID] = map[string]bool{}
		for _, v := range d.Templating.List {
			variables[d.UID][v.Name] = true
		}
	}
	link := regexp.MustCompile(`"(/d/[^"]+)"`)
	parts := regexp.MustCompile(`^/d/([^?]+)(?:\?(.*))?$`)
	for name, text := range checkedInFiles(t) {
		for _, found := range link.FindAllSubmatch(text, -1) {
			to := parts.FindSubmatch(found[1])
			known := variables[string(to[1])]
			if known == nil {
				t.Errorf("%s: %s leads nowhere", name, found[1])
			}
			for _, variable := range regexp.MustCompile(`var-(\w+)=|\$\{(\w+):queryparam\}`).FindAllSubmatch(to[2], -1) {
				if v := string(variable[1]) + string(variable[2]); !known[v] {
					t.Errorf("%s: %s sets %q, which is not there", name, found[1], v)
				}
			}
			if len(to[2]) > 0 && !bytes.Contains(to[2], []byte("${__url_time_range}")) {
				t.Errorf("%s: %s loses the time range", name, found[1])
			}
		}
	}
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			if len(d.Links) != 1 || !slices.Equal(d.Links[0].Tags, d.Tags) {
				t.Fatalf("have the links %+v, want a menu of the dashboards with the tags %q", d.Links, d.Tags)
			}
			if l := d.Links[0]; l.Type != "dashboards" || !l.AsDropdown || !l.KeepTime || !l.IncludeVars {
				t.Errorf("have the link %+v, want a menu that keeps time range and variables", l)
			}
		})
	}
}

func TestVariables_AreDefinedAndUsed(t *testing.T) {
	t.Parallel()
	use := regexp.MustCompile(`\$\{?([A-Za-z]\w*)`)
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			defined, used := map[string]bool{}, map[string]bool{"datasource": true}
			collect := func(where, text string) {
				for _, found := range use.FindAllStringSubmatch(text, -1) {
					used[found[1]] = true
					if !defined[found[1]] {
						t.Errorf("%s uses $%s, which is not there before it", where, found[1])
					}
				}
			}
			for _, v := range d.Templating.List {
				if query, ok := v.Query.(map[string]any); ok {
					collect("the variable "+v.Name, query["query"].(string))
				}
				defined[v.Name] = true
			}
			clear(used) // One that only narrows another one's choice does nothing for the panels.
			used["datasource"] = true
			for _, p := range d.visible() {
				collect(p.Title, p.Title)
				collect(p.Title, p.Description)
				for _, target := range p.Targets {
					collect(p.Title, target.Expr)
					collect(p.Title, target.Interval)
					collect(p.Title, target.LegendFormat)
				}
			}
			for name := range defined {
				if !used[name] {
					t.Errorf("no panel uses $%s", name)
				}
			}
		})
	}
}

// A list of all routing points in each query would be longer than Prometheus, or a proxy in
// front of it, accepts.
func TestVariables_AllIsAPattern(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			for _, v := range d.Templating.List {
				if v.Type == "query" && v.Name != "answer_within" && (!v.Multi || !v.IncludeAll || v.AllValue != ".*") {
					t.Errorf("have %+v, want several values, and .* for All", v)
				}
			}
		})
	}
}

// Counters change every 5 minutes: a range of less than three polls shows the interval of
// polls.
func TestQueries_RangesCoverThreePolls(t *testing.T) {
	t.Parallel()
	const least = 15 * time.Minute
	literal := regexp.MustCompile(`\[(\w+)\]`) // of a range, not of a subquery
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			for _, p := range d.visible() {
				for _, target := range p.Targets {
					for _, found := range literal.FindAllStringSubmatch(target.Expr, -1) {
						if r := parseDays(t, found[1]); r < least {
							t.Errorf("%q looks back %s: %s", p.Title, r, target.Expr)
						}
					}
					// Grafana's $__interval is no less than the step, $__rate_interval no less than 4 of them.
					if strings.Contains(target.Expr, overInterval) && target.Interval != everyBar && parseDays(t, target.Interval) < least {
						t.Errorf("%q: have the step %q, want %s or more", p.Title, target.Interval, least)
					}
					if strings.Contains(target.Expr, overRate) && 4*parseDays(t, target.Interval) < least {
						t.Errorf("%q: have the step %q, want a quarter of %s or more", p.Title, target.Interval, least)
					}
				}
			}
			for _, v := range d.Templating.List {
				if v.Name != "window" && v.Name != "bars" {
					continue
				}
				for value := range strings.SplitSeq(v.Query.(string), ",") {
					if parseDays(t, value) < least {
						t.Errorf("the window can be %s, want %s or more", value, least)
					}
				}
			}
		})
	}
}

// parseDays reads a duration, which may be in days.
func parseDays(t *testing.T, text string) time.Duration {
	t.Helper()
	if text == "1d" {
		return 24 * time.Hour
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDashboards_HaveSchemaOfGrafana9(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			if d.SchemaVersion != 36 && d.SchemaVersion != 37 {
				t.Errorf("have schemaVersion %d, want Grafana 9's", d.SchemaVersion)
			}
		})
	}
}

func TestPanels_DescribeTimeOfFigures(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			for _, p := range d.visible() {
				for _, target := range p.Targets {
					want := ""
					switch {
					case strings.Contains(target.Expr, "$__rate_interval"):
						want = "20m"
					case strings.Contains(target.Expr, "$__interval"):
						want = target.Interval
					case strings.Contains(target.Expr, "$window"):
						want = "$window"
					case strings.Contains(target.Expr, "$__range"):
						want = "in the time range shown"
					}
					if !strings.Contains(p.Description, want) {
						t.Errorf("%q does not speak of %s: %s", p.Title, want, p.Description)
					}
				}
			}
		})
	}
}
