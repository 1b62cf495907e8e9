package main

const (
	perRoutingPoint = "operation, rp_id"
	named           = "{{name}} ({{operation}})"
	busiestShown    = 5
	rowsOfTimeline  = 15
)

var routingPointInfo = infoMetric{"wolkvox_routing_point_info", "rp_name"}

// withName adds a routing point's name.
func withName(figure, over string) string {
	return chosenPoints.named(figure, "rp_id", routingPointInfo, interactions, over)
}

// routingPoints is which routing points do well and which do not.
func routingPoints() []panel {
	rows := "group by (operation, rp_id) (last_over_time(" + chosen.series(interactions) + "[1d]))"
	queries := figures(perRoutingPoint, rows,
		serviceLevel(overWindow, perRoutingPoint),
		verdictBy(serviceLevel(overWindow, perRoutingPoint), ">= bool $target / 100"),
		chosen.average(speedOfAnswer, perRoutingPoint),
		chosen.grown(interactions, overWindow, perRoutingPoint),
		handoffRate(overWindow, perRoutingPoint),
		unanswered(overWindow, perRoutingPoint),
		unansweredRate(overWindow, perRoutingPoint),
		chosen.average(handleTime, perRoutingPoint),
	)
	queries[0].expr = withName("("+queries[0].expr+")", overDay)
	return []panel{
		{
			title: "Routing points, last $window", kind: table, w: 24, h: 16, sortBy: "Chats", noValue: noData,
			description: "Each routing point that was seen in the last day, by its chats of the last $window. SL is the share answered within $answer_within s. Rates and averages are shown from $min_chats chats on. Click a name to show only that routing point.",
			queries:     queries,
			columns: []column{
				{from: "name", title: "Routing point", link: linkTo(chatsUID, map[string]string{"operation": "Operation", "rp_id": "Id"},
					"channel", "window", "bars", "target", "answer_within", "unanswered", "asa_target", "unanswered_target", "min_chats")},
				shared(0, "SL"), judgedIn(1, "Target"), timed(2, "ASA"), counted(3, "Chats"), shared(4, "Handed over"),
				counted(5, "Unanswered"), shared(6, "Unanswered %"), timed(7, "AHT"),
				{from: "operation", title: "Operation", width: 110},
				{from: "rp_id", title: "Id", width: 80},
			},
		},
		{
			title: "Chats of the five busiest routing points, every $bars", kind: bars, w: 24, h: 9, unit: count, decimals: 0, noValue: noData,
			description: "The five routing points with the most chats in the time range shown, and all others together.",
			queries: append(ofBusiest(chosen.grown(interactions, overInterval, perRoutingPoint), everyBar), query{
				expr:   "sum(" + chosen.grown(interactions, overInterval, perRoutingPoint) + " unless on (" + perRoutingPoint + ") " + chosen.busiest(busiestShown, perRoutingPoint, interactions) + ") > 0",
				legend: "others", step: everyBar,
			}),
			byQuery: append(rankColours[:busiestShown:busiestShown], grey),
		},
		{
			title: "Service level of the busiest routing points, every $bars", kind: timeline, w: 24, h: 14, unit: count, noValue: tooFew,
			description: "The fifteen routing points with the most chats in the time range shown. On target: $target % of the chats were answered within $answer_within s. Empty: fewer than $min_chats chats.",
			queries: []query{{
				// 2 is on target, 1 up to 10 percentage points below it, 0 further below.
				expr: withName("(clamp(floor(("+serviceLevel(overInterval, perRoutingPoint)+" - $target / 100) * 10) + 2, 0, 2) and on ("+perRoutingPoint+") "+
					chosen.busiest(rowsOfTimeline, perRoutingPoint, interactions)+")", overRange),
				legend: named, step: everyBar,
			}},
			mappings: texts(tooFew, neutral, mapped{"2", onTarget, green}, mapped{"1", "up to 10 points below", orange}, mapped{"0", "further below", red}),
		},
		{
			title: "ASA of the five busiest routing points, every $bars", kind: lines, w: 24, h: 9, unit: clock, noValue: tooFew,
			description: "Average time that customers of a routing point waited for an agent, and the target.",
			queries: append(ofBusiest(chosen.averageOver(overInterval, speedOfAnswer, perRoutingPoint), everyBar),
				query{expr: "vector($asa_target)", legend: targetLine, step: everyBar}),
			byQuery: rankColours[:busiestShown],
		},
	}
}

// ofBusiest returns a query for each of the busiest routing points: the n-th has the n-th colour.
func ofBusiest(figure, step string) (queries []query) {
	for rank := 1; rank <= busiestShown; rank++ {
		one := "(" + figure + " and on (" + perRoutingPoint + ") " + chosen.ranked(rank, perRoutingPoint, interactions) + ")"
		queries = append(queries, query{expr: withName(one, overRange), legend: named, step: step})
	}
	return queries
}

// groups compares operations, and channels.
func groups() []panel {
	return []panel{
		{
			title: "Operations, in the time range shown", kind: table, w: 24, h: 8, sortBy: "Offered", noValue: noData,
			description: "Totals of the chats that ended in the time range shown, by operation and of all. Offered are all chats. SL is the share answered within $answer_within s.",
			queries: withTotal(
				func(by string) string { return serviceLevel(overRange, by) },
				func(by string) string { return chosen.averageOver(overRange, speedOfAnswer, by) },
				func(by string) string { return chosen.grown(interactions, overRange, by) },
				func(by string) string { return chosen.grown(handoffs, overRange, by) },
				func(by string) string { return chosen.grown(speedOfAnswer+"_count", overRange, by) },
				func(by string) string { return unanswered(overRange, by) },
				func(by string) string { return unansweredRate(overRange, by) },
				func(by string) string { return chosen.averageOver(overRange, handleTime, by) },
			),
			columns: []column{
				{from: "operation", title: "Operation"},
				shared(0, "SL"), timed(1, "ASA"), counted(2, "Offered"), counted(3, "Handed over"), counted(4, "Answered"),
				counted(5, "Unanswered"), shared(6, "Unanswered %"), timed(7, "AHT"),
			},
		},
		{
			title: "Chats by channel, every $bars", kind: bars, w: 12, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Chats by channel and by the time they ended.",
			queries:     []query{{expr: chosen.grown(interactions, overInterval, "channel"), legend: "{{channel}}", step: everyBar}},
			colours:     channelColours(),
		},
		{
			title: "Service level by channel, every $bars", kind: lines, w: 12, h: 8, unit: percent, max: 1, noValue: tooFew,
			description: "Share of a channel's chats that were answered within $answer_within s, and the target.",
			queries: []query{
				{expr: serviceLevel(overInterval, "channel"), legend: "{{channel}}", step: everyBar},
				{expr: "vector($target / 100)", legend: targetLine, step: everyBar},
			},
			colours: channelColours(),
		},
		{
			title: "Handoff rate by channel, every $bars", kind: lines, w: 12, h: 8, unit: percent, max: 1, noValue: tooFew,
			description: "Share of a channel's chats that the bot handed over to an agent." + always100,
			queries:     []query{{expr: handoffRate(overInterval, "channel"), legend: "{{channel}}", step: everyBar}},
			colours:     channelColours(),
		},
		{
			title: "ASA by channel, every $bars", kind: lines, w: 12, h: 8, unit: clock, noValue: tooFew,
			description: "Average time that customers of a channel waited for an agent, and the target.",
			queries: []query{
				{expr: chosen.averageOver(overInterval, speedOfAnswer, "channel"), legend: "{{channel}}", step: everyBar},
				{expr: "vector($asa_target)", legend: targetLine, step: everyBar},
			},
			colours: channelColours(),
		},
	}
}

// channelColours are those of the usual channels.
func channelColours() map[string]string {
	return map[string]string{"whatsapp": green, "web": blue, "facebook": skyBlue, "instagram": purple, "telegram": orange, "other": grey}
}

// withTotal returns queries of a table by operation with a row for all of them.
func withTotal(of ...func(by string) string) []query {
	const all = "all"
	rows := "group by (operation) (last_over_time(" + operations.series("wolkvox_up") + "[$__range])) * NaN or " + labelled("vector(NaN)", "operation", all)
	queries := make([]query, len(of))
	for i, figure := range of {
		queries[i] = query{expr: figure("operation") + " or " + labelled(figure(""), "operation", all) + " or " + rows}
	}
	return queries
}
