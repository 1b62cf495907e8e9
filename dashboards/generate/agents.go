package main

const agentsUID = "wolkvox-agents"

const (
	chosenAgents filter = `operation=~"$operation", agent_id=~"$agent_id"`

	agentChats         = "wolkvox_agent_chats_total"
	agentHandleTime    = "wolkvox_agent_handle_time_seconds"
	agentSpeedOfAnswer = "wolkvox_agent_speed_of_answer_seconds"
	agentCharacters    = "wolkvox_agent_characters_total"

	perAgent = "operation, agent_id"
)

var agentInfo = infoMetric{"wolkvox_agent_info", "agent_name"}

// withAgentName adds an agent's name.
func withAgentName(figure, over string) string {
	return chosenAgents.named(figure, "agent_id", agentInfo, agentChats, over)
}

// ofBusiestAgents returns a query for each of the busiest agents: the n-th has the n-th colour.
func ofBusiestAgents(figure string) (queries []query) {
	for rank := 1; rank <= busiestShown; rank++ {
		one := "(" + figure + " and on (" + perAgent + ") " + chosenAgents.ranked(rank, perAgent, agentChats) + ")"
		queries = append(queries, query{expr: withAgentName(one, overRange), legend: named, step: everyBar})
	}
	return queries
}

func agents() dashboard {
	return dashboard{
		uid:         agentsUID,
		title:       "Agents",
		description: "Chats, handle time and speed of answer of each agent. The exporter must run with --collector.agents.",
		from:        "now-6h",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
			namedChoice("agent_id", "Agent", filter(`operation=~"$operation"`).names("agent_id", agentInfo, agentChats, overRange)),
			window(),
			barsEvery(),
			hidden(minChats()),
		},
		rows: []row{
			{panels: offByDefault(agentsNow())},
			{title: "Trends of the five busiest agents", panels: offByDefault(agentsTrends())},
		},
	}
}

// offByDefault adds to each panel why it may be empty.
func offByDefault(panels []panel) []panel {
	for i := range panels {
		panels[i].ifEmpty = " It is empty if no agent had a chat or the exporter runs without --collector.agents."
	}
	return panels
}

func agentsNow() []panel {
	rows := "group by (operation, agent_id) (last_over_time(" + chosenAgents.series(agentChats) + "[1d]))"
	queries := figures(perAgent, rows,
		chosenAgents.grown(agentChats, overWindow, perAgent),
		chosenAgents.average(agentHandleTime, perAgent),
		chosenAgents.average(agentSpeedOfAnswer, perAgent),
		chosenAgents.rate(agentHandleTime+"_sum", overWindow, perAgent),
		reliable(chosenAgents.grown(agentCharacters, overWindow, perAgent), chosenAgents.grown(agentChats, overWindow, perAgent)),
	)
	queries[0].expr = withAgentName("("+queries[0].expr+")", overDay)
	return []panel{
		{
			title: "Agents with chats, last $window", kind: stat, w: 4, h: 5, unit: count, decimals: 0, noValue: noData,
			description: "Agents with a chat that ended in the last $window.",
			queries:     []query{{expr: "count(" + chosenAgents.grown(agentChats, overWindow, perAgent) + " > 0)", legend: "agents"}},
		},
		{
			title: "Chats, last $window", kind: stat, w: 4, h: 5, unit: count, decimals: 0, noValue: noData,
			description: "Chats of these agents that ended in the last $window.",
			queries:     []query{{expr: chosenAgents.grown(agentChats, overWindow, ""), legend: "chats"}},
		},
		{
			title: "AHT, last $window", kind: stat, w: 4, h: 5, unit: clock, noValue: tooFew,
			description: "AHT: the average time that these agents handled a chat, over the chats that ended in the last $window.",
			queries:     []query{{expr: chosenAgents.average(agentHandleTime, ""), legend: "handle time"}},
		},
		{
			title: "ASA, last $window", kind: stat, w: 4, h: 5, unit: clock, noValue: tooFew,
			description: "ASA: the average time that customers of these agents waited, over the chats of the last $window. Most of it is time in the queue.",
			queries:     []query{{expr: chosenAgents.average(agentSpeedOfAnswer, ""), legend: "speed of answer"}},
		},
		{
			title: "No data?", kind: text, w: 8, h: 5,
			description: "How to enable metrics per agent.",
			text: "Metrics per agent need `--collector.agents`. " +
				"Names are personal data and need `--collector.agent-names`.\n\n" +
				"Both start when they are enabled.",
		},
		{
			title: "Agents, last $window", kind: table, w: 24, h: 16, sortBy: "Chats", noValue: noData,
			description: "Each agent who was seen in the last day, by the chats of the last $window. Concurrent is the average number of chats handled at the same time. Averages are shown from $min_chats chats on. Click a name to show only that agent.",
			queries:     queries,
			columns: []column{
				{from: "name", title: "Agent", link: linkTo(agentsUID, map[string]string{"operation": "Operation", "agent_id": "Id"}, "window", "bars", "min_chats")},
				counted(0, "Chats"), timed(1, "AHT"), timed(2, "ASA"),
				{from: value(3), title: "Concurrent", unit: "none", decimals: 2, width: 100},
				{from: value(4), title: "Chars/chat", unit: count, decimals: 0, width: 100},
				{from: "operation", title: "Operation", width: 110},
				{from: "agent_id", title: "Id", width: 100},
			},
		},
	}
}

func agentsTrends() []panel {
	colours := rankColours[:busiestShown]
	return []panel{
		{
			title: "Chats, every $bars", kind: bars, w: 12, h: 9, unit: count, decimals: 0, noValue: noData,
			description: "Chats of the five agents with the most chats in the time range shown.",
			queries:     ofBusiestAgents(chosenAgents.grown(agentChats, overInterval, perAgent)), byQuery: colours,
		},
		{
			title: "Concurrent chats, every $bars", kind: lines, w: 12, h: 9, unit: "none", decimals: 1, noValue: noData,
			description: "Average number of chats that an agent handled at the same time. A chat adds all of its handle time when it ends.",
			queries:     ofBusiestAgents(chosenAgents.rate(agentHandleTime+"_sum", overInterval, perAgent)), byQuery: colours,
		},
		{
			title: "AHT, every $bars", kind: lines, w: 12, h: 9, unit: clock, noValue: tooFew,
			description: "Average time that an agent handled a chat.",
			queries:     ofBusiestAgents(chosenAgents.averageOver(overInterval, agentHandleTime, perAgent)), byQuery: colours,
		},
		{
			title: "ASA, every $bars", kind: lines, w: 12, h: 9, unit: clock, noValue: tooFew,
			description: "Average time that an agent's customers waited, mostly in the queue.",
			queries:     ofBusiestAgents(chosenAgents.averageOver(overInterval, agentSpeedOfAnswer, perAgent)), byQuery: colours,
		},
	}
}
