package ledger

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// agentFigures are what must be counted of an agent.
type agentFigures struct {
	born                       time.Time
	initial                    bool
	chats                      uint64
	handle, answer, characters Total
}

func isOfAgent(part string) bool {
	return strings.HasPrefix(part, "agent") && part != wolkvox.AgentChars.String()
}

func (m *model) countAgent(chat *wolkvox.Chat, news []string, mode Mode, now time.Time) {
	agent, others := chat.Agent, len(m.byAgent)
	if _, there := m.byAgent[OverflowAgent]; there {
		others--
	}
	if _, there := m.byAgent[agent]; !there && agent != OverflowAgent && others >= m.limit {
		agent = OverflowAgent
		m.overflowed++
	}
	figures, there := m.byAgent[agent]
	if !there {
		figures.born, figures.initial = now, mode == Starting
	}
	add := func(t Total, f wolkvox.Field) Total { return Total{t.Count + 1, t.Sum + chat.Numbers[f]} }
	for _, part := range news {
		switch part {
		case "agent":
			figures.chats++
		case "agent's time_with_agent":
			figures.handle = add(figures.handle, wolkvox.TimeWithAgent)
		case "agent's asa":
			figures.answer = add(figures.answer, wolkvox.ASA)
		case "agent's agent_chars":
			figures.characters = add(figures.characters, wolkvox.AgentChars)
		}
	}
	m.byAgent[agent] = figures
}

// agentsString is what [printed] says of agents.
func (m *model) agentsString() string {
	if !m.agents {
		return ""
	}
	var out strings.Builder
	for _, agent := range slices.Sorted(maps.Keys(m.byAgent)) {
		f := m.byAgent[agent]
		fmt.Fprintf(&out, "agent %q born %s initial %t: %d, %v, %v, %v\n", agent, f.born.UTC(), f.initial, f.chats, f.handle, f.answer, f.characters)
	}
	return out.String()
}
