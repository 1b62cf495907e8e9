package ledger

import (
	"slices"
	"strings"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// hasChanged reports whether a row states all that was counted of a chat, and other
// values for it than it was last seen with.
func (m memory) hasChanged(chat *wolkvox.Chat) bool {
	stated, differing, collides := partsStated(chat), 0, uint16(0)
	for part := range m.counted {
		if strings.HasPrefix(part, "bad ") {
			continue
		}
		if !slices.Contains(stated, part) {
			return false
		}
		last := m.rows[part]
		if changedValue(&last, part) != changedValue(chat, part) {
			differing++
		}
		collides ^= factNamed[part].digest(&last) ^ factNamed[part].digest(chat)
	}
	// Several values that change at once may have the same digest by chance. One value
	// of a history cannot: TestDigest_DiffersForEachValueOfAHistory.
	return differing == 1 || differing > 1 && collides != 0
}

// changedValue is what a row says of a part.
func changedValue(chat *wolkvox.Chat, part string) any {
	switch part {
	case "interaction":
		return Labels{chat.RoutingPoint, chat.Channel}
	case "handoff":
		return nil
	case "sender":
		return chat.LastSender
	case "agent":
		return chat.Agent
	}
	for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
		if strings.TrimPrefix(part, "agent's ") == f.String() {
			return chat.Numbers[f]
		}
	}
	panic("no such part: " + part)
}

// factNamed has the facts that have a value, by what the model calls them.
var factNamed = func() map[string]facts {
	named := map[string]facts{
		"interaction": interaction, "sender": lastSender, "agent": perAgentChat,
		"agent's time_with_agent": perAgentHandleTime, "agent's asa": perAgentSpeedOfAnswer, "agent's agent_chars": perAgentCharacters,
	}
	for m, s := range specified {
		named[s.field.String()] = measures[m].fact
	}
	return named
}()
