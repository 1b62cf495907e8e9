package ledger

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func known(connID string) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) { chat.ConnID = connID }
}

// applyAt counts rows in a transaction that is stamped at that time.
func applyAt(l *Ledger, at time.Time, chats ...*wolkvox.Chat) {
	transaction := l.Begin(clock(at))
	for _, chat := range chats {
		transaction.Apply(chat, Polling)
	}
	transaction.Stamp(at)
	transaction.Commit()
}

func TestHistogram_HasLastChatAsExemplar(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	answered := func(id wolkvox.ID, connID string, asa float64) *wolkvox.Chat {
		return ended(id, 0, handedOff, known(connID), states(wolkvox.ASA, asa))
	}
	applyAt(l, noon, answered(1, "c1", 12), answered(2, "c2", 14), answered(3, "c3", 4000))
	before := collectFigures(t, l)
	later := noon.Add(5 * time.Minute)
	applyAt(l, later, answered(1, "c1", 12), answered(4, "c4", 15), answered(5, "", 16))

	asa := &collectFigures(t, l).Histograms[SpeedOfAnswer]
	for bucket, want := range map[int]Exemplar{
		0:                    {},
		2:                    {"c4", 15, later}, // up to 15: of the known chat nothing was counted again
		3:                    {},                // up to 20: the chat there has no conn_id to show
		len(asa.Buckets) - 1: {"c3", 4000, noon},
	} {
		have, ok := asa.Exemplar(bucket)
		if have.ConnID != want.ConnID || have.Value != want.Value || !have.Time.Equal(want.Time) || ok != (want.ConnID != "") {
			t.Errorf("bucket %d: have %v, %t, want %v", bucket, have, ok, want)
		}
	}
	if have, _ := before.Histograms[SpeedOfAnswer].Exemplar(2); have.ConnID != "c2" {
		t.Errorf("a view has changed: have %v, want that of c2", have)
	}
	if have, ok := collectFigures(t, reloaded(t, l, 10)).Histograms[SpeedOfAnswer].Exemplar(2); ok {
		t.Errorf("have %v after a restart, want none", have)
	}
}
