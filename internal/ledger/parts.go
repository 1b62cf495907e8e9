package ledger

import "github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"

// parts is a set of the things that are counted of one chat, each at most
// once. A chat's row may state more of them each time it is fetched.
type parts uint32

const (
	interaction parts = 1 << iota
	handoff
	lastSender
	firstMeasure
)

// everything is what a chat that must not be counted is remembered with.
const everything = ^parts(0)

// measured is the part that is a measure's observation.
func measured(m Measure) parts { return firstMeasure << m }

// unreadable is the part that is the count of a field's malformed value.
func unreadable(f wolkvox.Field) parts { return 1 << 16 << f }

// unreadables are all of these.
const unreadables = everything &^ (1<<16 - 1)

// partsOf is what the row of an ended chat has to count.
func partsOf(chat *wolkvox.Chat) parts {
	has := interaction
	handedOff := chat.Has.Has(wolkvox.GoToAgent) && chat.HandedOff
	if handedOff {
		has |= handoff
	}
	if chat.Has.Has(wolkvox.LastSenderField) {
		has |= lastSender
	}
	for m := range Measure(Measures) {
		if chat.Has.Has(measures[m].field) && (handedOff || !measures[m].handedOff) {
			has |= measured(m)
		}
	}
	return has | parts(chat.Malformed)<<16
}
