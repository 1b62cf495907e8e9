package main

// trends is how the time range went.
func trends() []panel {
	return []panel{
		{
			title: "Chats, every $bars", kind: bars, w: 12, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Chats by the time they ended.",
			queries: []query{
				{expr: botOnly(overInterval), legend: "bot only", step: everyBar},
				{expr: chosen.grown(handoffs, overInterval, ""), legend: "handed over", step: everyBar},
			},
			colours: map[string]string{"bot only": skyBlue, "handed over": orange},
		},
		{
			title: "Handed over, every $bars", kind: bars, w: 12, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Handed-over chats, answered and unanswered. The newest bar can show too many as unanswered until the report shows the last answers.",
			queries: []query{
				{expr: chosen.grown(speedOfAnswer+"_count", overInterval, ""), legend: "answered", step: everyBar},
				{expr: unanswered(overInterval, ""), legend: "unanswered", step: everyBar},
			},
			colours: map[string]string{"answered": blue, "unanswered": orange},
		},
		{
			title: "Service level, over $window", kind: lines, w: 12, h: 8, unit: percent, max: 1, noValue: tooFew,
			description: "Share of the chats that were answered within $answer_within s, and the target. " + whichChats,
			queries: []query{
				{expr: serviceLevel(overWindow, ""), legend: "within $answer_within s", step: everyPoll},
				{expr: "vector($target / 100)", legend: targetLine, step: everyPoll},
			},
			byQuery: []string{blue},
		},
		{
			title: "Speed of answer, over $window", kind: lines, w: 12, h: 8, unit: clock, noValue: tooFew,
			description: "Time that customers waited for an agent: average (ASA), target, median and 90th percentile.",
			queries:     append(spread(speedOfAnswer), query{expr: "vector($asa_target)", legend: targetLine, step: everyPoll}),
			colours:     spreadColours(),
		},
		{
			title: "Distribution of the speed of answer, every $bars", kind: heatmap, w: 12, h: 9, unit: clock, noValue: noData,
			description: "Answered chats by speed of answer: the stronger the colour, the more chats. A row is the range between two bounds of the histogram.",
			queries:     []query{{expr: chosen.grown(speedOfAnswer+"_bucket", overInterval, "le"), legend: "{{le}}", step: everyBar}},
		},
		{
			title: "Rates, over $window", kind: lines, w: 12, h: 9, unit: percent, max: 1, noValue: tooFew,
			description: "Share of the chats that the bot handed over to an agent, and share of the handed-over chats that were not answered." + always100,
			queries: []query{
				{expr: handoffRate(overWindow, ""), legend: "handed over", step: everyPoll},
				{expr: unansweredRate(overWindow, ""), legend: "unanswered", step: everyPoll},
			},
			colours: map[string]string{"handed over": skyBlue, "unanswered": orange},
		},
		{
			title: "Handle time, over $window", kind: lines, w: 12, h: 8, unit: clock, noValue: tooFew,
			description: "Time that an agent handled a chat: average (AHT), median and 90th percentile.",
			queries:     spread(handleTime), colours: spreadColours(),
		},
		{
			title: "Concurrent chats with agents, over $window", kind: lines, w: 12, h: 8, unit: "none", decimals: 1, noValue: noData,
			description: "Average number of chats that agents handled at the same time. A chat adds all of its handle time when it ends.",
			queries:     []query{{expr: chosen.rate(handleTime+"_sum", overWindow, ""), legend: "chats at a time", step: everyPoll}},
			colours:     map[string]string{"chats at a time": blue},
		},
	}
}

// spread returns the average, the median and the 90th percentile of a histogram.
func spread(family string) []query {
	return []query{
		{expr: chosen.average(family, ""), legend: "average", step: everyPoll},
		{expr: chosen.quantile("0.5", family, overWindow, ""), legend: "median", step: everyPoll},
		{expr: chosen.quantile("0.9", family, overWindow, ""), legend: "90th percentile", step: everyPoll},
	}
}

func spreadColours() map[string]string {
	return map[string]string{"average": blue, "median": skyBlue, "90th percentile": orange}
}

// details is what a chat is like.
func details() []panel {
	return []panel{
		{
			title: "Messages per chat, over $window", kind: lines, w: 12, h: 8, unit: count, decimals: 0, noValue: tooFew,
			description: "Messages sent in a chat: average, median and 90th percentile.",
			queries:     spread(messages), colours: spreadColours(),
		},
		{
			title: "Characters per chat, every $bars", kind: lines, w: 12, h: 8, unit: count, decimals: 0, noValue: tooFew,
			description: "Characters typed by the customer in a chat, and by the agent in a handed-over chat: average and 90th percentile.",
			queries: []query{
				{expr: chosen.averageOver(overInterval, characters, "sender"), legend: "{{sender}}, average", step: everyBar},
				{expr: chosen.quantile("0.9", characters, overInterval, "sender"), legend: "{{sender}}, 90th percentile", step: everyBar},
			},
			colours: map[string]string{"agent, average": blue, "customer, average": orange, "agent, 90th percentile": skyBlue, "customer, 90th percentile": purple},
		},
		{
			title: "Last sender, every $bars", kind: shares(), w: 12, h: 8, unit: count, decimals: 0, noValue: noData,
			description: "Who wrote the last message, as shares of the chats. Many last messages by customers indicate abandoned chats.",
			queries:     []query{{expr: chosen.grown(lastSender, overInterval, "last_sender"), legend: "{{last_sender}}", step: everyBar}},
			colours:     map[string]string{"agent": blue, "chat_bot": skyBlue, "customer": orange, "unknown": grey},
		},
		{
			title: "Bot time, over $window", kind: lines, w: 12, h: 8, unit: clock, noValue: tooFew,
			description: "Time that a chat spent with the bot: average, median and 90th percentile.",
			queries:     spread(botTime), colours: spreadColours(),
		},
		{
			title: "Duration, over $window", kind: lines, w: 12, h: 8, unit: clock, noValue: tooFew,
			description: "Time from start to end of a chat, including waiting: average, median and 90th percentile.",
			queries:     spread(duration), colours: spreadColours(),
		},
		{
			title: "Distribution of the handle time, every $bars", kind: heatmap, w: 12, h: 8, unit: clock, noValue: noData,
			description: "Chats by handle time: the stronger the colour, the more chats. A row is the range between two bounds of the histogram.",
			queries:     []query{{expr: chosen.grown(handleTime+"_bucket", overInterval, "le"), legend: "{{le}}", step: everyBar}},
		},
	}
}
