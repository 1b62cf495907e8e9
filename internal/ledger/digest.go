package ledger

import (
	"math"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// updatedDigest returns the digest of e after a row of the chat that states the given facts.
// It differs from e.digest if the row has other values for the counted facts.
func (e entry) updatedDigest(chat *wolkvox.Chat, stated facts) uint16 {
	compared := e.facts &^ unreadableFacts
	// The digest is that of all counted values, so it cannot be compared with a row that
	// states fewer facts. A seeded chat has more facts than any row states.
	if compared&^stated != 0 {
		return e.digest
	}
	return compared.digest(chat)
}

// digest returns 16 bits that depend on the values that a row has for these facts: the
// exclusive or of a hash for each fact. So facts that are counted later can be added to a
// digest without the earlier values. One change in 65,536 does not change the digest.
//
// Digests are saved: if the hashes changed, each remembered chat would be reported as
// changed once.
//
// A handoff has no value. An unreadable value counts as an error, not as a value. Agents are
// compared even while they are not counted, because an entry does not say whether they were
// counted.
func (f facts) digest(chat *wolkvox.Chat) uint16 {
	var sum uint64
	if f&interaction != 0 {
		sum ^= hash(interaction, hashText(hashText(textSeed, chat.RoutingPoint), chat.Channel))
	}
	if f&lastSender != 0 {
		sum ^= hash(lastSender, hashText(textSeed, chat.LastSender.String()))
	}
	for m := range measures {
		if fact := measures[m].fact; f&fact != 0 {
			sum ^= hash(fact, math.Float64bits(chat.Numbers[measures[m].field]))
		}
	}
	if f&perAgentChat != 0 {
		sum ^= hash(perAgentChat, hashText(textSeed, chat.Agent))
	}
	for _, v := range agentValues {
		if f&v.fact != 0 {
			sum ^= hash(v.fact, math.Float64bits(chat.Numbers[v.field]))
		}
	}
	return uint16(sum >> 48)
}

// hash returns a hash of a fact's value. Its highest bits are the most random.
func hash(fact facts, value uint64) uint64 {
	h := (value + uint64(fact)) * 0x9e3779b97f4a7c15
	h ^= h >> 32
	return h * 0xd6e8feb86659fd93
}

// textSeed and textPrime are the constants of FNV-1a.
const (
	textSeed  = 0xcbf29ce484222325
	textPrime = 0x100000001b3
)

// hashText adds a text and its end to a hash.
func hashText(h uint64, text string) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * textPrime
	}
	return (h ^ 0xff) * textPrime // not a byte of UTF-8, so "1","0web" is not "10","web"
}
