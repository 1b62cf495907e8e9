package e2e

import (
	"maps"
	"testing"
)

// newChats returns the series of a routing point for an hour: chats, handoffs and answers in
// a minute, and how many of the answers came within 60 seconds.
func newChats(operation, routingPoint, chats, handoffs, answers, inTime string) map[string]string {
	const asa, aht = "wolkvox_chat_speed_of_answer_seconds", "wolkvox_chat_handle_time_seconds"
	labels := `{operation="` + operation + `",rp_id="` + routingPoint + `",channel="web"`
	return map[string]string{
		"wolkvox_chat_interactions_total" + labels + "}":                           "0+" + chats + "x60",
		"wolkvox_chat_handoffs_total" + labels + "}":                               "0+" + handoffs + "x60",
		asa + "_count" + labels + "}":                                              "0+" + answers + "x60",
		asa + "_sum" + labels + "}":                                                "0+480x60",
		asa + "_bucket" + labels + `,le="60"}`:                                     "0+" + inTime + "x60",
		asa + "_bucket" + labels + `,le="+Inf"}`:                                   "0+" + answers + "x60",
		aht + "_sum" + labels + "}":                                                "0+5250x60",
		aht + "_count" + labels + "}":                                              "0+10x60",
		`wolkvox_up{operation="` + operation + `"}`:                                "1x60",
		completeUntil(operation):                                                   "0+60x60",
		`wolkvox_routing_point_info{operation="demo",rp_id="1102",rp_name="Help"}`: "1x60",
	}
}

func completeUntil(operation string) string {
	return `wolkvox_exporter_complete_until_timestamp_seconds{operation="` + operation + `"}`
}

func together(all ...map[string]string) map[string]string {
	sum := map[string]string{}
	for _, series := range all {
		maps.Copy(sum, series)
	}
	return sum
}

func TestWallboard_ShowsExpectedValues(t *testing.T) {
	t.Parallel()
	promtool := findProgram(t, "PROMTOOL")
	good, bad := newChats("demo", "1101", "20", "12", "10", "9"), newChats("demo", "1102", "20", "10", "8", "2")
	few := newChats("demo", "1101", "0.2", "0.2", "0.2", "0.2")
	const (
		level, speed, unanswered = "Service level, last $window", "Average speed of answer, last $window", "Unanswered, last $window"
		byOperation, worst       = "Service level by operation, last $window", "Five worst routing points, last $window"
		age, alerts              = "Age of the figures", "Active alerts"
	)
	burn := map[string]string{
		`ALERTS{alertname="WolkvoxServiceLevelBurn",alertstate="firing",severity="critical",operation="demo",rp_id="1102"}`: "1x100",
		`ALERTS{alertname="WolkvoxExporterAbsent",alertstate="firing",severity="critical"}`:                                 "1x100",
		`ALERTS{alertname="WolkvoxDown",alertstate="firing",severity="warning",operation="demo"}`:                           "1x100",
		`ALERTS{alertname="WolkvoxNoChats",alertstate="pending",severity="critical",operation="demo"}`:                      "1x100",
		`ALERTS{alertname="Watchdog",alertstate="firing",severity="none"}`:                                                  "1x100",
	}
	rules := map[string]string{`wolkvox:service_level:target{within="60"}`: "0.8x100"}
	type namedTest struct {
		name string
		panelTest
	}
	var tests []namedTest
	add := func(name, panel string, series map[string]string, at string, want map[string]float64) {
		tests = append(tests, namedTest{name, panelTest{"wallboard.json", panel, series, at, want}})
	}
	add("LevelOnTarget", level, good, "1h", map[string]float64{`{verdict="on target"}`: 0.9})
	add("LevelOffTarget", level, together(good, bad), "1h", map[string]float64{`{verdict="off target"}`: 0.611})
	add("LevelOfFewChats", level, few, "1h", map[string]float64{`{verdict="too few chats"}`: -1})
	add("SpeedOnTarget", speed, good, "1h", map[string]float64{`{verdict="on target"}`: 48})
	add("SpeedOfFewChats", speed, few, "1h", map[string]float64{`{verdict="too few chats"}`: -1})
	add("UnansweredOffTarget", unanswered, good, "1h", map[string]float64{`{verdict="off target"}`: 0.167})
	add("UnansweredOfFewChats", unanswered, few, "1h", map[string]float64{`{verdict="too few chats"}`: -1})
	add("HandleTime", "Average handle time, last $window", good, "1h", map[string]float64{`{verdict="on average"}`: 525})
	add("Chats", "Chats today", good, "1h", map[string]float64{`{verdict="today"}`: 1200})
	add("HandedOver", "Handed over today", good, "1h", map[string]float64{`{verdict="today"}`: 720})
	add("NoChatsYet", "Chats today", map[string]string{completeUntil("demo"): "0+60x60"}, "1h",
		map[string]float64{`{verdict="none yet"}`: -1})
	add("FiguresOutOfDate", level, together(good, map[string]string{completeUntil("demo"): "0x60"}), "1h",
		map[string]float64{`{verdict="old data"}`: -2})

	add("Operations", byOperation, together(good, newChats("other", "1101", "1", "1", "1", "0.2")), "1h",
		map[string]float64{`{operation="demo",verdict="on target"}`: 0.9, `{operation="other",verdict="off target"}`: 0.2})
	add("OperationsOneOfThemGone", byOperation, together(good, map[string]string{
		`wolkvox_up{operation="other"}`: "1x20 _x40", completeUntil("other"): "0+60x20 _x40",
	}), "1h", map[string]float64{`{operation="demo",verdict="on target"}`: 0.9, `{operation="other",verdict="old data"}`: -2})
	add("OperationsOfFewChats", byOperation, few, "1h", map[string]float64{`{operation="demo",verdict="too few chats"}`: -1})

	add("WorstByNameOrNumber", worst, together(good, bad), "1h", map[string]float64{
		`{operation="demo",rp_id="1101",name="1101",verdict="off target"}`:                0.75,
		`{operation="demo",rp_id="1102",rp_name="Help",name="Help",verdict="off target"}`: 0.2,
	})
	add("WorstOfFewChats", worst, few, "1h", map[string]float64{`{verdict="too few chats"}`: -1})

	add("Age", age, good, "1h", map[string]float64{`{}`: 0})
	add("AgeOfNothing", age, map[string]string{"up": "1x60"}, "1h", map[string]float64{`{}`: -2})
	add("AgeOfOldest", age, together(good, map[string]string{completeUntil("other"): "0x60"}), "1h", map[string]float64{`{}`: 3600})

	add("Alerts", alerts, together(good, burn, rules), "1h", map[string]float64{
		`{alertname="WolkvoxServiceLevelBurn",alert="Service Level Burn",operation="demo",rp_id="1102",rp_name="Help",name="Help"}`: 2,
		`{alertname="WolkvoxExporterAbsent",alert="Exporter Absent"}`:                                                               2,
		`{alertname="WolkvoxDown",alert="Down",operation="demo"}`:                                                                   1,
	})
	add("NoAlerts", alerts, together(good, rules), "1h", map[string]float64{`{alert="No active alerts"}`: 0})
	add("NoRules", alerts, good, "1h", map[string]float64{`{alert="Alert rules are not loaded"}`: 1})

	// The exporter was scraped for an hour, and then not for ten minutes.
	for _, panel := range []string{level, speed, unanswered, "Average handle time, last $window", "Chats today", "Handed over today", worst} {
		add("ExporterGone "+panel, panel, good, "70m", map[string]float64{`{verdict="old data"}`: -2})
	}
	add("ExporterGoneByOperation", byOperation, good, "70m", map[string]float64{`{operation="demo",verdict="old data"}`: -2})
	add("ExporterGoneAge", age, good, "70m", map[string]float64{`{}`: 600})
	add("ExporterGoneAlerts", alerts, together(good, burn, rules), "70m", map[string]float64{
		`{alertname="WolkvoxServiceLevelBurn",alert="Service Level Burn",operation="demo",rp_id="1102",rp_name="Help",name="Help"}`: 2,
		`{alertname="WolkvoxExporterAbsent",alert="Exporter Absent"}`:                                                               2,
		`{alertname="WolkvoxDown",alert="Down",operation="demo"}`:                                                                   1,
	})

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			testPanel(t, promtool, tt.panelTest)
		})
	}
}
