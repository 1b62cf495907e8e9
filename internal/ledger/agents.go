package ledger

import (
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// OverflowAgent stands for all agents beyond the limit of label sets.
const OverflowAgent = "other"

// AgentTally is what was counted of one agent's chats. One that is in a [View]
// does not change any more.
type AgentTally struct {
	// Born and Initial are as in [Tally].
	Born    time.Time
	Initial bool

	Chats         uint64
	HandleTime    Total // seconds
	SpeedOfAnswer Total // seconds
	Characters    Total

	// name is not saved: it is personal data, and the next row brings it again.
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

// Name is the agent's; empty where names are not wanted or none has come yet.
func (t *AgentTally) Name() string { return t.name }

// agentValues tells where an agent's totals come from.
var agentValues = [...]struct {
	part  parts
	field wolkvox.Field
	total func(*AgentTally) *Total
}{
	{agentHandleTime, wolkvox.TimeWithAgent, func(t *AgentTally) *Total { return &t.HandleTime }},
	{agentSpeedOfAnswer, wolkvox.ASA, func(t *AgentTally) *Total { return &t.SpeedOfAnswer }},
	{agentCharacters, wolkvox.AgentChars, func(t *AgentTally) *Total { return &t.Characters }},
}

// observe counts the given parts of a chat.
func (t *AgentTally) observe(chat *wolkvox.Chat, parts parts) {
	if parts&agentChat != 0 {
		t.Chats++
	}
	for _, v := range agentValues {
		if parts&v.part != 0 {
			v.total(t).add(chat.Numbers[v.field])
		}
	}
}

// rename keeps the name that an agent has now.
func (t *Transaction) rename(agent, name string) {
	if name == "" || agent == OverflowAgent {
		return
	}
	known, ok := t.agents.changed[agent]
	if !ok {
		known = t.book.agents[agent]
	}
	if known == nil || known.name == name {
		return
	}
	if tally, ok := t.agents.existing(agent); ok {
		tally.name = name
	}
}

func (t *AgentTally) clone() *AgentTally {
	c := *t
	return &c
}

func (t *AgentTally) stamp(now time.Time) {
	if t.Born.IsZero() {
		t.Born = now
	}
}

func (t *AgentTally) load(now time.Time) { t.Born, t.Initial = loadBirth(t.Born, t.Initial, now) }
