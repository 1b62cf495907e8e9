package main

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// eachPanel calls check with each panel of the checked-in dashboards.
func eachPanel(t *testing.T, check func(t *testing.T, p grafanaPanel)) {
	t.Helper()
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			for _, p := range d.visible() {
				check(t, p)
			}
		})
	}
}

// properties returns the values of a property that overrides set, by the series or column.
func (p grafanaPanel) properties(id string) map[string]any {
	values := map[string]any{}
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.ID == id {
				values[o.Matcher.Options] = property.Value
			}
		}
	}
	return values
}

// columns returns the titles of a table's columns, from the left.
func (p grafanaPanel) columns() (titles []string) {
	for _, transformation := range p.Transformations {
		order := transformation.Options.IndexByName
		names := make([]string, len(order))
		for name, i := range order {
			names[i] = name
			if title := transformation.Options.RenameByName[name]; title != "" {
				names[i] = title
			}
		}
		titles = append(titles, names...)
	}
	return titles
}

// A missing value takes the colour of the first threshold, unless a mapping has another one.
func TestRules_MissingValueIsInWordsAndNotGreen(t *testing.T) {
	t.Parallel()
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		if steps := p.FieldConfig.Defaults.Thresholds.Steps; len(steps) > 0 && steps[0].Color != neutral {
			t.Errorf("%q: a missing value is %s", p.Title, steps[0].Color)
		}
		if p.Type != "stat" {
			if p.Type != "text" && p.FieldConfig.Defaults.NoValue == "" {
				t.Errorf("%q has no words for no data", p.Title)
			}
			return
		}
		for _, m := range p.FieldConfig.Defaults.Mappings {
			if have := m.texts(t)["null+nan"]; have.Text != "" && have.Color != green {
				return
			}
		}
		t.Errorf("%q has no words for a missing value", p.Title)
	})
}

func TestRules_OneMomentIsNow(t *testing.T) {
	t.Parallel()
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		for _, target := range p.Targets {
			ofRange := strings.Contains(target.Expr, overRange)
			if target.Instant && !ofRange && (p.TimeFrom == "" || !p.HideTimeOverride) {
				t.Errorf("%q shows the end of the time range, which can be in the future", p.Title)
			}
		}
	})
}

func TestRules_CountsAreWhole(t *testing.T) {
	t.Parallel()
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		units := p.properties("unit")
		units[""] = p.FieldConfig.Defaults.Unit
		for name, unit := range units {
			if unit == "short" {
				t.Errorf("%q %s: 1,043 is shown as 1 K", p.Title, name)
			}
		}
	})
}

func TestRules_NameIsThatOfTheRange(t *testing.T) {
	t.Parallel()
	info := regexp.MustCompile(`_info\{[^}]*_name[^}]*\}\)\[(\$__range|1d):5m\] @ end\(\)`)
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		for _, target := range p.Targets {
			if strings.Contains(target.Expr, "_info") && !strings.Contains(target.Expr, "build_info") && !info.MatchString(target.Expr) {
				t.Errorf("%q: the name of a series can change from one point to the next: %s", p.Title, target.Expr)
			}
		}
	})
}

// Durations of chats are long enough for minutes and seconds. Those of requests are not.
func TestRules_DurationsAreOnAClock(t *testing.T) {
	t.Parallel()
	short := regexp.MustCompile(`wolkvox_api_request_duration|state_save_duration|scrape_duration|clock_skew`)
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		units := p.properties("unit")
		units[""] = p.FieldConfig.Defaults.Unit
		for name, unit := range units {
			if unit == "s" && !short.MatchString(p.Targets[0].Expr) {
				t.Errorf("%q %s: 525 s is shown as 8.75 min", p.Title, name)
			}
		}
	})
}

func TestRules_BarsHaveTheirInterval(t *testing.T) {
	t.Parallel()
	interval := regexp.MustCompile(`^(\$bars|\d+[mhd])$`)
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		for _, target := range p.Targets {
			if (p.Type == "heatmap" || strings.Contains(target.Expr, overInterval)) && (!interval.MatchString(target.Interval) || !strings.Contains(p.Title, "every "+target.Interval)) {
				t.Errorf("%q: have the interval %q, want its own, which its title says", p.Title, target.Interval)
			}
		}
	})
}

// A newcomer sees the range that a dashboard begins with.
func TestRules_FirstHourHasSeveralBars(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		for _, v := range d.Templating.List {
			if v.Name != everyBar[1:] || d.UID == exporterUID {
				continue
			}
			whole := parseDays(t, strings.TrimPrefix(d.Time.From, "now-"))
			if each := whole / time.Duration(v.AutoCount); each > 20*time.Minute {
				t.Errorf("%s: a bar is about %s wide at first, want several in an hour", name, each)
			}
		}
	}
}

// A list should be empty, and then says "none". Each query of other tables has the same rows, also without a value.
func TestRules_TablesKeepColumnsAndRows(t *testing.T) {
	t.Parallel()
	tall := map[string]bool{"Routing points, last $window": true, "Agents, last $window": true}
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		if p.Type != "table" || p.FieldConfig.Defaults.NoValue == nothing {
			return
		}
		for _, target := range p.Targets {
			if !strings.Contains(target.Expr, "NaN") {
				t.Errorf("%q loses column %s without values", p.Title, target.RefID)
			}
		}
		for _, title := range p.columns() {
			if len(title) > 16 {
				t.Errorf("%q has the long heading %q", p.Title, title)
			}
		}
		if tall[p.Title] && (p.GridPos.H < 16 || p.columns()[0] != strings.TrimSuffix(p.Title[:strings.Index(p.Title, ",")], "s")) {
			t.Errorf("%q is %d high and begins with %q, want 14 rows and the name", p.Title, p.GridPos.H, p.columns()[0])
		}
		delete(tall, p.Title)
		// Columns with a width leave space for the first at 1100 pixels.
		width, widths := 0, p.properties("custom.width")
		for _, w := range widths {
			width += int(w.(float64))
		}
		if widths[p.columns()[0]] != nil {
			return
		}
		if space := 1060*p.GridPos.W/24 - width; width > 0 && space < 100 {
			t.Errorf("%q leaves %d pixels for its names", p.Title, space)
		}
	})
}

func TestRules_VerdictsHaveWordsAndColours(t *testing.T) {
	t.Parallel()
	for _, p := range readDashboards(t)["chats.json"].visible() {
		if p.Title != "Routing points, last $window" {
			continue
		}
		text, err := json.Marshal(p.properties("mappings")["Target"])
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{onTarget, offTarget, green, red} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the verdict has no %q", want)
			}
		}
		if p.properties("custom.displayMode")["Target"] != "color-text" {
			t.Error("the verdict has no colour")
		}
		return
	}
	t.Error("there is no table of routing points")
}

// Two operations can both have a routing point 1101.
func TestRules_LinksHaveOperationOfTheirRow(t *testing.T) {
	t.Parallel()
	found := 0
	for name, text := range checkedInFiles(t) {
		for _, link := range regexp.MustCompile(`"/d/[^"]*var-(rp_id|agent_id)=[^"]*"`).FindAllString(string(text), -1) {
			found++
			if !strings.Contains(link, "&var-operation=${__data.fields.Operation:percentencode}&") {
				t.Errorf("%s: %s leads to all operations", name, link)
			}
		}
	}
	if found != 2 {
		t.Errorf("have %d links to one routing point or agent, want 2", found)
	}
}

func TestRules_ColoursAreOfThePalette(t *testing.T) {
	t.Parallel()
	palette := []string{blue, skyBlue, green, orange, red, purple, grey, neutral}
	colour := regexp.MustCompile(`"(?:color|fixedColor|iconColor)": "([^"]+)"`)
	for name, text := range checkedInFiles(t) {
		for _, found := range colour.FindAllStringSubmatch(string(text), -1) {
			if !slices.Contains(palette, found[1]) {
				t.Errorf("%s has the colour %s, which may look like another one", name, found[1])
			}
		}
	}
	eachPanel(t, func(t *testing.T, p grafanaPanel) {
		t.Helper()
		for _, target := range p.Targets {
			if strings.HasPrefix(target.Expr, "topk(") || strings.Contains(target.Expr, "topk(10") {
				t.Errorf("%q: more than five series cannot be told apart", p.Title)
			}
		}
	})
}

func TestRules_ImportantTilesAreTheLargest(t *testing.T) {
	t.Parallel()
	area := map[bool]int{false: 0, true: 1000}
	for _, p := range readDashboards(t)["chats.json"].visible() {
		if p.Type != "stat" || p.GridPos.Y > 10 {
			continue
		}
		size, important := p.GridPos.W*p.GridPos.H, strings.HasPrefix(p.Title, "Service level") || strings.HasPrefix(p.Title, "Average speed")
		if important {
			area[true] = min(area[true], size)
		} else {
			area[false] = max(area[false], size)
		}
	}
	if area[true] <= area[false] {
		t.Errorf("service level or speed of answer is %d large, another tile %d", area[true], area[false])
	}
}

// The folder is called wolkvox.
func TestRules_TitlesDoNotRepeatFolder(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		if strings.Contains(d.Title, "wolkvox") {
			t.Errorf("%s has the title %q", name, d.Title)
		}
		if d.Timezone != "" {
			t.Errorf("%s has the time zone %q, which a server cannot set", name, d.Timezone)
		}
	}
}

func TestRules_VariablesFitOneLine(t *testing.T) {
	t.Parallel()
	for name, d := range readDashboards(t) {
		const menu, screen = 120, 1600 - 32
		width := menu
		for _, v := range d.Templating.List {
			value, _ := v.Current.Text.(string)
			switch {
			case v.Hide == 2:
				continue
			case v.Type == "datasource":
				value = "Prometheus"
			case value == "":
				value = "All"
			}
			width += 56 + 15*len(value)/2 // with its arrow and the space between two variables
			if v.Hide == 0 {
				width += 16 + 15*len(v.Label)/2
			}
		}
		if width > screen {
			t.Errorf("%s: the variables take about %d of %d pixels", name, width, screen)
		}
	}
}

func TestRules_ProvisioningExamplesAgree(t *testing.T) {
	t.Parallel()
	var settings []string
	for _, file := range []string{"../provisioning/datasources.yml", "../../examples/docker-compose/grafana/datasources.yml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(`(?m)^ +(timeInterval|httpMethod): .*$`).FindAllString(string(text), -1)
		slices.Sort(found)
		settings = append(settings, strings.Join(found, ","))
	}
	if settings[0] != settings[1] || !strings.Contains(settings[0], "POST") {
		t.Errorf("have the settings %q, want the same", settings)
	}
}
