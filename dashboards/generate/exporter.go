package main

const exporterUID = "wolkvox-exporter"

const (
	operations filter = `operation=~"$operation"`

	completeLag = `time() - wolkvox_exporter_complete_until_timestamp_seconds{operation=~"$operation"}`
	// A target that is gone has no current build info.
	ours = ` and on (job, instance) last_over_time(wolkvox_exporter_build_info[1d])`

	operation = "{{operation}}"

	rowsByOutcome = "wolkvox_exporter_records_total"
)

// lagThresholds fit the default interval of 5 minutes between polls.
func lagThresholds() []threshold {
	return []threshold{{nil, "green"}, {15 * 60, "orange"}, {30 * 60, "red"}}
}

// none has the thresholds of counts that should be 0.
func none() []threshold { return []threshold{{nil, "green"}, {0.5, "orange"}} }

func exporter() dashboard {
	return dashboard{
		uid:         exporterUID,
		title:       "wolkvox / Exporter",
		description: "Whether the metrics are complete, and if not, why: polls, requests, quota, records, state.",
		from:        "now-24h",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
		},
		rows: []row{
			{panels: health()},
			{title: "The API", panels: api()},
			{title: "Records", panels: records()},
			{title: "State and process", panels: process()},
		},
	}
}

func health() []panel {
	return []panel{
		{
			title: "Operations down", kind: stat, w: 4, h: 5, unit: "short", decimals: 0,
			description: "Operations whose last poll failed or that have not finished a poll yet. The log has the cause.",
			queries:     []query{{expr: "sum(1 - " + operations.series("wolkvox_up") + ")", legend: "down"}},
			thresholds:  []threshold{{nil, "green"}, {0.5, "red"}},
		},
		{
			title: "Data age", kind: stat, w: 4, h: 5, unit: "s", decimals: 0,
			description: "Time since all chats were counted, for the operation with the oldest data. 5 to 10 minutes are normal.",
			queries:     []query{{expr: "max(" + completeLag + ")", legend: "age"}},
			thresholds:  lagThresholds(),
		},
		{
			title: "Quota used today", kind: stat, w: 4, h: 5, unit: "percentunit", decimals: 0, noValue: "unknown",
			description: "Today's requests by all tokens of an operation, as a share of what its licences allow, for the operation with the highest share. It is read once an hour and resets at the operation's midnight.",
			queries:     []query{{expr: "max(" + quotaShare + ")", legend: "used"}},
			thresholds:  []threshold{{nil, "green"}, {0.8, "orange"}, {0.95, "red"}},
		},
		{
			title: "Failed requests", kind: stat, w: 4, h: 5, unit: "short", decimals: 0,
			description: "Requests in the time range shown that did not succeed.",
			queries:     []query{{expr: operations.and(`result!~"ok|empty"`).grown("wolkvox_api_requests_total", overRange, ""), legend: "failed"}},
			thresholds:  none(),
		},
		{
			title: "Late chats", kind: stat, w: 4, h: 5, unit: "short", decimals: 0,
			description: "Chats in the time range shown that only a reconcile found. If there are many, raise --poll.overlap.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_late_records_total", overRange, ""), legend: "late"}},
			thresholds:  none(),
		},
		{
			title: "Truncated windows", kind: stat, w: 4, h: 5, unit: "short", decimals: 0,
			description: "Windows in the time range shown that the API cut and that could not be split further. Chats of each are missing.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_truncated_seconds_total", overRange, ""), legend: "cut"}},
			thresholds:  []threshold{{nil, "green"}, {0.5, "red"}},
		},
		{
			title: "Operations", kind: table, w: 24, h: 8,
			description: "Current state of each operation, oldest data first. Label sets are pairs of routing point and channel. Newest end is the age of the newest chat in the last poll: hours indicate a wrong time zone.",
			queries: []query{
				{expr: "max by (operation) (" + completeLag + ")"},
				{expr: "min by (operation) (" + operations.series("wolkvox_up") + ")"},
				{expr: "max by (operation) (time() - " + operations.and(`kind="poll"`).series("wolkvox_exporter_last_success_timestamp_seconds") + ")"},
				{expr: "max by (operation) (time() - " + operations.and(`kind="reconcile"`).series("wolkvox_exporter_last_success_timestamp_seconds") + ")"},
				{expr: "max by (operation) (time() - " + operations.series("wolkvox_exporter_newest_end_timestamp_seconds") + ")"},
				{expr: "max by (operation) (" + operations.series("wolkvox_api_clock_skew_seconds") + ")"},
				{expr: "max by (operation) (" + quotaShare + ")"},
				{expr: "max by (operation) (" + operations.series("wolkvox_exporter_label_sets") + ")"},
				{expr: "max by (operation) (" + operations.series("wolkvox_exporter_state_bytes") + ")"},
			},
			columns: []column{
				{from: "operation", title: "Operation"},
				{from: value(0), title: "Data age", unit: "s"},
				{from: value(1), title: "Up", unit: "bool_yes_no"},
				{from: value(2), title: "Last poll", unit: "s"},
				{from: value(3), title: "Last reconcile", unit: "s"},
				{from: value(4), title: "Newest end", unit: "s"},
				{from: value(5), title: "Clock ahead", unit: "s"},
				{from: value(6), title: "Quota used", unit: "percentunit", decimals: 0},
				{from: value(7), title: "Label sets", unit: "short", decimals: 0},
				{from: value(8), title: "State", unit: "bytes"},
			},
		},
		{
			title: "Poll success", kind: timeline, w: 12, h: 8, unit: "short",
			description: "Whether the last poll succeeded, by operation.",
			queries:     []query{{expr: "min by (operation) (" + operations.series("wolkvox_up") + ")", legend: operation}},
			thresholds:  []threshold{{nil, "red"}, {1, "green"}},
			mappings:    texts(map[string][2]string{"0": {"down", "red"}, "1": {"up", "green"}}),
		},
		{
			title: "Data age", kind: lines, w: 12, h: 8, unit: "s",
			description: "Time since all chats were counted. It rises up to --poll.interval and falls with each poll.",
			queries:     []query{{expr: "max by (operation) (" + completeLag + ")", legend: operation}},
			thresholds:  lagThresholds(),
		},
	}
}

const quotaShare = `wolkvox_api_token_requests_used{operation=~"$operation"} / (wolkvox_api_token_requests_limit{operation=~"$operation"} > 0)`

func api() []panel {
	return []panel{
		{
			title: "Requests by result", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "Requests to the API. ok and empty are successes. token_rejected, quota_exceeded and the like are refusals by the API. timeout and network are connection problems.",
			queries:     []query{{expr: operations.grown("wolkvox_api_requests_total", overInterval, "result") + " > 0", legend: "{{result}}", step: "15m"}},
		},
		{
			title: "Requests by call", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "Requests to the API by call: chats, names of routing points, quota.",
			queries:     []query{{expr: operations.grown("wolkvox_api_requests_total", overInterval, "api"), legend: "{{api}}", step: "15m"}},
		},
		{
			title: "Request time", kind: lines, w: 12, h: 9, unit: "s",
			description: "Duration of a request, including its response: median and 95th percentile. The limit is --wolkvox.timeout.",
			queries: []query{
				{expr: operations.quantile("0.5", "wolkvox_api_request_duration_seconds", overRate, "api"), legend: "{{api}}, median", step: everyPoll},
				{expr: operations.quantile("0.95", "wolkvox_api_request_duration_seconds", overRate, "api"), legend: "{{api}}, 95th percentile", step: everyPoll},
			},
		},
		{
			title: "Quota", kind: lines, w: 12, h: 9, unit: "short", decimals: 0, noValue: "unknown",
			description: "Today's requests by all tokens of an operation, including those of other programs, and the limit of its licences. It is read once an hour and resets at the operation's midnight.",
			queries: []query{
				{expr: "max by (operation) (" + operations.series("wolkvox_api_token_requests_used") + ")", legend: "{{operation}}, used"},
				{expr: "max by (operation) (" + operations.series("wolkvox_api_token_requests_limit") + ")", legend: "{{operation}}, limit"},
			},
		},
		{
			title: "Clock skew", kind: signed(), w: 8, h: 8, unit: "s",
			description: "How far the API's clock is ahead of the exporter's, to the second. If it is minutes, chats are counted late.",
			queries:     []query{{expr: "max by (operation) (" + operations.series("wolkvox_api_clock_skew_seconds") + ")", legend: operation}},
		},
		{
			title: "Truncated windows", kind: bars, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Windows that the API cut and that were split, which only costs requests, and windows that could not be split, whose chats are missing.",
			queries: []query{
				{expr: operations.grown("wolkvox_exporter_truncated_windows_total", overInterval, ""), legend: "split", step: "15m"},
				{expr: operations.grown("wolkvox_exporter_truncated_seconds_total", overInterval, ""), legend: "not split", step: "15m"},
			},
			colours: map[string]string{"not split": "red"},
		},
		{
			title: "Skipped time", kind: bars, w: 8, h: 8, unit: "s",
			description: "Time beyond --poll.max-catch-up after a stop. Its chats are never fetched.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_skipped_seconds_total", overInterval, "operation"), legend: operation, step: "15m"}},
		},
	}
}

func records() []panel {
	return []panel{
		{
			title: "Rows by outcome", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "Fetched rows without duplicates: counted, completed with later values, changed after they were counted, unfinished, expired, invalid, or seeded at the first start.",
			queries:     []query{{expr: operations.and(`outcome!="duplicate"`).grown(rowsByOutcome, overInterval, "outcome"), legend: "{{outcome}}", step: "15m"}},
			colours:     map[string]string{"changed": "orange", "invalid": "red"},
		},
		{
			title: "Duplicates", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "Rows of chats that were already counted. There are many, because each poll reads the overlap again and each reconcile hours or days.",
			queries:     []query{{expr: operations.and(`outcome="duplicate"`).grown(rowsByOutcome, overInterval, "outcome"), legend: "{{outcome}}", step: "15m"}},
		},
		{
			title: "Late chats", kind: bars, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Chats that only a reconcile found, because they appeared later than --poll.overlap allows.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_late_records_total", overInterval, "operation"), legend: operation, step: "1h"}},
		},
		{
			title: "Unreadable values", kind: bars, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Values that could not be read, by field. The chat is counted, the value is not.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_field_errors_total", overInterval, "field"), legend: "{{field}}", step: "1h"}},
		},
		{
			title: "Label sets", kind: lines, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Pairs of routing point and channel. Beyond --collector.max-label-sets chats are counted under other; the second series shows their number per hour.",
			queries: []query{
				{expr: "max by (operation) (" + operations.series("wolkvox_exporter_label_sets") + ")", legend: operation},
				{expr: operations.grown("wolkvox_exporter_label_sets_overflowed_total", "1h", "operation"), legend: "{{operation}}, under other in 1h", step: everyPoll},
			},
		},
		{
			title: "Missing report fields", kind: timeline, w: 24, h: 10, unit: "short",
			description: "Documented keys of the report. While a key is missing, the metrics based on it do not change.",
			queries:     []query{{expr: "max by (operation, field) (" + operations.series("wolkvox_report_field_missing") + ")", legend: "{{operation}} {{field}}"}},
			thresholds:  []threshold{{nil, "green"}, {1, "red"}},
			mappings:    texts(map[string][2]string{"0": {"there", "green"}, "1": {"missing", "red"}}),
		},
		{
			title: "Changed chats", kind: lines, w: 8, h: 8, unit: "percentunit",
			description: "Share of the chats that came back with other values after they were counted. The metrics keep the first values.",
			queries:     []query{{expr: ratio(operations.and(`outcome="changed"`).grown(rowsByOutcome, overRate, "operation"), operations.and(`outcome=~"counted|completed|changed"`).grown(rowsByOutcome, overRate, "operation")), legend: operation, step: everyPoll}},
		},
		{
			title: "Unreadable seconds", kind: bars, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Seconds that were skipped because the API cannot show them, usually because of a customer's name. Their chats are counted when the seconds can be read.",
			queries:     []query{{expr: operations.grown("wolkvox_exporter_unreadable_seconds_total", overInterval, "operation"), legend: operation, step: "1h"}},
		},
		{
			title: "Responses with extra text", kind: bars, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Responses with text before or after the JSON, such as a PHP warning. They are read anyway.",
			queries:     []query{{expr: operations.grown("wolkvox_api_extra_text_total", overInterval, "api"), legend: "{{api}}", step: "1h"}},
		},
	}
}

func process() []panel {
	return []panel{
		{
			title: "State on disk", kind: lines, w: 8, h: 8, unit: "bytes",
			description: "Size of the state, by operation.",
			queries:     []query{{expr: "max by (operation) (" + operations.series("wolkvox_exporter_state_bytes") + ")", legend: operation}},
		},
		{
			title: "Save duration", kind: lines, w: 8, h: 8, unit: "s",
			description: "Time to save the state: median and 95th percentile.",
			queries: []query{
				{expr: operations.quantile("0.5", "wolkvox_exporter_state_save_duration_seconds", overRate, ""), legend: "median", step: everyPoll},
				{expr: operations.quantile("0.95", "wolkvox_exporter_state_save_duration_seconds", overRate, ""), legend: "95th percentile", step: everyPoll},
			},
		},
		{
			title: "Saves", kind: bars, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Attempts to save the state, and failed ones. While saving fails, the metrics do not change.",
			queries: []query{
				{expr: operations.grown("wolkvox_exporter_state_save_duration_seconds_count", overInterval, ""), legend: "attempts", step: "15m"},
				{expr: operations.grown("wolkvox_exporter_state_save_failures_total", overInterval, ""), legend: "failed", step: "15m"},
			},
			colours: map[string]string{"failed": "red"},
		},
		{
			title: "Exporters", kind: table, w: 24, h: 6,
			description: "Processes that Prometheus scrapes, with their build.",
			queries: []query{
				{expr: "max by (job, instance) (time() - process_start_time_seconds" + ours + ")"},
				{expr: "max by (job, instance) (up" + ours + ")"},
				{expr: "sum by (job, instance, version, revision, goversion) (wolkvox_exporter_build_info)"},
			},
			columns: []column{
				{from: "job", title: "Job"},
				{from: "instance", title: "Instance"},
				{from: "version", title: "Version"},
				{from: "revision", title: "Revision"},
				{from: "goversion", title: "Go"},
				{from: value(0), title: "Uptime", unit: "s"},
				{from: value(1), title: "Scraped", unit: "bool_yes_no"},
			},
		},
		{
			title: "Scrape duration", kind: lines, w: 8, h: 8, unit: "s",
			description: "Time that Prometheus took to scrape an exporter. A scrape never calls the API.",
			queries:     []query{{expr: "scrape_duration_seconds" + ours, legend: "{{instance}}"}},
		},
		{
			title: "Samples per scrape", kind: lines, w: 8, h: 8, unit: "short", decimals: 0,
			description: "Samples in a scrape. They grow with the label sets.",
			queries:     []query{{expr: "scrape_samples_scraped" + ours, legend: "{{instance}}"}},
		},
		{
			title: "Memory", kind: lines, w: 8, h: 8, unit: "bytes",
			description: "Resident memory of the process.",
			queries:     []query{{expr: "process_resident_memory_bytes" + ours, legend: "{{instance}}"}},
		},
	}
}
