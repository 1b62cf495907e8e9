package backfill

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/collector"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// newLedger has one chat that was handed over, with names that need escaping.
func newLedger() *ledger.Ledger {
	counted := ledger.New(ledger.Options{MaxLabelSets: 10, Agents: true})
	t := counted.Begin(1000)
	t.Apply(&wolkvox.Chat{
		ID: 1, End: 1000, RoutingPoint: `a "b" \c`, Channel: "web {x}", HandedOff: true, Agent: "12 01",
		Numbers: [wolkvox.NumericFieldCount]float64{5, 12.5, 300, 320, 7, 100, 1e9},
		Present: 1<<wolkvox.FieldCount - 1,
	}, ledger.Polling)
	t.Commit()
	return counted
}

func gather(t *testing.T, collectors ...prometheus.Collector) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

// exposition is that of a scrape: each sample in a line, without the comments.
func exposition(t *testing.T, families []*dto.MetricFamily) []string {
	t.Helper()
	var text bytes.Buffer
	for _, family := range families {
		if !strings.HasPrefix(family.GetName(), "wolkvox_chat_") && !strings.HasPrefix(family.GetName(), "wolkvox_agent_") {
			continue
		}
		if _, err := expfmt.MetricFamilyToOpenMetrics(&text, family); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	return slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "#") })
}

func TestSeriesOf_MatchesScrape(t *testing.T) {
	view := newLedger().View()
	snapshot := func() *status.Snapshot { return &status.Snapshot{Operation: "wv0042", View: view} }
	shown, _ := collector.NewLedgerSource(snapshot, collector.Options{NativeHistograms: true}).At(time.Now())
	want := exposition(t, gather(t, shown))
	var have []string
	for _, family := range gather(t, collector.NewHistoryCollector("wv0042", func() *ledger.View { return view })) {
		for _, metric := range family.GetMetric() {
			series, err := seriesNames(family, metric, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, value := range sampleValues(metric) {
				have = append(have, fmt.Sprint(series[i], " ", value))
			}
		}
	}
	// A scrape writes 5 as 5.0.
	for i, line := range want {
		space := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(line[space+1:], 64)
		if err != nil {
			t.Fatal(err)
		}
		want[i] = fmt.Sprint(line[:space], " ", value)
	}
	if !slices.Equal(have, want) {
		t.Errorf("have\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
}

func TestEachChange_ReturnsAppendedChanges(t *testing.T) {
	values := []float64{0, 1, 2, 60, 300, 1e12, 12.5, math.MaxFloat64, 0.1}
	changes := appendChange(appendChange(nil, 0, values), 1<<40, values[:1])
	var have []string
	if err := eachChange(changes, func(n int, values []float64) { have = append(have, fmt.Sprint(n, values)) }); err != nil {
		t.Fatal(err)
	}
	if want := []string{fmt.Sprint(0, values), fmt.Sprint(1<<40, values[:1])}; !slices.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
	for end := range changes {
		// Whatever is left of it is read without harm.
		_ = eachChange(changes[:end], func(int, []float64) {})
	}
	if err := eachChange([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x0f}, func(int, []float64) {}); err == nil {
		t.Error("have no error for more values than there are bytes")
	}
}

func TestAppendChange_WritesWholeNumbersInFewBytes(t *testing.T) {
	if have := len(appendChange(nil, 1000, []float64{0, 1, 2, 100, 300, 1000})); have > 20 {
		t.Errorf("have %d bytes, want at most 20", have)
	}
}
