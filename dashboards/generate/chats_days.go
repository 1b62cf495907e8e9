package main

import "fmt"

// days compares today with the days before.
func days() []panel {
	soFar := chosen.grown(interactions, overRange, "")
	against := func(ago string) string {
		return ratio(soFar, chosen.grown(interactions, overRange+" offset "+ago, "")) + " - 1"
	}
	return []panel{
		{
			title: "Chats today", kind: stats, w: 8, h: 8, unit: count, decimals: 0, noValue: noData, timeFrom: "now/d",
			description: "Chats that ended today so far, and how many more or fewer they are than yesterday and a week ago up to this time. If the dashboard shows absolute times, it is about those in the time range shown.",
			queries: []query{
				{expr: soFar, legend: "today"},
				{expr: against("1d"), legend: "against yesterday"},
				{expr: against("1w"), legend: "against a week ago"},
			},
			units: map[string]string{"against yesterday": percent, "against a week ago": percent},
		},
		{
			title: "Chats an hour, and those of the day and the week before", kind: lines, w: 16, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Chats of the hour before each point, of the same hour a day before and a week before.",
			queries: []query{
				{expr: chosen.grown(interactions, "1h", ""), legend: "now", step: "15m"},
				{expr: chosen.grown(interactions, "1h offset 1d", ""), legend: "a day before", step: "15m"},
				{expr: chosen.grown(interactions, "1h offset 1w", ""), legend: "a week before", step: "15m"},
			},
			colours: map[string]string{"now": blue, "a day before": orange, "a week before": grey},
		},
		{
			title: "Days", kind: daily(), w: 18, h: 12, timeFrom: "now-7d/d", sortBy: "Day", noValue: noData,
			description: "Each day of the last week, today so far, or of the time range if the dashboard shows absolute times. " +
				"Offered are all chats. SL is the share answered within $answer_within s.",
			queries: ofEachDay(
				serviceLevel(dayFromHere, ""), chosen.averageOver(dayFromHere, speedOfAnswer, ""),
				chosen.grown(interactions, dayFromHere, ""), chosen.grown(handoffs, dayFromHere, ""),
				chosen.grown(speedOfAnswer+"_count", dayFromHere, ""), unanswered(dayFromHere, ""),
				chosen.averageOver(dayFromHere, handleTime, ""),
			),
			columns: []column{
				{from: "Time", title: "Day", unit: date, width: 130},
				shared(0, "SL"), timed(1, "ASA"), counted(2, "Offered"), counted(3, "Handed over"), counted(4, "Answered"), counted(5, "Unanswered"), timed(6, "AHT"),
			},
		},
		{
			title: "Error budget left this month", kind: stats, w: 6, h: 12, unit: percent, decimals: 0, noValue: tooFew, timeFrom: "now/M",
			description: "Share that is left of the chats that may miss the service level of $target % within $answer_within s, by operation, from the first day of the month on. " +
				"Below 0 %, the month misses its target if it ends now. If the dashboard shows absolute times, it is about those in the time range shown.",
			queries:    []query{{expr: "1 - (1 - " + serviceLevel(overRange, "operation") + ") / (1 - $target / 100)", legend: operation}},
			thresholds: []threshold{{nil, neutral}, {-1000, red}, {0, orange}, {0.25, blue}},
		},
	}
}

// ofEachDay returns the queries of a table with a row for each day, also without a value.
func ofEachDay(exprs ...string) []query {
	queries := make([]query, len(exprs))
	for i, expr := range exprs {
		queries[i] = query{expr: expr + " or vector(NaN)", step: overDay}
	}
	return queries
}

// staffing shows when the chats come and how well they are answered.
func staffing() []panel {
	return []panel{
		{
			title: "Chats by day and hour, every 1h", kind: rowsOfDays(1e-9, object{}), w: 12, h: 9, unit: count, decimals: 0, timeFrom: "24h", noValue: noData,
			description: "Chats of each hour in the last 24 hours, and in the six days before at the same time of the day: the stronger the colour, the more chats.",
			queries:     hourByHour(func(over string) string { return chosen.grown(interactions, over, "") }),
		},
		{
			title: "Service level by day and hour, every 1h", kind: rowsOfDays(-1, object{"min": 0, "max": 1, "scale": "linear", "reverse": true}), w: 12, h: 9, unit: percent, decimals: 0, timeFrom: "24h", noValue: tooFew,
			description: "Service level of each hour in the last 24 hours, and in the six days before at the same time of the day: the stronger the colour, the lower the service level. Empty: fewer than $min_chats chats.",
			queries:     hourByHour(func(over string) string { return serviceLevel(over, "") }),
		},
	}
}

// hourByHour returns a query for each day of a week, from the oldest on: a heatmap's first row is its lowest.
func hourByHour(of func(over string) string) (queries []query) {
	for ago := 6; ago >= 0; ago-- {
		q := query{expr: of(fmt.Sprintf("1h offset %dd", ago)), legend: fmt.Sprintf("%d days before", ago), step: "1h"}
		switch ago {
		case 0:
			q.expr, q.legend = of("1h"), "last 24 hours"
		case 1:
			q.legend = "the day before"
		}
		queries = append(queries, q)
	}
	return queries
}
