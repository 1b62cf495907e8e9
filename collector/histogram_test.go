package collector

import (
	"math"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// fieldOf is the column that a measure is read from.
var fieldOf = [ledger.Measures]wolkvox.Field{
	ledger.BotTime:            wolkvox.TimeOnChatbot,
	ledger.SpeedOfAnswer:      wolkvox.ASA,
	ledger.HandleTime:         wolkvox.TimeWithAgent,
	ledger.Duration:           wolkvox.TotalTime,
	ledger.Messages:           wolkvox.TimesChatted,
	ledger.CustomerCharacters: wolkvox.CustomerChars,
	ledger.AgentCharacters:    wolkvox.AgentChars,
}

// nativeEdges are the bounds of client_golang's buckets of schema 3 from 0.5 to 1.
var nativeEdges = []float64{
	0.5, 0.5452538663326288, 0.5946035575013605, 0.6484197773255048,
	0.7071067811865475, 0.7711054127039704, 0.8408964152537144, 0.9170040432046711,
}

// values draws what a measure can hold: zeros, bounds of classic and of native
// buckets, their neighbours, and all else.
func values(m ledger.Measure) *rapid.Generator[[]float64] {
	return rapid.SliceOfN(rapid.OneOf(
		rapid.Just(0.0),
		rapid.SampledFrom(m.Bounds()),
		rapid.Custom(func(t *rapid.T) float64 {
			edge := math.Ldexp(rapid.SampledFrom(nativeEdges).Draw(t, "fraction"), rapid.IntRange(-4, 40).Draw(t, "exponent"))
			return rapid.SampledFrom([]float64{edge, math.Nextafter(edge, 0), math.Nextafter(edge, 1e13)}).Draw(t, "side")
		}),
		rapid.Map(rapid.IntRange(1, 40), func(i int) float64 { return float64(i) }),
		rapid.Float64Range(1e-9, 1e12),
	), 0, 60)
}

func TestHistogram_MatchesClientGolang(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := ledger.Measure(rapid.IntRange(0, ledger.Measures-1).Draw(rt, "measure"))
		observed := values(m).Draw(rt, "values")
		native := rapid.Bool().Draw(rt, "native")

		opts := prometheus.HistogramOpts{Name: "x", Buckets: m.Bounds()}
		if native {
			opts.NativeHistogramBucketFactor = 1.1 // which picks schema 3
		}
		reference := prometheus.NewHistogram(opts)
		h := newHistory(1)
		born := time.Now()
		h.read(ledger.Starting, wolkvox.Chat{ID: 1 << 40, End: 1, RoutingPoint: "101", Channel: "web"})
		for _, value := range observed {
			reference.Observe(value)
			h.next++
			chat := wolkvox.Chat{ID: h.next, End: 1, RoutingPoint: "101", Channel: "web", HandedOff: true, Present: 1 << wolkvox.GoToAgent}
			set(&chat, fieldOf[m], value)
			h.read(ledger.Polling, chat)
		}
		var want dto.Metric
		if err := reference.Write(&want); err != nil {
			rt.Fatal(err)
		}
		have := collected(t, h.ledger.View(), m, Options{NativeHistograms: native})
		if created := have.GetCreatedTimestamp().AsTime(); created.Before(born) || created.After(time.Now()) {
			rt.Errorf("have created %v, want %v", created, born)
		}
		want.Histogram.CreatedTimestamp = have.GetCreatedTimestamp()
		if !proto.Equal(have, want.GetHistogram()) {
			rt.Fatalf("have %v\nwant %v", have, want.GetHistogram())
		}
	})
}

// collected is the histogram of a measure in the only label set of a view.
func collected(t *testing.T, v *ledger.View, m ledger.Measure, options Options) *dto.Histogram {
	t.Helper()
	family := gather(t, []status.Snapshot{{Operation: "wv0042", View: v}}, options)[definitions[measures[m].family].name]
	for _, metric := range family.GetMetric() {
		last := metric.GetLabel()[len(metric.GetLabel())-1]
		if measures[m].sender == "" || last.GetValue() == measures[m].sender {
			return metric.GetHistogram()
		}
	}
	t.Fatalf("measure %d is not shown", m)
	return nil
}

func TestSpans_SkipLongGaps(t *testing.T) {
	h := histogram{
		classic: true, data: &ledger.Histogram{Count: 16, Native: []uint64{3, 0, 0, 5, 4, 0, 0, 0, 3, 1}, NativeStart: -2},
		native: true, created: timestamppb.New(time.Unix(0, 0)),
	}
	var out dto.Metric
	if err := h.Write(&out); err != nil {
		t.Fatal(err)
	}
	want := &dto.Histogram{
		PositiveSpan: []*dto.BucketSpan{
			{Offset: new(int32(-2)), Length: new(uint32(5))},
			{Offset: new(int32(3)), Length: new(uint32(2))},
		},
		PositiveDelta: []int64{3, -3, 0, 5, -1, -1, -2},
	}
	have := &dto.Histogram{PositiveSpan: out.GetHistogram().GetPositiveSpan(), PositiveDelta: out.GetHistogram().GetPositiveDelta()}
	if !proto.Equal(have, want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
}

func TestHistogram_OmitsClassicBucketsAndKeepsExemplars(t *testing.T) {
	h := newHistory(1)
	chat := h.agent("101", "web", 10, 100)
	chat.ConnID = "4711"
	h.read(ledger.Starting, chat)
	have := collected(t, h.ledger.View(), ledger.HandleTime, Options{NativeHistograms: true, OmitClassicBuckets: true})
	if len(have.GetBucket()) > 0 || len(have.GetPositiveSpan()) == 0 || have.GetSampleCount() != 1 {
		t.Errorf("have %v, want a native histogram of one chat alone", have)
	}
	if len(have.GetExemplars()) != 1 || have.GetExemplars()[0].GetLabel()[0].GetValue() != "4711" {
		t.Errorf("have exemplars %v, want that of the chat", have.GetExemplars())
	}
}

// Prometheus takes a histogram for a native one if it has a zero threshold, a
// zero count or a span.
func TestHistogram_EmptyNativeIsRecognized(t *testing.T) {
	h := newHistory(1)
	h.read(ledger.Starting, wolkvox.Chat{ID: 1, End: 1, RoutingPoint: "101", Channel: "web"})
	have := collected(t, h.ledger.View(), ledger.HandleTime, Options{NativeHistograms: true})
	if have.GetZeroThreshold() == 0 && have.GetZeroCount() == 0 && len(have.GetPositiveSpan()) == 0 {
		t.Errorf("have %v, want a sign of a native histogram", have)
	}
}
