package ledger

import "github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"

// OverflowAgent stands for all agents beyond the limit of label sets.
const OverflowAgent = "other"

// AgentTally holds the counts of one agent's chats. Once it is in a [View], it does not
// change.
type AgentTally struct {
	Origin

	Chats         uint64
	HandleTime    Total // seconds
	SpeedOfAnswer Total // seconds
	Characters    Total

	// name is not saved: it is personal data, and the next row has it again.
	name string
}

// Total counts and sums values.
type Total struct {
	Count uint64
	Sum   float64
}

func (t *Total) add(value float64) {
	t.Count++
	t.Sum += value
}

// AgentSet is a tally and the agent's extension number.
type AgentSet struct {
	Agent string
	*AgentTally
}

// Name returns the agent's name. It is empty without [wolkvox.WithAgentNames], and until a
// row has it.
func (t *AgentTally) Name() string { return t.name }

// agentValues describes the totals of an agent. Names are saved, so they never change.
var agentValues = [...]struct {
	name  string
	fact  facts
	field wolkvox.Field
	total func(*AgentTally) *Total
}{
	{"handle_time", perAgentHandleTime, wolkvox.TimeWithAgent, func(t *AgentTally) *Total { return &t.HandleTime }},
	{"speed_of_answer", perAgentSpeedOfAnswer, wolkvox.ASA, func(t *AgentTally) *Total { return &t.SpeedOfAnswer }},
	{"characters", perAgentCharacters, wolkvox.AgentChars, func(t *AgentTally) *Total { return &t.Characters }},
}

// observe counts the given facts of a chat.
func (t *AgentTally) observe(chat *wolkvox.Chat, counted facts) {
	if counted&perAgentChat != 0 {
		t.Chats++
	}
	for _, v := range agentValues {
		if counted&v.fact != 0 {
			v.total(t).add(chat.Numbers[v.field])
		}
	}
}

// rename sets the current name of an agent.
func (t *Transaction) rename(agent, name string) {
	if name == "" || agent == OverflowAgent {
		return
	}
	known, ok := t.agents.changed[agent]
	if !ok {
		known = t.ledger.agents[agent]
	}
	if known == nil || known.name == name {
		return
	}
	if tally, ok := t.agents.get(agent); ok {
		tally.name = name
	}
}

// Empty returns a tally with the same origin and without counts.
func (t *AgentTally) Empty() *AgentTally { return &AgentTally{Origin: t.Origin} }

func (t *AgentTally) clone() *AgentTally {
	c := *t
	return &c
}
