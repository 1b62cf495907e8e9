package main

const chatsUID = "wolkvox-chats"

const (
	chosen filter = `operation=~"$operation", rp_id=~"$rp_id", channel=~"$channel"`

	interactions  = "wolkvox_chat_interactions_total"
	handoffs      = "wolkvox_chat_handoffs_total"
	lastSender    = "wolkvox_chat_last_sender_total"
	speedOfAnswer = "wolkvox_chat_speed_of_answer_seconds"
	handleTime    = "wolkvox_chat_handle_time_seconds"
	botTime       = "wolkvox_chat_bot_time_seconds"
	duration      = "wolkvox_chat_duration_seconds"
	messages      = "wolkvox_chat_messages"
	characters    = "wolkvox_chat_characters"

	perRoutingPoint = "operation, rp_id"
	routingPoint    = "{{operation}} {{rp_id}} {{rp_name}}"

	noChats   = "no chats"
	noBotOnly = "no bot-only chats in the report"
)

// always100 ends the descriptions of panels with a handoff rate.
const always100 = " If a line is always at 100 %, the report leaves out bot-only chats."

// Prometheus 3, and 2 from OpenMetrics or protobuf, have le="60.0" for le="60".
const inTime = `le=~"${answer_within}(\\.0)?"`

func handoffRate(by string) string {
	// A chat can be handed over in the report some minutes after it was counted.
	return "clamp_max(" + ratio(chosen.grown(handoffs, overWindow, by), chosen.grown(interactions, overWindow, by)) + ", 1)"
}

// handoffRateOrNone is -1 if the report leaves bot-only chats out: practically all chats of
// a day were handed over, as for the alert WolkvoxHandoffRateHigh.
func handoffRateOrNone() string {
	const day = "1d"
	all := operations.grown(interactions, day, "")
	return "(" + ratio(operations.grown(handoffs, day, ""), all) + " > 0.99 and " + all + " >= 20) * 0 - 1 or " + handoffRate("")
}

// serviceLevel covers the operations whose histogram has the bound: bounds may differ.
func serviceLevel(by string) string {
	answered := "increase(" + chosen.series(speedOfAnswer+"_count") + "[" + overWindow + "])"
	bounded := "increase(" + chosen.and(inTime).series(speedOfAnswer+"_bucket") + "[" + overWindow + "])"
	return ratio(sum(by, bounded), sum(by, answered+" and ignoring (le) "+bounded))
}

func unanswered(over, by string) string {
	// The report can show the speed of answer some minutes after the chat, too.
	return "clamp_min(" + chosen.grown(handoffs, over, by) + " - " + chosen.grown(speedOfAnswer+"_count", over, by) + ", 0)"
}

func botOnly(over string) string {
	return "clamp_min(" + chosen.grown(interactions, over, "") + " - " + chosen.grown(handoffs, over, "") + ", 0)"
}

// withName adds a routing point's name.
func withName(figure string) string {
	return chosen.named(figure, perRoutingPoint, "rp_name", "wolkvox_routing_point_info", interactions)
}

// ofBusiest returns a figure by routing point.
func ofBusiest(figure string) string {
	return chosen.busiest(withName(figure), perRoutingPoint, interactions)
}

func chats() dashboard {
	return dashboard{
		uid:         chatsUID,
		title:       "wolkvox / Chats",
		description: "Chat volume, handoffs to agents, speed of answer and service level, by routing point and channel.",
		from:        "now-24h",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
			choice("rp_id", "Routing point", interactions+`{operation=~"$operation"}`),
			choice("channel", "Channel", interactions+`{operation=~"$operation", rp_id=~"$rp_id"}`),
			window(),
			bound("answer_within", "Answer within (s)", "A chat answered within this time meets the service level. The choices are the histogram's bounds. "+
				"Operations without the chosen bound are left out; all have 20, 30 and 60.",
				speedOfAnswer+`_bucket{operation=~"$operation"}`, "60"),
			setting("target", "Service level target (%)", "Share of the answered chats that should be answered in time.",
				"80", "50", "60", "70", "75", "80", "85", "90", "95", "99"),
			setting("asa_target", "ASA target (s)", "Longest acceptable average speed of answer.",
				"60", "10", "20", "30", "45", "60", "90", "120", "180", "300", "600"),
		},
		rows: []row{
			{panels: now()},
			{title: "Trends", panels: trends()},
			{title: "Routing points", panels: routingPoints()},
			{title: "Channels", panels: channels()},
			{title: "Details: messages, last sender, bot time, duration", collapsed: true, panels: details()},
		},
	}
}

// now is the end of the time range: how are we doing?
func now() []panel {
	return []panel{
		{
			title: "Chats, last $window", kind: stat, w: 6, h: 4, unit: "short", decimals: 0,
			description: "Chats that ended in the last $window, including bot-only chats.",
			queries:     []query{{expr: chosen.grown(interactions, overWindow, ""), legend: "chats"}},
		},
		{
			title: "Handoff rate, last $window", kind: stat, w: 6, h: 4, unit: "percentunit", decimals: 0, noValue: noChats,
			description: "Share of the chats of the last $window that the bot handed over to an agent. " +
				"If practically all chats of a day were handed over, the report leaves out bot-only chats and there is no handoff rate.",
			queries:  []query{{expr: handoffRateOrNone(), legend: "handoff rate"}},
			mappings: texts(map[string][2]string{"-1": {noBotOnly, "text"}}),
		},
		{
			title: "Service level, last $window", kind: verdict, w: 6, h: 4, unit: "percentunit", decimals: 1, noValue: noChats,
			description: "Share of the answered chats of the last $window that an agent answered within $answer_within s. The target is $target %. Unanswered chats are not included: see Unanswered.",
			queries:     []query{{expr: judged(serviceLevel(""), ">= $target / 100", "< $target / 100"), legend: "{{verdict}}"}},
			colours:     verdictColours(),
		},
		{
			title: "Average speed of answer, last $window", kind: verdict, w: 6, h: 4, unit: "s", noValue: noChats,
			description: "ASA: the average time that customers waited for an agent, over the answered chats of the last $window. The target is at most $asa_target s.",
			queries:     []query{{expr: judged(chosen.average(speedOfAnswer, ""), "<= $asa_target", "> $asa_target"), legend: "{{verdict}}"}},
			colours:     verdictColours(),
		},
		{
			title: "90 % answered within, last $window", kind: stat, w: 6, h: 4, unit: "s", noValue: noChats,
			description: "90th percentile of the speed of answer over the answered chats of the last $window, interpolated between the histogram's bounds.",
			queries:     []query{{expr: chosen.quantile("0.9", speedOfAnswer, overWindow, ""), legend: "p90"}},
		},
		{
			title: "Unanswered, last $window", kind: stat, w: 6, h: 4, unit: "short", decimals: 0,
			description: "Chats of the last $window that were handed over and ended without an agent's answer. The report can show an answer some minutes late, so the number may still fall.",
			queries:     []query{{expr: unanswered(overWindow, ""), legend: "unanswered"}},
			thresholds:  []threshold{{nil, "text"}, {0.5, "orange"}},
		},
		{
			title: "Average handle time, last $window", kind: stat, w: 6, h: 4, unit: "s", noValue: noChats,
			description: "AHT: the average time that an agent handled a chat, over the chats that ended in the last $window.",
			queries:     []query{{expr: chosen.average(handleTime, ""), legend: "handle time"}},
		},
		{
			title: "Data age", kind: stat, w: 6, h: 4, unit: "s", decimals: 0,
			description: "Time since all chats were counted, for the operation with the oldest data. 5 to 10 minutes are normal. If it is more, see the dashboard Exporter.",
			queries:     []query{{expr: "max(" + completeLag + ")", legend: "age"}},
			thresholds:  lagThresholds(),
		},
	}
}

func trends() []panel {
	return []panel{
		{
			title: "Chats, every $window", kind: bars, w: 12, h: 8, unit: "short", decimals: 0,
			description: "Chats by the time they ended.",
			queries: []query{
				{expr: botOnly(overInterval), legend: "bot only", step: everyWindow},
				{expr: chosen.grown(handoffs, overInterval, ""), legend: "handed over", step: everyWindow},
			},
		},
		{
			title: "Handoff rate, over $window", kind: lines, w: 12, h: 8, unit: "percentunit", max: 1,
			description: "Share of the chats that the bot handed over to an agent." + always100,
			queries:     []query{{expr: handoffRate(""), legend: "handoff rate", step: everyPoll}},
		},
		{
			title: "Service level, over $window", kind: lines, w: 12, h: 8, unit: "percentunit", max: 1,
			description: "Share of the answered chats that were answered within $answer_within s, and the target.",
			queries: []query{
				{expr: serviceLevel(""), legend: "within $answer_within s", step: everyPoll},
				{expr: "vector($target / 100)", legend: targetLine, step: everyPoll},
			},
		},
		{
			title: "Speed of answer, over $window", kind: lines, w: 12, h: 8, unit: "s",
			description: "Time that customers waited for an agent: average (ASA), target, median and 90th percentile.",
			queries: []query{
				{expr: chosen.average(speedOfAnswer, ""), legend: "average", step: everyPoll},
				{expr: chosen.quantile("0.5", speedOfAnswer, overWindow, ""), legend: "median", step: everyPoll},
				{expr: chosen.quantile("0.9", speedOfAnswer, overWindow, ""), legend: "90th percentile", step: everyPoll},
				{expr: "vector($asa_target)", legend: targetLine, step: everyPoll},
			},
		},
		{
			title: "Distribution of the speed of answer, every $window", kind: heatmap, w: 12, h: 9, unit: "s",
			description: "Answered chats by speed of answer: the stronger the colour, the more chats. A row is the range between two bounds of the histogram.",
			queries:     []query{{expr: chosen.grown(speedOfAnswer+"_bucket", overInterval, "le"), legend: "{{le}}", step: everyWindow}},
		},
		{
			title: "Unanswered, every $window", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "Chats that were handed over and ended without an agent's answer. The newest bar can be too high until the report shows the last answers.",
			queries:     []query{{expr: unanswered(overInterval, ""), legend: "unanswered", step: everyWindow}},
			colours:     map[string]string{"unanswered": "orange"},
		},
		{
			title: "Handle time, over $window", kind: lines, w: 12, h: 8, unit: "s",
			description: "Time that an agent handled a chat: average (AHT), median and 90th percentile.",
			queries: []query{
				{expr: chosen.average(handleTime, ""), legend: "average", step: everyPoll},
				{expr: chosen.quantile("0.5", handleTime, overWindow, ""), legend: "median", step: everyPoll},
				{expr: chosen.quantile("0.9", handleTime, overWindow, ""), legend: "90th percentile", step: everyPoll},
			},
		},
		{
			title: "Concurrent chats with agents, over $window", kind: lines, w: 12, h: 8, unit: "short",
			description: "Average number of chats that agents handled at the same time. A chat adds all of its handle time when it ends.",
			queries:     []query{{expr: chosen.rate(handleTime+"_sum", overWindow, ""), legend: "chats at a time", step: everyPoll}},
		},
	}
}

func routingPoints() []panel {
	return []panel{
		{
			title: "Routing points, last $window", kind: table, w: 24, h: 10,
			description: "Chats of each routing point in the last $window, busiest first. Service level is the share answered within $answer_within s. Names appear if the API provides them. Click an id to show only that routing point.",
			queries: []query{
				{expr: withName(chosen.grown(interactions, overWindow, perRoutingPoint))},
				{expr: handoffRate(perRoutingPoint)},
				{expr: serviceLevel(perRoutingPoint)},
				{expr: chosen.average(speedOfAnswer, perRoutingPoint)},
				{expr: unanswered(overWindow, perRoutingPoint)},
				{expr: chosen.average(handleTime, perRoutingPoint)},
			},
			columns: []column{
				{from: "operation", title: "Operation"},
				{from: "rp_id", title: "Routing point", link: linkTo(chatsUID, "rp_id", "channel", "answer_within", "target", "asa_target")},
				{from: "rp_name", title: "Name"},
				{from: value(0), title: "Chats", unit: "short", decimals: 0},
				{from: value(1), title: "Handoff rate", unit: "percentunit", decimals: 0},
				{from: value(2), title: "Service level", unit: "percentunit", decimals: 1},
				{from: value(3), title: "Average speed of answer", unit: "s"},
				{from: value(4), title: "Unanswered", unit: "short", decimals: 0},
				{from: value(5), title: "Average handle time", unit: "s"},
			},
		},
		{
			title: "Chats of the ten busiest routing points, every $window", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "The ten routing points with the most chats in the time range shown.",
			queries:     []query{{expr: ofBusiest(chosen.grown(interactions, overInterval, perRoutingPoint)), legend: routingPoint, step: everyWindow}},
		},
		{
			title: "Handoff rate of the ten busiest routing points, over $window", kind: lines, w: 12, h: 9, unit: "percentunit", max: 1,
			description: "Share of a routing point's chats that the bot handed over to an agent." + always100,
			queries:     []query{{expr: ofBusiest(handoffRate(perRoutingPoint)), legend: routingPoint, step: everyPoll}},
		},
		{
			title: "Service level of the ten busiest routing points, over $window", kind: lines, w: 12, h: 9, unit: "percentunit", max: 1,
			description: "Share of a routing point's answered chats that were answered within $answer_within s, and the target.",
			queries: []query{
				{expr: ofBusiest(serviceLevel(perRoutingPoint)), legend: routingPoint, step: everyPoll},
				{expr: "vector($target / 100)", legend: targetLine, step: everyPoll},
			},
		},
		{
			title: "Average speed of answer of the ten busiest routing points, over $window", kind: lines, w: 12, h: 9, unit: "s",
			description: "Average time that customers of a routing point waited for an agent, and the target.",
			queries: []query{
				{expr: ofBusiest(chosen.average(speedOfAnswer, perRoutingPoint)), legend: routingPoint, step: everyPoll},
				{expr: "vector($asa_target)", legend: targetLine, step: everyPoll},
			},
		},
	}
}

func channels() []panel {
	return []panel{
		{
			title: "Chats by channel, every $window", kind: bars, w: 12, h: 8, unit: "short", decimals: 0,
			description: "Chats by channel and by the time they ended.",
			queries:     []query{{expr: chosen.grown(interactions, overInterval, "channel"), legend: "{{channel}}", step: everyWindow}},
		},
		{
			title: "Handoff rate by channel, over $window", kind: lines, w: 12, h: 8, unit: "percentunit", max: 1,
			description: "Share of a channel's chats that the bot handed over to an agent." + always100,
			queries:     []query{{expr: handoffRate("channel"), legend: "{{channel}}", step: everyPoll}},
		},
		{
			title: "Service level by channel, over $window", kind: lines, w: 12, h: 8, unit: "percentunit", max: 1,
			description: "Share of a channel's answered chats that were answered within $answer_within s, and the target.",
			queries: []query{
				{expr: serviceLevel("channel"), legend: "{{channel}}", step: everyPoll},
				{expr: "vector($target / 100)", legend: targetLine, step: everyPoll},
			},
		},
		{
			title: "Average speed of answer by channel, over $window", kind: lines, w: 12, h: 8, unit: "s",
			description: "Average time that customers of a channel waited for an agent, and the target.",
			queries: []query{
				{expr: chosen.average(speedOfAnswer, "channel"), legend: "{{channel}}", step: everyPoll},
				{expr: "vector($asa_target)", legend: targetLine, step: everyPoll},
			},
		},
	}
}

func details() []panel {
	return []panel{
		{
			title: "Messages per chat, over $window", kind: lines, w: 12, h: 8, unit: "short",
			description: "Messages sent in a chat: average and 90th percentile.",
			queries: []query{
				{expr: chosen.average(messages, ""), legend: "average", step: everyPoll},
				{expr: chosen.quantile("0.9", messages, overWindow, ""), legend: "90th percentile", step: everyPoll},
			},
		},
		{
			title: "Characters per chat, over $window", kind: lines, w: 12, h: 8, unit: "short",
			description: "Characters typed by the customer in a chat, and by the agent in a handed-over chat: average and 90th percentile.",
			queries: []query{
				{expr: chosen.average(characters, "sender"), legend: "{{sender}}, average", step: everyPoll},
				{expr: chosen.quantile("0.9", characters, overWindow, "sender"), legend: "{{sender}}, 90th percentile", step: everyPoll},
			},
		},
		{
			title: "Last sender, every $window", kind: shares(), w: 12, h: 8, unit: "short", decimals: 0,
			description: "Who wrote the last message, as shares of the chats. Many last messages by customers indicate abandoned chats.",
			queries:     []query{{expr: chosen.grown(lastSender, overInterval, "last_sender"), legend: "{{last_sender}}", step: everyWindow}},
		},
		{
			title: "Bot time, over $window", kind: lines, w: 12, h: 8, unit: "s",
			description: "Time that a chat spent with the bot: average, median and 90th percentile.",
			queries: []query{
				{expr: chosen.average(botTime, ""), legend: "average", step: everyPoll},
				{expr: chosen.quantile("0.5", botTime, overWindow, ""), legend: "median", step: everyPoll},
				{expr: chosen.quantile("0.9", botTime, overWindow, ""), legend: "90th percentile", step: everyPoll},
			},
		},
		{
			title: "Duration, over $window", kind: lines, w: 12, h: 8, unit: "s",
			description: "Time from start to end of a chat, including waiting: average, median and 90th percentile.",
			queries: []query{
				{expr: chosen.average(duration, ""), legend: "average", step: everyPoll},
				{expr: chosen.quantile("0.5", duration, overWindow, ""), legend: "median", step: everyPoll},
				{expr: chosen.quantile("0.9", duration, overWindow, ""), legend: "90th percentile", step: everyPoll},
			},
		},
		{
			title: "Distribution of the handle time, every $window", kind: heatmap, w: 12, h: 8, unit: "s",
			description: "Chats by handle time: the stronger the colour, the more chats. A row is the range between two bounds of the histogram.",
			queries:     []query{{expr: chosen.grown(handleTime+"_bucket", overInterval, "le"), legend: "{{le}}", step: everyWindow}},
		},
	}
}
