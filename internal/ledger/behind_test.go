package ledger

import (
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestView_IsBehindLaterOne(t *testing.T) {
	l := full(t)
	before := l.View()
	if before.IsBehind(before) {
		t.Error("a view is behind itself")
	}
	for name, change := range map[string]func(*View, *Tally){
		"records":      func(v *View, _ *Tally) { v.Counts.Records[Duplicate]++ },
		"field errors": func(v *View, _ *Tally) { v.Counts.FieldErrors[wolkvox.ASA]++ },
		"late":         func(v *View, _ *Tally) { v.Counts.Late++ },
		"overflowed":   func(v *View, _ *Tally) { v.Counts.Overflowed++ },
		"interactions": func(_ *View, t *Tally) { t.Interactions++ },
		"handoffs":     func(_ *View, t *Tally) { t.Handoffs++ },
		"last sender":  func(_ *View, t *Tally) { t.LastSender[wolkvox.Customer]++ },
		"a histogram":  func(_ *View, t *Tally) { t.Histograms[Duration].Count++ },
		"a label set": func(v *View, t *Tally) {
			v.LabelSets = append(v.LabelSets, LabelSet{Labels{"new", "web"}, t.Empty()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			later := l.View()
			tally := later.LabelSets[1].clone()
			later.LabelSets[1].Tally = tally
			change(later, tally)
			if !before.IsBehind(later) || later.IsBehind(before) {
				t.Errorf("have behind %t and %t, want true and false", before.IsBehind(later), later.IsBehind(before))
			}
		})
	}
}

func TestView_IsBehindAfterAnyPoll(t *testing.T) {
	l := full(t)
	before := l.View()
	mustApply(t, l, ended(1, 0, handedOff, lastWrote(wolkvox.Agent), by("1201"), under("3101234567", "whatsapp")), Polling, Duplicate)
	if after := l.View(); !before.IsBehind(after) || after.IsBehind(before) {
		t.Error("a poll with a known row alone does not put the view before it behind")
	}
}
