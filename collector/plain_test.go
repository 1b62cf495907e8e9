package collector

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// plain counts chats as an exporter of client_golang's vectors would.
type plain struct {
	counters   map[family]*prometheus.CounterVec
	histograms map[family]*prometheus.HistogramVec
}

func newPlain(reg prometheus.Registerer, native bool) *plain {
	p := &plain{map[family]*prometheus.CounterVec{}, map[family]*prometheus.HistogramVec{}}
	labels := func(f family) []string { return append([]string{"operation"}, definitions[f].labels...) }
	for _, f := range []family{interactions, handoffs, lastSenders} {
		p.counters[f] = prometheus.NewCounterVec(prometheus.CounterOpts{Name: definitions[f].name, Help: definitions[f].help}, labels(f))
		reg.MustRegister(p.counters[f])
	}
	for m := range ledger.Measure(ledger.Measures) {
		f := measures[m].family
		if p.histograms[f] != nil {
			continue // Characters are of two measures.
		}
		options := prometheus.HistogramOpts{Name: definitions[f].name, Help: definitions[f].help, Buckets: m.Bounds()}
		if native {
			options.NativeHistogramBucketFactor = 1.1
		}
		p.histograms[f] = prometheus.NewHistogramVec(options, labels(f))
		reg.MustRegister(p.histograms[f])
	}
	return p
}

func (p *plain) observe(chat *wolkvox.Chat) {
	labels := []string{"wv0042", chat.RoutingPoint, chat.Channel}
	p.counters[interactions].WithLabelValues(labels...).Inc()
	handedOver := p.counters[handoffs].WithLabelValues(labels...)
	if chat.HandedOff {
		handedOver.Inc()
	}
	for sender := range wolkvox.SenderCount {
		count := p.counters[lastSenders].WithLabelValues(append(labels, sender.String())...)
		if sender == chat.LastSender {
			count.Inc()
		}
	}
	for m, field := range fieldOf {
		labels := labels
		if sender := measures[m].sender; sender != "" {
			labels = append(labels, sender)
		}
		histogram := p.histograms[measures[m].family].WithLabelValues(labels...)
		if chat.Present&(1<<field) != 0 {
			histogram.Observe(chat.Numbers[field])
		}
	}
}

// spread are chats of label sets whose histograms have some 60 native buckets each.
func (h *history) spread(sets int) []wolkvox.Chat {
	chats := make([]wolkvox.Chat, 0, 60*sets)
	for s := range sets {
		for i := range 60 {
			seconds := math.Exp2(float64(i) / 6)
			chats = append(chats, h.agent(fmt.Sprint(s), "whatsapp", seconds, 3*seconds))
		}
	}
	return chats
}

// What is compared with a plain registry is the same series and values.
func TestLedgerSource_MatchesPlainRegistry(t *testing.T) {
	for _, native := range []bool{false, true} {
		t.Run(fmt.Sprintf("native=%t", native), func(t *testing.T) {
			h, reg := newHistory(10), prometheus.NewRegistry()
			p := newPlain(reg, native)
			chats := append(h.spread(3), h.bot("bot", "web", 0))
			h.read(ledger.Starting, chats...)
			for i := range chats {
				p.observe(&chats[i])
			}
			want := chatFamilies(gatherFrom(t, reg))
			have := chatFamilies(gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}, Options{NativeHistograms: native}))
			if names, wantNames := slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)); !slices.Equal(names, wantNames) {
				t.Fatalf("have %q, want %q", names, wantNames)
			}
			for name := range want {
				compareLines(t, familyText(t, have[name]), familyText(t, want[name]))
				for i, m := range want[name].GetMetric() {
					forgetCreated(m)
					forgetCreated(have[name].GetMetric()[i])
					if !proto.Equal(have[name].GetMetric()[i], m) {
						t.Fatalf("have %v, want %v", have[name].GetMetric()[i], m)
					}
				}
			}
		})
	}
}

func chatFamilies(all map[string]*dto.MetricFamily) map[string]*dto.MetricFamily {
	maps.DeleteFunc(all, func(name string, _ *dto.MetricFamily) bool { return !strings.HasPrefix(name, "wolkvox_chat_") })
	return all
}

func familyText(t *testing.T, f *dto.MetricFamily) string {
	t.Helper()
	var text bytes.Buffer
	if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// forgetCreated drops when a metric began: each registry was made at its own time.
func forgetCreated(m *dto.Metric) {
	if c := m.GetCounter(); c != nil {
		c.CreatedTimestamp = nil
	}
	if h := m.GetHistogram(); h != nil {
		h.CreatedTimestamp = nil
	}
}
