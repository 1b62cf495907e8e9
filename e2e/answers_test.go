package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Samples are a minute apart, the range is 15m, and counters grow evenly, so that each
// version of Prometheus gives the same values.
func TestPanels_ShowExpectedValues(t *testing.T) {
	t.Parallel()
	promtool := findProgram(t, "PROMTOOL")
	type (
		series  map[string]string  // values by series
		results map[string]float64 // by labels
	)
	const (
		sales   = `{operation="demo",rp_id="1101",channel="web"}`
		support = `{operation="demo",rp_id="1102",channel="web"}`
		names   = `{operation="demo",rp_id="1102",rp_name="Support",instance=`
	)
	for _, tt := range []struct {
		name, dashboard, panel string
		series                 series
		want                   results
	}{
		{"ServiceLevelOnTarget", "chats.json", "Service level, last $window", series{
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60"}`: "0+9x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="90"}`: "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                               "0+10x60",
		}, results{`{verdict="on target"}`: 0.9}},
		{"ServiceLevelOffTargetInPrometheus3", "chats.json", "Service level, last $window", series{
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60.0"}`:  "0+7x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="600.0"}`: "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                                  "0+10x60",
		}, results{`{verdict="off target"}`: 0.7}},
		{"ServiceLevelOfOperationsThatHaveTheBound", "chats.json", "Service level, last $window", series{
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60"}`: "0+9x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                               "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1102",channel="web",le="80"}`: "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + support:                                             "0+10x60",
		}, results{`{verdict="on target"}`: 0.9}},
		{"SpeedOfAnswerOnTarget", "chats.json", "Average speed of answer, last $window", series{
			`wolkvox_chat_speed_of_answer_seconds_sum` + sales:   "0+480x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales: "0+10x60",
		}, results{`{verdict="on target"}`: 48}},
		{"NoRateWithoutChats", "chats.json", "Handoff rate, last $window", series{
			`wolkvox_chat_handoffs_total` + sales: "5x60", `wolkvox_chat_interactions_total` + sales: "9x60",
		}, results{}},
		{"NoQuantileWithoutChats", "chats.json", "90 % answered within, last $window", series{
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",le="60"}`:   "5x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",le="+Inf"}`: "5x60",
		}, results{}},
		{"HandoffsThatTheReportFillsInLater", "chats.json", "Handoff rate, last $window", series{
			`wolkvox_chat_handoffs_total` + sales: "0+0.3x60", `wolkvox_chat_interactions_total` + sales: "0+0.2x60",
		}, results{`{}`: 1}},
		{"Unanswered", "chats.json", "Unanswered, last $window", series{
			`wolkvox_chat_handoffs_total` + sales: "0+10x60", `wolkvox_chat_speed_of_answer_seconds_count` + sales: "0+8x60",
		}, results{`{}`: 30}},
		{"AnswersThatComeAfterTheirHandoffs", "chats.json", "Unanswered, last $window", series{
			`wolkvox_chat_handoffs_total` + sales: "0+2x60", `wolkvox_chat_speed_of_answer_seconds_count` + sales: "0+3x60",
		}, results{`{}`: 0}},
		{"NamesWhereTheyAreKnownAndOfTwoExporters", "chats.json", "Routing points, last $window", series{
			`wolkvox_chat_interactions_total` + sales: "0+2x60", `wolkvox_chat_interactions_total` + support: "0+4x60",
			`wolkvox_routing_point_info` + names + `"a"}`: "1x60", `wolkvox_routing_point_info` + names + `"b"}`: "1x60",
		}, results{`{operation="demo",rp_id="1101"}`: 30, `{operation="demo",rp_id="1102",rp_name="Support"}`: 60}},
		{"NoNames", "chats.json", "Chats of the ten busiest routing points, every $window", series{
			`wolkvox_chat_interactions_total` + sales: "0+2x60",
		}, results{`{operation="demo",rp_id="1101"}`: 30}},
		{"NoAgentsWithoutTheFlag", "agents.json", "Agents with chats, last $window", series{
			`wolkvox_chat_interactions_total` + sales: "0+2x60",
		}, results{}},
		{"QuotaOfTheOperationWithTheLeastLeft", "exporter.json", "Quota used today", series{
			`wolkvox_api_token_requests_used{operation="a"}`: "300x60", `wolkvox_api_token_requests_limit{operation="a"}`: "1000x60",
			`wolkvox_api_token_requests_used{operation="b"}`: "900x60", `wolkvox_api_token_requests_limit{operation="b"}`: "2000x60",
			`wolkvox_api_token_requests_used{operation="c"}`: "0x60", `wolkvox_api_token_requests_limit{operation="c"}`: "0x60",
		}, results{`{}`: 0.45}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			type object = map[string]any
			input, samples := []object{}, []object{}
			for series, values := range tt.series {
				input = append(input, object{"series": series, "values": values})
			}
			for labels, value := range tt.want {
				samples = append(samples, object{"labels": labels, "value": value})
			}
			// Rounded, as an older promtool compares floats bit by bit.
			expr := "round(" + firstQuery(t, tt.dashboard, tt.panel) + ", 0.001)"
			// JSON is YAML.
			text, err := json.Marshal(object{"tests": []object{{
				"interval": "1m", "input_series": input,
				"promql_expr_test": []object{{"expr": expr, "eval_time": "1h", "exp_samples": samples}},
			}}})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "test.yml")
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command(promtool, "test", "rules", path).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// firstQuery returns the first query of a panel.
func firstQuery(t *testing.T, dashboard, panel string) string {
	t.Helper()
	for _, q := range panelQueries(t) {
		if q.dashboard == dashboard && q.panel == panel {
			return q.expr
		}
	}
	t.Fatalf("%s has no panel %q", dashboard, panel)
	return ""
}
