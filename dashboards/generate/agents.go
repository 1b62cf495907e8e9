package main

const agentsUID = "wolkvox-agents"

const (
	chosenAgents filter = `operation=~"$operation", agent_id=~"$agent_id"`

	agentChats         = "wolkvox_agent_chats_total"
	agentHandleTime    = "wolkvox_agent_handle_time_seconds"
	agentSpeedOfAnswer = "wolkvox_agent_speed_of_answer_seconds"
	agentCharacters    = "wolkvox_agent_characters_total"

	perAgent = "operation, agent_id"
	agent    = "{{operation}} {{agent_id}} {{agent_name}}"
)

// withAgentName adds an agent's name.
func withAgentName(figure string) string {
	return chosenAgents.named(figure, perAgent, "agent_name", "wolkvox_agent_info", agentChats)
}

func ofBusiestAgents(figure string) string {
	return chosenAgents.busiest(withAgentName(figure), perAgent, agentChats)
}

func agents() dashboard {
	return dashboard{
		uid:         agentsUID,
		title:       "wolkvox / Agents",
		description: "Chats, handle time and speed of answer of each agent. The exporter must run with --collector.agents.",
		from:        "now-24h",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
			choice("agent_id", "Agent", agentChats+`{operation=~"$operation"}`),
			window(),
		},
		rows: []row{
			{panels: offByDefault(agentsNow())},
			{title: "Trends of the ten busiest agents", panels: offByDefault(agentsTrends())},
		},
	}
}

// offByDefault adds to each panel why it may be empty.
func offByDefault(panels []panel) []panel {
	for i := range panels {
		panels[i].noValue = "no chats, or disabled"
		panels[i].ifEmpty = " It is empty if no agent had a chat or the exporter runs without --collector.agents."
	}
	return panels
}

func agentsNow() []panel {
	return []panel{
		{
			title: "Agents with chats, last $window", kind: stat, w: 4, h: 5, unit: "short", decimals: 0,
			description: "Agents with a chat that ended in the last $window.",
			queries:     []query{{expr: "count(" + chosenAgents.grown(agentChats, overWindow, perAgent) + " > 0)", legend: "agents"}},
		},
		{
			title: "Chats, last $window", kind: stat, w: 4, h: 5, unit: "short", decimals: 0,
			description: "Chats of these agents that ended in the last $window.",
			queries:     []query{{expr: chosenAgents.grown(agentChats, overWindow, ""), legend: "chats"}},
		},
		{
			title: "Handle time, last $window", kind: stat, w: 4, h: 5, unit: "s",
			description: "AHT: the average time that these agents handled a chat, over the chats that ended in the last $window.",
			queries:     []query{{expr: chosenAgents.average(agentHandleTime, ""), legend: "handle time"}},
		},
		{
			title: "Speed of answer, last $window", kind: stat, w: 4, h: 5, unit: "s",
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
			title: "Agents, last $window", kind: table, w: 24, h: 12,
			description: "Chats of each agent in the last $window, busiest first. Concurrent chats is the average number handled at the same time. Click an id to show only that agent.",
			queries: []query{
				{expr: withAgentName(chosenAgents.grown(agentChats, overWindow, perAgent))},
				{expr: chosenAgents.average(agentHandleTime, perAgent)},
				{expr: chosenAgents.average(agentSpeedOfAnswer, perAgent)},
				{expr: chosenAgents.rate(agentHandleTime+"_sum", overWindow, perAgent)},
				{expr: ratio(chosenAgents.grown(agentCharacters, overWindow, perAgent), chosenAgents.grown(agentChats, overWindow, perAgent))},
			},
			columns: []column{
				{from: "operation", title: "Operation"},
				{from: "agent_id", title: "Agent", link: linkTo(agentsUID, "agent_id")},
				{from: "agent_name", title: "Name"},
				{from: value(0), title: "Chats", unit: "short", decimals: 0},
				{from: value(1), title: "Average handle time", unit: "s"},
				{from: value(2), title: "Average speed of answer", unit: "s"},
				{from: value(3), title: "Concurrent chats", unit: "short", decimals: 2},
				{from: value(4), title: "Characters per chat", unit: "short", decimals: 0},
			},
		},
	}
}

func agentsTrends() []panel {
	return []panel{
		{
			title: "Chats, every $window", kind: bars, w: 12, h: 9, unit: "short", decimals: 0,
			description: "Chats of the ten agents with the most chats in the time range shown.",
			queries:     []query{{expr: ofBusiestAgents(chosenAgents.grown(agentChats, overInterval, perAgent)), legend: agent, step: everyWindow}},
		},
		{
			title: "Concurrent chats, over $window", kind: lines, w: 12, h: 9, unit: "short",
			description: "Average number of chats that an agent handled at the same time. A chat adds all of its handle time when it ends.",
			queries:     []query{{expr: ofBusiestAgents(chosenAgents.rate(agentHandleTime+"_sum", overWindow, perAgent)), legend: agent, step: everyPoll}},
		},
		{
			title: "Average handle time, over $window", kind: lines, w: 12, h: 9, unit: "s",
			description: "Average time that an agent handled a chat.",
			queries:     []query{{expr: ofBusiestAgents(chosenAgents.average(agentHandleTime, perAgent)), legend: agent, step: everyPoll}},
		},
		{
			title: "Average speed of answer, over $window", kind: lines, w: 12, h: 9, unit: "s",
			description: "Average time that an agent's customers waited, mostly in the queue.",
			queries:     []query{{expr: ofBusiestAgents(chosenAgents.average(agentSpeedOfAnswer, perAgent)), legend: agent, step: everyPoll}},
		},
	}
}
