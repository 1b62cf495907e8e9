package collector

import (
	"maps"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestRoutingPoints_WithChatsAreNamed(t *testing.T) {
	h := newHistory(10)
	h.read(ledger.Starting, h.bot("101", "web", 1), h.bot("101", "whatsapp", 1), h.bot("202", "web", 1), h.bot("-", "web", 1))
	have := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View(), Status: status.Status{
		RoutingPoints: map[string]string{"101": "Ventas", "303": "without chats"},
	}}}, Options{})
	if have, want := valuesByLabels(have["wolkvox_routing_point_info"]), map[string]float64{"rp_id=101 rp_name=Ventas ": 1}; !maps.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
}

// The API may list more than anybody wants to store.
func TestRoutingPoints_AreLimitedByLabelSets(t *testing.T) {
	h := newHistory(3)
	names := map[string]string{}
	for i := range 1000 {
		id := string(rune('A' + i))
		h.read(ledger.Starting, h.bot(id, "web", 1))
		names[id] = "Ventas"
	}
	have := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View(), Status: status.Status{RoutingPoints: names}}}, Options{})
	if have := len(valuesByLabels(have["wolkvox_routing_point_info"])); have != 3 {
		t.Errorf("have %d names, want 3", have)
	}
}

func TestRoutingPoints_AcceptAnyName(t *testing.T) {
	names := map[string]string{}
	h := newHistory(1000)
	for id, name := range map[string]string{
		"1": "", "2": "\xff\xfe", "3": `a"b\c`, "4": "a\nb", "5": "\x00", "6": `"} 1` + "\n# EOF\n", "7": strings.Repeat("x", 100_000), "8": "\u202e", "other": "-",
	} {
		names[id] = name
		h.read(ledger.Starting, h.bot(id, "web", 1))
	}
	reg := prometheus.NewPedanticRegistry()
	register(reg, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View(), Status: status.Status{RoutingPoints: names}}}, Options{})
	for _, accept := range []string{"text/plain", string(expfmt.NewFormat(expfmt.TypeProtoDelim))} {
		response := scrape(t, reg, accept)
		shown := 0
		for f := range decodeFamilies(t, response.Body, expfmt.ResponseFormat(response.Header())) {
			if f.GetName() == "wolkvox_routing_point_info" {
				shown = len(f.GetMetric())
			}
		}
		if shown != len(names) {
			t.Errorf("%s: have %d names, want %d", accept, shown, len(names))
		}
	}
}

func TestQuota_IsAbsentUntilKnown(t *testing.T) {
	used, limit := 337.0, 2000.0
	const usedName, limitName = "wolkvox_api_token_requests_used", "wolkvox_api_token_requests_limit"
	for name, c := range map[string]struct {
		info wolkvox.TokenInfo
		want map[string]float64
	}{
		"nothing":    {wolkvox.TokenInfo{}, map[string]float64{}},
		"only used":  {wolkvox.TokenInfo{Used: &used}, map[string]float64{usedName: 337}},
		"only limit": {wolkvox.TokenInfo{Limit: &limit}, map[string]float64{limitName: 2000}},
		"both":       {wolkvox.TokenInfo{Used: &used, Limit: &limit}, map[string]float64{usedName: 337, limitName: 2000}},
	} {
		families := gather(t, []status.Snapshot{{Operation: "wv0042", View: ledger.New(ledger.Options{}).View(), Status: status.Status{TokenInfo: c.info}}}, Options{})
		have := map[string]float64{}
		for _, name := range []string{usedName, limitName} {
			if f, ok := families[name]; ok {
				have[name] = valuesByLabels(f)[""]
			}
		}
		if !maps.Equal(have, c.want) {
			t.Errorf("%s: have %v, want %v", name, have, c.want)
		}
	}
}
