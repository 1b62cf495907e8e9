package main

// The wallboard is read from five metres and fills one screen of 1920 x 1080 pixels in
// Grafana's kiosk mode, which has no header.
//
// Grafana's grid has 24 columns. A line is 30 pixels high, with 8 pixels between two lines and
// 16 above the first and below the last. n lines are 30n + 8(n-1) + 2*16 = 38n + 24 pixels, so
// that 27 lines (1050 pixels) fit and 28 (1088 pixels) do not. A panel of h lines is 38h - 8
// pixels high; its title takes 32 of them.
//
// A letter that is read from five metres is 2 centimetres high: about 26 pixels of font on a
// television of 55 inches. Grafana's titles of panels are smaller, so that the figures' names
// say what they are.
const (
	screenHeight = 1080
	lineHeight   = 30
	lineGap      = 8
	screenMargin = 16

	tileLines  = 5
	trendLines = 4
	listLines  = 9
)

const (
	wallboardUID = "wolkvox-wallboard"

	onWall filter = `operation=~"$operation"`

	// A share or an average of fewer chats says nothing. increase() extrapolates, so that 5
	// chats can be 4.9.
	enoughChats = " > 4.5"

	completeUntil = "wolkvox_exporter_complete_until_timestamp_seconds"

	// These values stand for figures that cannot be shown.
	missing, outdated = "-1", "-2"

	fewChats  = "too few chats"
	outOfDate = "old data"
	noAnswer  = "no data" // Prometheus has nothing at all

	perVerdict = "{{verdict}}"
	everyHour  = "1h"
)

func wallboard() dashboard {
	return dashboard{
		uid:         wallboardUID,
		title:       "Wallboard",
		description: "Service level, speed of answer, unanswered chats and volume of today, on one screen of 1920 x 1080 pixels. Add ?kiosk&theme=dark&_dash.hideTimePicker&_dash.hideVariables&_dash.hideLinks to the address.",
		from:        "now/d",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
			window(),
			setting("answer_within", "Answer within (s)", "A chat answered within this time meets the service level.", "60", "20", "30", "60"),
			setting("target", "Service level target (%)", "Share of the answered chats that should be answered in time.",
				"80", "50", "60", "70", "75", "80", "85", "90", "95", "99"),
			setting("asa_target", "ASA target (s)", "Longest acceptable average speed of answer.",
				"60", "10", "20", "30", "45", "60", "90", "120", "180", "300", "600"),
			setting("unanswered_target", "Unanswered target (%)", "Largest acceptable share of the handed-over chats that no agent answers.",
				"5", "1", "2", "3", "5", "10", "15", "20"),
		},
		rows: []row{
			{panels: ofToday(targetTiles())},
			{panels: ofToday(targetTrends())},
			{panels: ofToday(volumeTiles())},
			{panels: ofToday(volumeTrends())},
			{panels: ofToday(wallLists())},
		},
	}
}

// ofToday makes panels show today so far, whatever time range a link has brought.
func ofToday(panels []panel) []panel {
	for i := range panels {
		panels[i].timeFrom, panels[i].noValue = "now/d", noAnswer
	}
	return panels
}

func targetTiles() []panel {
	return []panel{
		{
			title: "Service level, last $window", kind: tile(), w: 8, h: tileLines, unit: "percentunit", decimals: 0,
			description: "Share of the answered chats of the last $window that an agent answered within $answer_within s. The target is $target %.",
			queries:     []query{{expr: currentOnly(wallJudged(wallServiceLevel(""), ">= $target / 100", "< $target / 100"), fewChats), legend: "Service level " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
		{
			title: "Average speed of answer, last $window", kind: tile(), w: 8, h: tileLines, unit: "dthms",
			description: "ASA: the average time that customers waited for an agent, over the answered chats of the last $window. The target is at most $asa_target s.",
			queries:     []query{{expr: currentOnly(wallJudged(wallAverage(speedOfAnswer), "<= $asa_target", "> $asa_target"), fewChats), legend: "ASA " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
		{
			title: "Unanswered, last $window", kind: tile(), w: 8, h: tileLines, unit: "percentunit", decimals: 0,
			description: "Share of the handed-over chats of the last $window that ended without an agent's answer. The target is at most $unanswered_target %. The report can show an answer some minutes late.",
			queries:     []query{{expr: currentOnly(wallJudged(wallUnanswered(), "<= $unanswered_target / 100", "> $unanswered_target / 100"), fewChats), legend: "Unanswered " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
	}
}

func targetTrends() []panel {
	return []panel{
		{
			title: "Service level, over $window", kind: trend(), w: 8, h: trendLines, unit: "percentunit", max: 1,
			description: "Service level and its target.",
			queries: []query{
				{expr: wallServiceLevel(""), legend: "service level", step: everyPoll},
				{expr: "vector($target / 100)", legend: targetLine, step: everyPoll},
			},
		},
		{
			title: "Average speed of answer, over $window", kind: trend(), w: 8, h: trendLines, unit: "dthms",
			description: "Average speed of answer and its target.",
			queries: []query{
				{expr: wallAverage(speedOfAnswer), legend: "ASA", step: everyPoll},
				{expr: "vector($asa_target)", legend: targetLine, step: everyPoll},
			},
		},
		{
			title: "Unanswered, over $window", kind: trend(), w: 8, h: trendLines, unit: "percentunit",
			description: "Share of the handed-over chats that ended without an agent's answer, and the target.",
			queries: []query{
				{expr: wallUnanswered(), legend: "unanswered", step: everyPoll},
				{expr: "vector($unanswered_target / 100)", legend: targetLine, step: everyPoll},
			},
		},
	}
}

func volumeTiles() []panel {
	return []panel{
		{
			title: "Chats today", kind: tile(), w: 8, h: tileLines, unit: "locale", decimals: 0,
			description: "Chats that ended in the time range shown, which is today, including bot-only chats.",
			queries:     []query{{expr: currentOnly(worded(onWall.grown(interactions, overRange, ""), "today"), "none yet"), legend: "Chats " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
		{
			title: "Handed over today", kind: tile(), w: 8, h: tileLines, unit: "locale", decimals: 0,
			description: "Chats that ended in the time range shown, which is today, and that the bot had handed over to an agent.",
			queries:     []query{{expr: currentOnly(worded(onWall.grown(handoffs, overRange, ""), "today"), "none yet"), legend: "Handed over " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
		{
			title: "Average handle time, last $window", kind: tile(), w: 8, h: tileLines, unit: "dthms",
			description: "AHT: the average time that an agent handled a chat, over the chats that ended in the last $window.",
			queries:     []query{{expr: currentOnly(worded(wallAverage(handleTime), "on average"), fewChats), legend: "AHT " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
	}
}

func volumeTrends() []panel {
	return []panel{
		{
			title: "Chats, every " + everyHour, kind: trendBars(), w: 8, h: trendLines, unit: "locale", decimals: 0,
			description: "Chats by the time they ended.",
			queries:     []query{{expr: onWall.grown(interactions, overInterval, ""), legend: "chats", step: everyHour}},
		},
		{
			title: "Handed over, every " + everyHour, kind: trendBars(), w: 8, h: trendLines, unit: "locale", decimals: 0,
			description: "Handed-over chats by the time they ended.",
			queries:     []query{{expr: onWall.grown(handoffs, overInterval, ""), legend: "handed over", step: everyHour}},
		},
		{
			title: "Average handle time, over $window", kind: trend(), w: 8, h: trendLines, unit: "dthms",
			description: "Average time that an agent handled a chat.",
			queries:     []query{{expr: wallAverage(handleTime), legend: "AHT", step: everyPoll}},
		},
	}
}

func wallLists() []panel {
	return []panel{
		{
			title: "Service level by operation, last $window", kind: barGauge(), w: 6, h: listLines, unit: "percentunit", decimals: 0, max: 1,
			description: "Share of the answered chats of the last $window that an agent answered within $answer_within s, for the six operations with the lowest share. Operations that were seen in the last day and have no current figures come first.",
			queries:     []query{{expr: "bottomk(6, " + levelOfOperations() + ")", legend: "{{operation}} " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
		{
			title: "Five worst routing points, last $window", kind: barGauge(), w: 7, h: listLines, unit: "percentunit", decimals: 0, max: 1,
			description: "The five routing points that answered the lowest share of their handed-over chats of the last $window within $answer_within s. Unlike in the service level, unanswered chats count as missed.",
			queries:     []query{{expr: currentOnly("bottomk(5, "+withNameOrNumber(wallJudged(wallInTime(), ">= $target / 100", "< $target / 100"))+")", fewChats), legend: "{{name}} {{operation}} " + perVerdict}},
			colours:     wallColours(), mappings: noFigure(),
		},
		{
			title: "Active alerts", kind: namesOnly(), w: 7, h: listLines, unit: "none", decimals: 0,
			description: "Up to six active alerts, critical ones (red) first. It needs the alert rules of wolkvox_exporter in the same Prometheus.",
			queries:     []query{{expr: activeAlerts(), legend: "{{alert}} {{name}} {{operation}}"}},
			mappings:    wallTexts(nil),
			thresholds:  []threshold{{nil, "text"}, {0.5, wallBad}, {1.5, wallWorst}},
		},
		{
			title: "Age of the figures", kind: ageTile(), w: 4, h: listLines, unit: "dthms",
			description: "Time since all chats were counted, for the operation with the oldest figures. 5 to 10 minutes are normal. It goes on while the exporter is away, for a day.",
			queries:     []query{{expr: "max(time() - max by (operation) (last_over_time(" + onWall.series(completeUntil) + "[1d]))) or on () vector(" + outdated + ")", legend: "Age of figures"}},
			// The base is no good colour: at first, the figures of an exporter that is gone are not old.
			thresholds: []threshold{{nil, "text"}, {15 * 60, wallBad}, {30 * 60, wallWorst}},
			mappings:   wallTexts(map[string][2]string{outdated: {"none today", wallWorst}}),
		},
	}
}
