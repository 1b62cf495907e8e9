package main

// exceptions are figures that should be 0, and then say "none".
func exceptions() []panel {
	counted := func(title, description, metric, by, legend string) panel {
		return panel{
			title: title + ", every $bars", kind: bars, w: 8, h: 8, unit: count, decimals: 0, noValue: nothing, description: description,
			queries: []query{{expr: operations.grown(metric, overInterval, by) + " > 0", legend: legend, step: everyBar}},
		}
	}
	skipped := counted("Skipped time", "Time beyond --poll.max-catch-up after a stop. Its chats are never fetched.",
		"wolkvox_exporter_skipped_seconds_total", "operation", operation)
	skipped.unit, skipped.decimals = clock, nil
	return []panel{
		{
			title: "Truncated windows, every $bars", kind: bars, w: 8, h: 8, unit: count, decimals: 0, noValue: nothing,
			description: "Windows that the API cut and that were split, which only costs requests, and windows that could not be split, whose chats are missing.",
			queries: []query{
				{expr: operations.grown("wolkvox_exporter_truncated_windows_total", overInterval, "") + " > 0", legend: "split", step: everyBar},
				{expr: operations.grown("wolkvox_exporter_truncated_seconds_total", overInterval, "") + " > 0", legend: "not split", step: everyBar},
			},
			colours: map[string]string{"split": blue, "not split": red},
		},
		skipped,
		counted("Unreadable seconds", "Seconds that were skipped because the API cannot show them, usually because of a customer's name. Their chats are counted when the seconds can be read.",
			"wolkvox_exporter_unreadable_seconds_total", "operation", operation),
		counted("Late chats", "Chats that only a reconcile found, because they appeared later than --poll.overlap allows.",
			"wolkvox_exporter_late_records_total", "operation", operation),
		counted("Unreadable values", "Values that could not be read, by field. The chat is counted, the value is not.",
			"wolkvox_exporter_field_errors_total", "field", "{{field}}"),
		counted("Responses with extra text", "Responses with text before or after the JSON, such as a PHP warning. They are read anyway.",
			"wolkvox_api_extra_text_total", "api", "{{api}}"),
		counted("Chats under other", "Chats of label sets beyond --collector.max-label-sets.",
			"wolkvox_exporter_label_sets_overflowed_total", "operation", operation),
		{
			title: "Changed chats, every $bars", kind: lines, w: 8, h: 8, unit: percent, noValue: nothing,
			description: "Share of the chats that came back with other values after they were counted. The metrics keep the first values.",
			queries: []query{{expr: ratio(operations.and(`outcome="changed"`).grown(rowsByOutcome, overInterval, "operation"),
				operations.and(`outcome=~"counted|completed|changed"`).grown(rowsByOutcome, overInterval, "operation")) + " > 0", legend: operation, step: everyBar}},
		},
		counted("Failed saves", "Attempts to save the state that failed. While saving fails, the metrics do not change.",
			"wolkvox_exporter_state_save_failures_total", "operation", operation),
		{
			title: "Missing report fields", kind: table, w: 24, h: 7, noValue: nothing,
			description: "Documented keys that the report lacks now. While a key is missing, the metrics based on it do not change.",
			queries:     []query{{expr: "max by (operation, field) (" + operations.series("wolkvox_report_field_missing") + ") == 1"}},
			columns:     []column{{from: "operation", title: "Operation"}, {from: "field", title: "Field"}},
		},
	}
}

// internals is how the program works inside.
func internals() []panel {
	const builds = "wolkvox_exporter_build_info or on (job, instance) topk by (job, instance) (1, last_over_time(wolkvox_exporter_build_info[1d]))"
	const build = "job, instance, version, revision, goversion"
	ofProcess := func(title, unit, description, metric string) panel {
		return panel{
			title: title, kind: lines, w: 8, h: 8, unit: unit, description: description, noValue: noData,
			queries: []query{{expr: metric + ours, legend: "{{instance}}"}},
		}
	}
	duration := func(title, description, family, by, legend string) panel {
		return panel{
			title: title, kind: lines, w: 8, h: 8, unit: "s", description: description, noValue: noData,
			queries: []query{
				{expr: operations.quantile("0.5", family, overRate, by), legend: legend + "median", step: everyPoll},
				{expr: operations.quantile("0.95", family, overRate, by), legend: legend + "95th percentile", step: everyPoll},
			},
		}
	}
	gauge := func(title, unit, description, metric string) panel {
		return panel{
			title: title, kind: lines, w: 8, h: 8, unit: unit, description: description, noValue: noData,
			queries: []query{{expr: maximum("operation", operations.series(metric)), legend: operation}},
		}
	}
	skew := gauge("Clock skew", "s", "How far the API's clock is ahead of the exporter's, to the second. If it is minutes, chats are counted late.", "wolkvox_api_clock_skew_seconds")
	skew.kind = signed()
	return []panel{
		{
			title: "Exporters", kind: table, w: 24, h: 6, sortBy: "Uptime", noValue: noData,
			description: "Processes that Prometheus scraped in the last day, with their build.",
			queries: figures(build, "group by ("+build+") ("+builds+")",
				"max by ("+build+") (up * on (job, instance) group_left (version, revision, goversion) ("+builds+"))",
				"max by ("+build+") ((time() - process_start_time_seconds) * on (job, instance) group_left (version, revision, goversion) ("+builds+"))",
			),
			columns: []column{
				{from: "instance", title: "Instance"},
				{from: "job", title: "Job"},
				{from: value(0), title: "Scraped", unit: count, width: 90, mappings: texts(noData, red, mapped{"0", "down", red}, mapped{"1", "up", green}), colours: true},
				{from: value(1), title: "Uptime", unit: clock, width: 110},
				{from: "version", title: "Version"},
				{from: "revision", title: "Revision"},
				{from: "goversion", title: "Go"},
			},
		},
		{
			title: "Rows by outcome, every $bars", kind: bars, w: 8, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Fetched rows without duplicates: counted, completed with later values, changed after they were counted, unfinished, expired, invalid, or seeded at the first start.",
			queries:     []query{{expr: operations.and(`outcome!="duplicate"`).grown(rowsByOutcome, overInterval, "outcome"), legend: "{{outcome}}", step: everyBar}},
			colours: map[string]string{
				"counted": blue, "completed": skyBlue, "changed": orange, "invalid": red, "seeded": purple, "unfinished": green, "expired": grey,
			},
		},
		{
			title: "Duplicates, every $bars", kind: bars, w: 8, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Rows of chats that were already counted. There are many, because each poll reads the overlap again and each reconcile hours or days.",
			queries:     []query{{expr: operations.and(`outcome="duplicate"`).grown(rowsByOutcome, overInterval, "outcome"), legend: "{{outcome}}", step: everyBar}},
			colours:     map[string]string{"duplicate": grey},
		},
		{
			title: "Requests by call, every $bars", kind: bars, w: 8, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Requests to the API by call: chats, names of routing points, quota.",
			queries:     []query{{expr: operations.grown("wolkvox_api_requests_total", overInterval, "api"), legend: "{{api}}", step: everyBar}},
			colours:     map[string]string{"chat_8": blue, "routing_points": orange, "token_info": skyBlue},
		},
		duration("Request time", "Duration of a request, including its response: median and 95th percentile. The limit is --wolkvox.timeout.",
			"wolkvox_api_request_duration_seconds", "api", "{{api}}, "),
		duration("Save duration", "Time to save the state: median and 95th percentile.", "wolkvox_exporter_state_save_duration_seconds", "", ""),
		skew,
		gauge("Label sets", count, "Pairs of routing point and channel.", "wolkvox_exporter_label_sets"),
		gauge("State on disk", "bytes", "Size of the state, by operation.", "wolkvox_exporter_state_bytes"),
		ofProcess("Memory", "bytes", "Resident memory of the process.", "process_resident_memory_bytes"),
		ofProcess("Scrape duration", "s", "Time that Prometheus took to scrape an exporter. A scrape never calls the API.", "scrape_duration_seconds"),
		ofProcess("Samples per scrape", count, "Samples in a scrape. They grow with the label sets.", "scrape_samples_scraped"),
	}
}
