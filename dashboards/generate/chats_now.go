package main

// now is how we are doing: the last window of the present.
func now() []panel {
	return []panel{
		{
			title: "Service level, last $window", kind: stats, w: 12, h: 6, unit: percent, decimals: 1, noValue: tooFew,
			description: "Share of the chats of the last $window that an agent answered within $answer_within s. The target is $target %. " + whichChats,
			queries:     []query{{expr: judged(serviceLevel(overWindow, ""), ">= $target / 100", "< $target / 100"), legend: "{{verdict}}"}},
			colours:     verdictColours(),
		},
		{
			title: "Average speed of answer (ASA), last $window", kind: stats, w: 12, h: 6, unit: clock, noValue: tooFew,
			description: "Average time that customers waited for an agent, over the answered chats of the last $window. The target is at most $asa_target s.",
			queries:     []query{{expr: judged(chosen.average(speedOfAnswer, ""), "<= $asa_target", "> $asa_target"), legend: "{{verdict}}"}},
			colours:     verdictColours(),
		},
		{
			title: "Chats, last $window", kind: stat, w: 4, h: 4, unit: count, decimals: 0, noValue: noData,
			description: "Chats that ended in the last $window, including bot-only chats.",
			queries:     []query{{expr: chosen.grown(interactions, overWindow, ""), legend: "chats"}},
		},
		{
			title: "Handoff rate, last $window", kind: stat, w: 4, h: 4, unit: percent, decimals: 0, noValue: tooFew,
			description: "Share of the chats of the last $window that the bot handed over to an agent. " +
				"If practically all chats of a day were handed over, the report leaves out bot-only chats and there is no handoff rate.",
			queries:  []query{{expr: handoffRateOrNone(), legend: "handoff rate"}},
			mappings: texts(tooFew, neutral, mapped{"-1", noBotOnly, neutral}),
		},
		{
			title: "Unanswered, last $window", kind: stats, w: 4, h: 4, unit: percent, decimals: 1, noValue: tooFew,
			description: "Share of the handed-over chats of the last $window that ended without an agent's answer. The target is at most $unanswered_target %. " +
				"The report can show an answer some minutes late, so the share may still fall.",
			queries: []query{{expr: judged(unansweredRate(overWindow, ""), "<= $unanswered_target / 100", "> $unanswered_target / 100"), legend: "{{verdict}}"}},
			colours: verdictColours(),
		},
		{
			title: "AHT, last $window", kind: stat, w: 4, h: 4, unit: clock, noValue: tooFew,
			description: "AHT: the average time that an agent handled a chat, over the chats that ended in the last $window.",
			queries:     []query{{expr: chosen.average(handleTime, ""), legend: "handle time"}},
		},
		{
			title: "Active alerts", kind: stat, w: 4, h: 4, unit: count, decimals: 0, noValue: noRules,
			description: "Alerts of these operations that fire now. The row Active alerts lists them. It needs the alerting rules.",
			// One of the rules is the target.
			queries:    []query{{expr: "count(" + firing + ") or vector(0) and on () group(wolkvox:service_level:target)", legend: "alerts"}},
			thresholds: faults(red),
			mappings:   texts(noRules, neutral, mapped{"0", nothing, neutral}),
		},
		dataAge(4, 4),
	}
}

// whichChats explains the two formulas of the service level.
const whichChats = "The choice at the top says whether it is a share of the answered chats or of the handed-over ones, so that unanswered chats are missed."

func dataAge(w, h int) panel {
	return panel{
		title: "Data age", kind: stat, w: w, h: h, unit: clock, noValue: noData,
		description: "Time since all chats were counted, for the operation with the oldest data. It rises while the exporter is down. 5 to 10 minutes are normal.",
		queries:     []query{{expr: "max(" + completeLag + ")", legend: "age"}},
		thresholds:  ageThresholds(),
	}
}

// alerts lists the active alerts.
func alerts() panel {
	return panel{
		title: "Active alerts", kind: table, w: 24, h: 8, noValue: nothing,
		description: "Alerts that fire now. Click one to read what to do. It needs the alerting rules.",
		queries:     []query{{expr: "group by (alertname, severity, operation, rp_id) (" + firing + ")"}},
		columns: []column{
			{from: "alertname", title: "Alert", link: "https://github.com/wolkvox-exporter/wolkvox_exporter/blob/main/docs/runbooks/${__value.raw}.md"},
			{from: "severity", title: "Severity"},
			{from: "operation", title: "Operation"},
			{from: "rp_id", title: "Routing point"},
		},
	}
}
