package ledger

import (
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// completeRow returns a row with every value that can be counted.
func completeRow(changes ...func(*wolkvox.Chat)) *wolkvox.Chat {
	chat := ended(1, 0, handedOff, lastWrote(wolkvox.Customer), by("1201"))
	for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
		states(f, float64(10+f))(chat)
	}
	for _, change := range changes {
		change(chat)
	}
	return chat
}

// Digests are saved, so this one must never change.
func TestDigest_IsThatOfSavedStates(t *testing.T) {
	if want, have := uint16(0xbdeb), allFacts.digest(completeRow()); have != want {
		t.Errorf("want %#04x, have %#04x", want, have)
	}
}

func TestDigest_IsTheExclusiveOrOfItsParts(t *testing.T) {
	var together uint16
	for fact := facts(1); fact != 0; fact <<= 1 {
		have := fact.digest(completeRow())
		if hasValue := fact&(labelSetFacts|agentFacts)&^handoff != 0; hasValue != (have != 0) {
			t.Errorf("fact %#x: want a digest only of a value, have %#04x", fact, have)
		}
		together ^= have
	}
	if have := allFacts.digest(completeRow()); have != together {
		t.Errorf("want %#04x, have %#04x", together, have)
	}
}

// The model relies on it.
func TestDigest_DiffersForEachValueOfAHistory(t *testing.T) {
	for name, fact := range factNamed {
		rows := map[uint16]*wolkvox.Chat{}
		for _, row := range historyRows() {
			digest := fact.digest(row)
			if other, ok := rows[digest]; ok && changedValue(other, name) != changedValue(row, name) {
				t.Errorf("%s: %v and %v have the same digest", name, changedValue(other, name), changedValue(row, name))
			}
			rows[digest] = row
		}
		if len(rows) < int(wolkvox.SenderCount) {
			t.Errorf("%s: have %d digests, want one for each value", name, len(rows))
		}
	}
}

// historyRows returns rows with each value that a row of a history can have.
func historyRows() (rows []*wolkvox.Chat) {
	for _, labels := range allLabels {
		rows = append(rows, completeRow(under(labels.RoutingPoint, labels.Channel)))
	}
	for _, agent := range allAgents {
		rows = append(rows, completeRow(by(agent)))
	}
	for sender := range wolkvox.SenderCount {
		rows = append(rows, completeRow(lastWrote(sender)))
	}
	for _, value := range allValues {
		for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
			rows = append(rows, completeRow(states(f, value)))
		}
	}
	return rows
}

func TestDigest_KeepsRoutingPointAndChannelApart(t *testing.T) {
	if interaction.digest(completeRow(under("1", "0web"))) == interaction.digest(completeRow(under("10", "web"))) {
		t.Error("have the same digest")
	}
}

// Whole numbers, such as seconds and messages, are no special case.
func TestDigest_IsTheSameForOneChangeIn65536(t *testing.T) {
	const numbers = 300
	seen, same := map[uint16]int{}, 0
	for seconds := range numbers {
		for messages := range numbers {
			digest := allFacts.digest(completeRow(states(wolkvox.TotalTime, float64(seconds)), states(wolkvox.TimesChatted, float64(messages))))
			same += seen[digest]
			seen[digest]++
		}
	}
	const rows = numbers * numbers
	if want := rows * (rows - 1) / 2 >> 16; same < want*9/10 || same > want*11/10 {
		t.Errorf("have the same digest for %d pairs of rows, want about %d", same, want)
	}
}

func TestDigest_AllocatesNothing(t *testing.T) {
	chat := completeRow()
	if have := testing.AllocsPerRun(100, func() { allFacts.digest(chat) }); have != 0 {
		t.Errorf("have %v allocations, want none", have)
	}
}
