package e2e

import "testing"

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
		up      = `wolkvox_up{operation="demo"}`
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
			up: "1x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60"}`: "0+9x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="90"}`: "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                               "0+10x60",
			`wolkvox_chat_handoffs_total` + sales:                                                              "0+20x60",
		}, results{`{verdict="on target"}`: 0.9}},
		{"ServiceLevelWhileDown", "chats.json", "Service level, last $window", series{
			up: "1x50",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60"}`: "0+9x50",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                               "0+10x50",
			`wolkvox_chat_handoffs_total` + sales:                                                              "0+20x50",
		}, results{`{verdict="old data"}`: 0.9}},
		{"ServiceLevelOffTargetInPrometheus3", "chats.json", "Service level, last $window", series{
			up: "1x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60.0"}`:  "0+7x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="600.0"}`: "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                                  "0+10x60",
			`wolkvox_chat_handoffs_total` + sales:                                                                 "0+20x60",
		}, results{`{verdict="off target"}`: 0.7}},
		{"ServiceLevelOfOperationsThatHaveTheBound", "chats.json", "Service level, last $window", series{
			up: "1x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="web",le="60"}`: "0+9x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales:                                               "0+10x60",
			`wolkvox_chat_handoffs_total` + sales:                                                              "0+20x60",
			`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1102",channel="web",le="80"}`: "0+10x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + support:                                             "0+10x60",
			`wolkvox_chat_handoffs_total` + support:                                                            "0+20x60",
		}, results{`{verdict="on target"}`: 0.9}},
		{"SpeedOfAnswerOnTarget", "chats.json", "Average speed of answer (ASA), last $window", series{
			up: "1x60",
			`wolkvox_chat_speed_of_answer_seconds_sum` + sales:   "0+480x60",
			`wolkvox_chat_speed_of_answer_seconds_count` + sales: "0+10x60",
		}, results{`{verdict="on target"}`: 48}},
		{"NoAverageOfFewChats", "chats.json", "AHT, last $window", series{
			`wolkvox_chat_handle_time_seconds_sum` + sales: "0+480x60", `wolkvox_chat_handle_time_seconds_count` + sales: "0+0.02x60",
		}, results{}},
		{"NoRateWithoutChats", "chats.json", "Handoff rate, last $window", series{
			`wolkvox_chat_handoffs_total` + sales: "5x60", `wolkvox_chat_interactions_total` + sales: "9x60",
		}, results{}},
		{"NoQuantileWithoutSaves", "exporter.json", "Save duration", series{
			`wolkvox_exporter_state_save_duration_seconds_bucket{operation="demo",le="1"}`:    "5x60",
			`wolkvox_exporter_state_save_duration_seconds_bucket{operation="demo",le="+Inf"}`: "5x60",
		}, results{}},
		{"HandoffsThatTheReportFillsInLater", "chats.json", "Handoff rate, last $window", series{
			`wolkvox_chat_handoffs_total` + sales: "0+0.3x60", `wolkvox_chat_interactions_total` + sales: "0+0.2x60",
		}, results{`{}`: 1}},
		{"Unanswered", "chats.json", "Unanswered, last $window", series{
			up: "1x60", `wolkvox_chat_handoffs_total` + sales: "0+10x60", `wolkvox_chat_speed_of_answer_seconds_count` + sales: "0+8x60",
		}, results{`{verdict="off target"}`: 0.2}},
		{"AnswersThatComeAfterTheirHandoffs", "chats.json", "Unanswered, last $window", series{
			up: "1x60", `wolkvox_chat_handoffs_total` + sales: "0+2x60", `wolkvox_chat_speed_of_answer_seconds_count` + sales: "0+3x60",
		}, results{`{verdict="on target"}`: 0}},
		{"NamesWhereTheyAreKnownAndOfTwoExporters", "chats.json", "Chats of the five busiest routing points, every $bars", series{
			`wolkvox_chat_interactions_total` + sales: "0+2x60", `wolkvox_chat_interactions_total` + support: "0+4x60",
			`wolkvox_routing_point_info` + names + `"a"}`: "1x60", `wolkvox_routing_point_info` + names + `"b"}`: "1x60",
		}, results{`{operation="demo",rp_id="1102",name="Support"}`: 60}},
		{"NewestName", "chats.json", "Chats of the five busiest routing points, every $bars", series{
			`wolkvox_chat_interactions_total` + support: "0+4x60", `wolkvox_routing_point_info` + names + `"a"}`: "1x40",
			`wolkvox_routing_point_info{operation="demo",rp_id="1102",rp_name="Help \"VIP\"",instance="a"}`: "_x40 1x20",
		}, results{`{operation="demo",rp_id="1102",name="Help \"VIP\""}`: 60}},
		{"NoNames", "chats.json", "Chats of the five busiest routing points, every $bars", series{
			`wolkvox_chat_interactions_total` + sales: "0+2x60",
		}, results{`{operation="demo",rp_id="1101",name="1101"}`: 30}},
		{"OperationsDown", "exporter.json", "Operations down", series{
			`wolkvox_up{operation="a"}`: "1x60", `wolkvox_up{operation="b"}`: "1x40", `wolkvox_up{operation="c"}`: "0x60",
		}, results{`{}`: 2}},
		{"NoOperationDown", "exporter.json", "Operations down", series{up: "1x60"}, results{`{}`: 0}},
		{"NoOperationSeen", "exporter.json", "Operations down", series{`up{job="wolkvox"}`: "0x60"}, results{}},
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
			testPanel(t, promtool, panelTest{tt.dashboard, tt.panel, tt.series, "1h", tt.want})
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
