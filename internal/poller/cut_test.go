package poller

import (
	"fmt"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// The matrix has far too few chats for U11 to matter.
func TestReportThatIsCutIsCountedWholeWhicheverRowsSurvive(t *testing.T) {
	if !torture {
		t.Skip("it takes some 70,000 chats")
	}
	for selectOn, selected := range selections {
		for _, cut := range []wolkvoxtest.Cut{wolkvoxtest.First, wolkvoxtest.Last} {
			t.Run(fmt.Sprintf("selects on %s, cut %d", selected, cut), func(t *testing.T) {
				start := places[0].start
				s := newSimulation(1, places[0].zone)
				s.readings = wolkvoxtest.Readings{SelectOn: selectOn, Cut: cut, NumbersAsJSON: true}
				busy := start.Add(time.Hour)
				for n := range wolkvox.MaxRows + 10_000 {
					end := busy.Add(time.Duration(n) * 37 * time.Millisecond)
					s.chats = append(s.chats, s.makeChat(n, end.Add(-time.Minute), end))
				}
				s.live(t, start, 20*time.Minute)
				s.live(t, start.Add(3*time.Hour), 20*time.Minute)
				s.wantAll(t, s.chats)
			})
		}
	}
}
