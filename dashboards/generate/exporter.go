package main

const exporterUID = "wolkvox-exporter"

const (
	operations filter = `operation=~"$operation"`

	completeLag = `time() - max by (operation) (last_over_time(wolkvox_exporter_complete_until_timestamp_seconds{operation=~"$operation"}[1d]))`
	quotaShare  = `wolkvox_api_token_requests_used{operation=~"$operation"} / (wolkvox_api_token_requests_limit{operation=~"$operation"} > 0)`
	// A target that is gone has no current build info.
	ours = ` and on (job, instance) last_over_time(wolkvox_exporter_build_info[1d])`

	operation = "{{operation}}"

	rowsByOutcome = "wolkvox_exporter_records_total"
)

func exporter() dashboard {
	return dashboard{
		uid:         exporterUID,
		title:       "Exporter",
		description: "Whether the metrics are complete, and if not, why: polls, requests, quota, records, state.",
		from:        "now-24h",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
			barsEvery(),
		},
		rows: []row{
			{panels: health()},
			{title: "Polls and requests", panels: polls()},
			{title: "Active alerts", collapsed: true, panels: []panel{alerts()}},
			{title: "What should be empty", collapsed: true, panels: exceptions()},
			{title: "For developers: rows, state, process", collapsed: true, panels: internals()},
		},
	}
}

// age is the time since a timestamp of each operation. It rises while the exporter is down.
func age(timestamp string, f filter) string { return "time() - " + f.newest(timestamp, "operation") }

// health is whether the figures can be trusted now.
func health() []panel {
	seen := "group by (operation) (last_over_time(" + operations.series("wolkvox_up") + "[1d]))"
	by := func(metric string) string { return maximum("operation", operations.series(metric)) }
	lastSuccess := func(kind string) string {
		return age("wolkvox_exporter_last_success_timestamp_seconds", operations.and(`kind="`+kind+`"`))
	}
	return []panel{
		{
			title: "Operations down", kind: stat, w: 4, h: 5, unit: count, decimals: 0, noValue: noData,
			description: "Operations that were seen in the last day and are not up: their last poll failed, or the exporter is not scraped. The log has the cause.",
			queries:     []query{{expr: "count(" + upBy + " == 0) or 0 * count(" + upBy + ")", legend: "down"}},
			thresholds:  []threshold{{nil, neutral}, {0, green}, {0.5, red}},
		},
		dataAge(4, 5),
		{
			title: "Quota used today", kind: stat, w: 4, h: 5, unit: percent, decimals: 0, noValue: noData,
			description: "Today's requests by all tokens of an operation, as a share of what its licences allow, for the operation with the highest share. It is read once an hour and resets at the operation's midnight.",
			queries:     []query{{expr: "max(" + quotaShare + ")", legend: "used"}},
			thresholds:  []threshold{{nil, neutral}, {0.8, orange}, {0.95, red}},
		},
		{
			title: "Failed requests", kind: stat, w: 4, h: 5, unit: count, decimals: 0, noValue: noData,
			description: "Requests in the time range shown that did not succeed.",
			queries:     []query{{expr: operations.and(`result!~"ok|empty"`).grown("wolkvox_api_requests_total", overRange, ""), legend: "failed"}},
			thresholds:  faults(orange),
		},
		{
			title: "Late chats", kind: stat, w: 4, h: 5, unit: count, decimals: 0, noValue: noData,
			description: "Chats in the time range shown that only a reconcile found. If there are many, raise --poll.overlap.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_late_records_total", overRange, ""), legend: "late"}},
			thresholds:  faults(orange),
		},
		{
			title: "Truncated windows", kind: stat, w: 4, h: 5, unit: count, decimals: 0, noValue: noData,
			description: "Windows in the time range shown that the API cut and that could not be split further. Chats of each are missing.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_truncated_seconds_total", overRange, ""), legend: "cut"}},
			thresholds:  faults(red),
		},
		{
			title: "Operations", kind: table, w: 24, h: 9, sortBy: "Data age", noValue: noData,
			description: "Each operation that was seen in the last day, oldest data first. Label sets are pairs of routing point and channel. Newest chat is the age of the newest chat in the last poll: hours indicate a wrong time zone.",
			queries: figures("operation", seen,
				upBy, completeLag, lastSuccess("poll"), lastSuccess("reconcile"),
				age("wolkvox_exporter_newest_end_timestamp_seconds", operations),
				by("wolkvox_api_clock_skew_seconds"), maximum("operation", quotaShare),
				by("wolkvox_exporter_label_sets"), by("wolkvox_exporter_state_bytes"),
			),
			columns: []column{
				{from: "operation", title: "Operation"},
				{from: value(0), title: "Polls", unit: count, width: 90, mappings: upTexts(), colours: true},
				timed(1, "Data age"), timed(2, "Last poll"),
				{from: value(3), title: "Last reconcile", unit: clock, width: 120},
				{from: value(4), title: "Newest chat", unit: clock, width: 110},
				{from: value(5), title: "Clock ahead", unit: clock, width: 110},
				shared(6, "Quota"), counted(7, "Label sets"),
				{from: value(8), title: "State", unit: "bytes", width: 90},
			},
		},
	}
}

// upTexts are the words for the values of upBy.
func upTexts() []object {
	return texts(noData, red, mapped{"0", "down", red}, mapped{"1", "up", green})
}

// polls is what the exporter and the API do.
func polls() []panel {
	return []panel{
		{
			title: "Polls", kind: timeline, w: 12, h: 8, unit: count, noValue: noData,
			description: "Whether the last poll succeeded, by operation. Down is also an operation that is not scraped and was in the day before.",
			queries:     []query{{expr: upBy, legend: operation}},
			mappings:    upTexts(),
		},
		{
			title: "Data age of the operation with the oldest data", kind: lines, w: 12, h: 8, unit: clock, noValue: noData,
			description: "Time since all chats were counted. It rises up to --poll.interval and falls with each poll.",
			queries:     []query{{expr: "max(" + completeLag + ")", legend: "oldest data"}},
			colours:     map[string]string{"oldest data": blue},
			thresholds:  ageThresholds(),
		},
		{
			title: "Requests by result, every $bars", kind: bars, w: 12, h: 9, unit: count, decimals: 0, noValue: noData,
			description: "Requests to the API. Ok and empty are successes. Refused are token_rejected, quota_exceeded and the like. Timeout and network are connection problems.",
			queries:     results(),
			colours: map[string]string{
				"ok": blue, "empty": skyBlue, "timeout or network": orange, "refused": red, "other failure": purple,
			},
		},
		{
			title: "Quota", kind: lines, w: 12, h: 9, unit: count, decimals: 0, noValue: noData,
			description: "Today's requests by all tokens of an operation, including those of other programs, and the limit of its licences. It is read once an hour and resets at the operation's midnight.",
			queries: []query{
				{expr: maximum("operation", operations.series("wolkvox_api_token_requests_used")), legend: "{{operation}}, used"},
				{expr: maximum("operation", operations.series("wolkvox_api_token_requests_limit")), legend: "{{operation}}, limit"},
			},
		},
	}
}

// results returns the requests by groups of results, for a few fixed colours.
func results() (queries []query) {
	const refused, network = "unauthorized|token_rejected|token_busy|quota_exceeded|rate_limited", "timeout|network"
	for _, group := range []struct{ name, results string }{
		{"ok", `result="ok"`},
		{"empty", `result="empty"`},
		{"timeout or network", `result=~"` + network + `"`},
		{"refused", `result=~"` + refused + `"`},
		{"other failure", `result!~"ok|empty|` + network + `|` + refused + `"`},
	} {
		queries = append(queries, query{expr: operations.and(group.results).grown("wolkvox_api_requests_total", overInterval, "") + " > 0", legend: group.name, step: everyBar})
	}
	return queries
}
