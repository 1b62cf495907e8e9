package ledger

import "github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"

// facts is a set of the countable parts of one chat. Each is counted at most once. A chat's
// row may state more of them each time it is fetched.
//
// The bits are saved for each chat, so a bit never changes its meaning and the bit of a fact
// that is no longer counted is never reused. Bits 0 to 31 are values of the row, bits 32 to
// 63 are unreadable fields.
type facts uint64

// Facts that are counted under a chat's routing point and channel.
const (
	interaction        facts = 1 << 0
	handoff            facts = 1 << 1
	lastSender         facts = 1 << 2
	botTime            facts = 1 << 3
	speedOfAnswer      facts = 1 << 4
	handleTime         facts = 1 << 5
	duration           facts = 1 << 6
	messages           facts = 1 << 7
	customerCharacters facts = 1 << 8
	agentCharacters    facts = 1 << 9

	labelSetFacts = interaction | handoff | lastSender | botTime | speedOfAnswer | handleTime | duration | messages |
		customerCharacters | agentCharacters
)

// Facts that are counted under its agent.
const (
	perAgentChat          facts = 1 << 10
	perAgentHandleTime    facts = 1 << 11
	perAgentSpeedOfAnswer facts = 1 << 12
	perAgentCharacters    facts = 1 << 13

	agentFacts = perAgentChat | perAgentHandleTime | perAgentSpeedOfAnswer | perAgentCharacters
)

// unreadable holds the fact that a field is unreadable, for each field.
var unreadable = [wolkvox.FieldCount]facts{
	wolkvox.TimeOnChatbot:     1 << 32,
	wolkvox.ASA:               1 << 33,
	wolkvox.TimeWithAgent:     1 << 34,
	wolkvox.TotalTime:         1 << 35,
	wolkvox.TimesChatted:      1 << 36,
	wolkvox.CustomerChars:     1 << 37,
	wolkvox.AgentChars:        1 << 38,
	wolkvox.GoToAgent:         1 << 39,
	wolkvox.LastSenderField:   1 << 40,
	wolkvox.StartDate:         1 << 41,
	wolkvox.EndDate:           1 << 42,
	wolkvox.RoutingPointField: 1 << 43,
	wolkvox.ChannelField:      1 << 44,
	wolkvox.AgentField:        1 << 45,
	wolkvox.AgentNameField:    1 << 46,
}

const (
	// allFacts are the facts of a remembered chat that must not be counted. They include
	// the facts that only later versions know.
	allFacts = ^facts(0)
	// unreadableFacts are the facts of [unreadable], including those of later versions.
	unreadableFacts = allFacts &^ (1<<32 - 1)
)

// statedFacts returns the facts that the row of an ended chat states.
func statedFacts(chat *wolkvox.Chat) facts {
	stated := interaction | malformedFacts(chat)
	handedOff := chat.Present.Has(wolkvox.GoToAgent) && chat.HandedOff
	if handedOff {
		stated |= handoff
	}
	if chat.Present.Has(wolkvox.LastSenderField) {
		stated |= lastSender
	}
	for _, m := range measures {
		if chat.Present.Has(m.field) && (handedOff || !m.handedOff) {
			stated |= m.fact
		}
	}
	if handedOff && chat.Agent != "" {
		stated |= perAgentChat
		for _, v := range agentValues {
			if chat.Present.Has(v.field) {
				stated |= v.fact
			}
		}
	}
	return stated
}

// malformedFacts returns the facts for the unreadable fields of a row.
func malformedFacts(chat *wolkvox.Chat) (malformed facts) {
	if chat.Malformed == 0 {
		return 0
	}
	for field, fact := range unreadable {
		if chat.Malformed.Has(wolkvox.Field(field)) {
			malformed |= fact
		}
	}
	return malformed
}
