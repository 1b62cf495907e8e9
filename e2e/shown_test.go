package e2e

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
)

// good is the colour of what is as it should be.
const good = "#009E73"

// shown is what a panel shows of a value.
type shown struct{ text, colour string }

// show returns what a field shows of a value, or of none, as Grafana's display processor does.
func (f grafanaField) show(t *testing.T, value float64) shown {
	t.Helper()
	s, missing := shown{}, math.IsNaN(value)
	for _, m := range f.Mappings {
		var result struct{ Text, Color string }
		switch m.Type {
		case "special":
			var special struct{ Result json.RawMessage }
			decode(t, m.Options, &special)
			if missing {
				decode(t, special.Result, &result)
			}
		case "value":
			results := map[string]json.RawMessage{}
			decode(t, m.Options, &results)
			text, _ := json.Marshal(value) //nolint:errchkjson // NaN has no text, and no mapping.
			if r := results[string(text)]; r != nil && !missing {
				decode(t, r, &result)
			}
		}
		if result.Text != "" && s.text == "" {
			s = shown{result.Text, result.Color}
		}
	}
	if s.text == "" && missing {
		s.text = f.NoValue
	}
	if s.colour != "" {
		return s
	}
	if f.Color.Mode != "thresholds" {
		s.colour = f.Color.FixedColor
		return s
	}
	for _, step := range f.Thresholds.Steps {
		if step.Value == nil || value >= *step.Value {
			s.colour = step.Color
		}
	}
	return s
}

func decode(t *testing.T, text json.RawMessage, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// field returns the options of a series or a column with a name.
func (p grafanaPanel) field(t *testing.T, name string) grafanaField {
	t.Helper()
	f := p.FieldConfig.Defaults
	for _, o := range p.FieldConfig.Overrides {
		if o.Matcher.Options != name {
			continue
		}
		for _, property := range o.Properties {
			switch property.ID {
			case "color":
				decode(t, property.Value, &f.Color)
			case "mappings":
				f.Mappings = nil
				decode(t, property.Value, &f.Mappings)
			}
		}
	}
	return f
}

// column returns the title of a table's column.
func (p grafanaPanel) column(t *testing.T, name string) string {
	t.Helper()
	for _, transformation := range p.Transformations {
		var options struct{ RenameByName map[string]string }
		decode(t, transformation.Options, &options)
		if title := options.RenameByName[name]; title != "" {
			return title
		}
	}
	return name
}

// legend returns the name of a series.
func legend(format string, labels map[string]string) string {
	return regexp.MustCompile(`\{\{(\w+)\}\}`).ReplaceAllStringFunc(format, func(use string) string {
		return labels[strings.Trim(use, "{}")]
	})
}

// showsStates reports whether the colours of a panel are verdicts on its values.
func (p grafanaPanel) showsStates() bool {
	return p.Type == "stat" || p.Type == "table" || p.Type == "state-timeline"
}

// last returns the newest value of a series.
func (s series) last() (at, value float64) {
	if s.Value != nil {
		return s.Value.at, s.Value.value
	}
	newest := s.Values[len(s.Values)-1]
	return newest.at, newest.value
}
