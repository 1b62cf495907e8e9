package ledger

import "github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"

// parts is a set of the things that are counted of one chat, each at most
// once. A chat's row may state more of them each time it is fetched.
type parts uint32

// What is counted under a chat's routing point and channel, then under its agent.
const (
	interaction parts = 1 << iota
	handoff
	lastSender
	firstMeasure

	agentChat          parts = firstMeasure << Measures
	agentHandleTime    parts = agentChat << 1
	agentSpeedOfAnswer parts = agentChat << 2
	agentCharacters    parts = agentChat << 3
)

// everything is what a chat that must not be counted is remembered with.
const everything = ^parts(0)

const (
	ofLabelSet  = agentChat - 1
	ofAgent     = agentChat | agentHandleTime | agentSpeedOfAnswer | agentCharacters
	unreadables = everything &^ (1<<16 - 1)
)

// measured is the part that is a measure's observation.
func measured(m Measure) parts { return firstMeasure << m }

// unreadable is the part that is the count of a field's malformed value.
func unreadable(f wolkvox.Field) parts { return 1 << 16 << f }

// partsOf is what the row of an ended chat has to count.
func partsOf(chat *wolkvox.Chat) parts {
	has := interaction
	handedOff := chat.Present.Has(wolkvox.GoToAgent) && chat.HandedOff
	if handedOff {
		has |= handoff
	}
	if chat.Present.Has(wolkvox.LastSenderField) {
		has |= lastSender
	}
	for m := range Measure(Measures) {
		if chat.Present.Has(measures[m].field) && (handedOff || !measures[m].handedOff) {
			has |= measured(m)
		}
	}
	if handedOff && chat.Agent != "" {
		has |= agentChat
		for _, v := range agentValues {
			if chat.Present.Has(v.field) {
				has |= v.part
			}
		}
	}
	return has | parts(chat.Malformed)<<16
}
