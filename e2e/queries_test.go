package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// inputSeries has samples every 15 minutes. The queries run after 209 hours, at noon in America/Bogota. Midnight was
// at sample 788, the one before at 692, and the day a week before went from sample 116 to 212.
var inputSeries = map[string]string{
	`wolkvox_up{operation="demo"}`: "1x836",
	// 192 chats on the day a week ago, 96 of them by noon, 288 yesterday, 240 today.
	`wolkvox_chat_interactions_total{operation="demo",rp_id="1101",channel="whatsapp"}`: "0+1x116 118+2x95 309+1x479 791+3x95 1081+5x47",
	// Its first chats end yesterday at noon: 48 then, 48 today.
	`wolkvox_chat_interactions_total{operation="demo",rp_id="1102",channel="web"}`: "_x740 0+1x96",
	// Its first chats end this morning: 16.
	`wolkvox_chat_interactions_total{operation="demo",rp_id="1103",channel="web"}`: "_x820 0+1x16",

	`wolkvox_chat_handoffs_total{operation="demo",rp_id="1101",channel="whatsapp"}`:                           "0+1x836",
	`wolkvox_chat_speed_of_answer_seconds_count{operation="demo",rp_id="1101",channel="whatsapp"}`:            "0+1x836",
	`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="whatsapp",le="20.0"}`: "0+0.5x836",
	`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="whatsapp",le="30.0"}`: "0+0.75x836",
	`wolkvox_chat_speed_of_answer_seconds_bucket{operation="demo",rp_id="1101",channel="whatsapp",le="60.0"}`: "0+1x836",

	`wolkvox_chat_handle_time_seconds_sum{operation="demo",rp_id="1101",channel="whatsapp"}`:   "0+2800x836",
	`wolkvox_chat_handle_time_seconds_count{operation="demo",rp_id="1101",channel="whatsapp"}`: "0+10x836",

	`wolkvox_agent_chats_total{operation="demo",agent_id="1201"}`:               "0+1x836",
	`wolkvox_agent_chats_total{operation="demo",agent_id="1202"}`:               "0+0.125x836",
	`wolkvox_agent_chats_total{operation="demo",agent_id="1203"}`:               "0+0.5x836",
	`wolkvox_agent_handle_time_seconds_sum{operation="demo",agent_id="1201"}`:   "0+300x836",
	`wolkvox_agent_handle_time_seconds_count{operation="demo",agent_id="1201"}`: "0+1x836",
	`wolkvox_agent_handle_time_seconds_sum{operation="demo",agent_id="1202"}`:   "0+12.5x836",
	`wolkvox_agent_handle_time_seconds_count{operation="demo",agent_id="1202"}`: "0+0.125x836",
	`wolkvox_agent_handle_time_seconds_sum{operation="demo",agent_id="1203"}`:   "0+100x836",
	`wolkvox_agent_handle_time_seconds_count{operation="demo",agent_id="1203"}`: "0+0.5x836",
}

// answers are what the queries of docs/queries.md must give for daysOfChats, by the question above each.
var answers = map[string]map[string]float64{
	"chats of the time range, by routing point": {
		`{operation="demo",rp_id="1101"}`: 48*3 + 240, `{operation="demo",rp_id="1102"}`: 96, `{operation="demo",rp_id="1103"}`: 16,
	},
	"chats of today so far": {
		`{operation="demo",rp_id="1101"}`: 240, `{operation="demo",rp_id="1102"}`: 48, `{operation="demo",rp_id="1103"}`: 16,
	},
	"chats of yesterday": {
		`{operation="demo",rp_id="1101"}`: 288, `{operation="demo",rp_id="1102"}`: 48, `{operation="demo",rp_id="1103"}`: 0,
	},
	"chats of the same weekday, a week ago, the whole day":              {`{operation="demo",rp_id="1101"}`: 192},
	"chats of the same weekday, a week ago, up to this time of the day": {`{operation="demo",rp_id="1101"}`: 96},
	"handoff rate of today":                   {`{operation="demo"}`: 0.158},
	"share answered within 30 seconds, today": {`{operation="demo"}`: 0.75},
	"1 where 80 % were answered within 30 seconds in the last hour, 0 where not": {
		`{operation="demo",within="30"}`: 0,
	},
	"share of each channel in the chats of today": {
		`{operation="demo",channel="whatsapp"}`: 0.789, `{operation="demo",channel="web"}`: 0.211,
	},
	"the ten agents with most chats in a day": {
		`{operation="demo",agent_id="1201"}`: 96, `{operation="demo",agent_id="1203"}`: 48, `{operation="demo",agent_id="1202"}`: 12,
	},
	"the ten agents with the shortest handle time in a day, of those with 20 chats or more": {
		`{operation="demo",agent_id="1203"}`: 200, `{operation="demo",agent_id="1201"}`: 300,
	},
	"average handle time of a day, in seconds": {`{operation="demo"}`: 280},
}

func TestQueries_OfDocumentAnswerTheirQuestions(t *testing.T) {
	t.Parallel()
	promtool := findProgram(t, "PROMTOOL")
	type object = map[string]any
	input, tests := []object{}, []object{}
	for series, values := range inputSeries {
		input = append(input, object{"series": series, "values": values})
	}
	unasked := map[string]bool{}
	for question := range answers {
		unasked[question] = true
	}
	for _, q := range documentQueries(t) {
		if filepath.Base(q.file) != "queries.md" {
			continue
		}
		question, _, _ := strings.Cut(strings.TrimPrefix(q.expr, "# "), "\n")
		want, known := answers[question]
		if !known {
			t.Errorf("no answer is known to %q", question)
		}
		delete(unasked, question)
		samples := []object{}
		for labels, value := range want {
			samples = append(samples, object{"labels": labels, "value": value})
		}
		// Rounded, as an older promtool compares floats bit by bit.
		tests = append(tests, object{"expr": "round(" + q.expr + "\n, 0.001)", "eval_time": "209h", "exp_samples": samples})
	}
	for question := range unasked {
		t.Errorf("docs/queries.md has no query for %q", question)
	}
	rules, err := filepath.Abs("../rules")
	if err != nil {
		t.Fatal(err)
	}
	// JSON is YAML.
	text, err := json.Marshal(object{
		"rule_files":          []string{rules + "/wolkvox.rules.yml", rules + "/wolkvox.days.rules.yml"},
		"evaluation_interval": "15m",
		"tests":               []object{{"interval": "15m", "input_series": input, "promql_expr_test": tests}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.yml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "test", "rules", path).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
