package reader

import (
	"slices"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestAround_ReturnsWindowsBetweenGaps(t *testing.T) {
	window := func(from, to wolkvox.LocalTime) wolkvox.Window { return wolkvox.Window{From: from, To: to} }
	gap := func(from, to wolkvox.LocalTime) ledger.Gap { return ledger.Gap{Window: window(from, to)} }
	for _, test := range []struct {
		name string
		gaps []ledger.Gap
		want []wolkvox.Window
	}{
		{"none", nil, []wolkvox.Window{window(100, 200)}},
		{"a second of an API that includes both ends", []ledger.Gap{gap(150, 150)}, []wolkvox.Window{window(100, 149), window(151, 200)}},
		{"of one that includes the start", []ledger.Gap{gap(150, 151)}, []wolkvox.Window{window(100, 150), window(151, 200)}},
		{"of one that includes neither", []ledger.Gap{gap(149, 151)}, []wolkvox.Window{window(100, 150), window(150, 200)}},
		{"longer", []ledger.Gap{gap(150, 160)}, []wolkvox.Window{window(100, 151), window(159, 200)}},
		{"adjacent", []ledger.Gap{gap(150, 150), gap(151, 151)}, []wolkvox.Window{window(100, 149), window(152, 200)}},
		{"adjacent without ends", []ledger.Gap{gap(149, 151), gap(150, 152)}, []wolkvox.Window{window(100, 150), window(151, 200)}},
		{"at the start", []ledger.Gap{gap(100, 100)}, []wolkvox.Window{window(101, 200)}},
		{"at the end", []ledger.Gap{gap(200, 200)}, []wolkvox.Window{window(100, 199)}},
		{"over the end", []ledger.Gap{gap(199, 201)}, []wolkvox.Window{window(100, 200)}},
		{"over all", []ledger.Gap{gap(90, 210)}, nil},
	} {
		if have := around(window(100, 200), test.gaps); !slices.Equal(have, test.want) {
			t.Errorf("%s: have %v, want %v", test.name, have, test.want)
		}
	}
}
