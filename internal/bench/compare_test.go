package bench

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Both exporters do the same work, also if every chat is listed twice.
func TestExporters_CountTheSame(t *testing.T) {
	ours, theirs := newExporter(t), newNaiveExporter()
	for range 2 {
		for _, poll := range []func() (int, error){
			func() (int, error) { return ours.poll(t.Context(), base+"/0/1000") },
			func() (int, error) { return theirs.poll(t.Context(), base+"/0/1000") },
		} {
			if rows, err := poll(); rows != 1000 || err != nil {
				t.Fatalf("have %d rows, %v, want 1000", rows, err)
			}
		}
	}
	view := ours.ledger.View()
	if counted := view.Counts.Records[ledger.Counted]; counted != 1000 {
		t.Fatalf("have %d chats counted, want 1000", counted)
	}
	if have := testutil.CollectAndCount(theirs.interactions); have != len(view.LabelSets) {
		t.Errorf("the obvious exporter has %d label sets, want %d", have, len(view.LabelSets))
	}
	for _, set := range view.LabelSets {
		equal := func(what string, have float64, want uint64) {
			if have != float64(want) {
				t.Errorf("%v: the obvious exporter has %s %v, want %d", set.Labels, what, have, want)
			}
		}
		counter := func(vec *prometheus.CounterVec, labels ...string) float64 {
			return testutil.ToFloat64(vec.WithLabelValues(append([]string{set.RoutingPoint, set.Channel}, labels...)...))
		}
		equal("interactions", counter(theirs.interactions), set.Interactions)
		equal("handoffs", counter(theirs.handoffs), set.Handoffs)
		for sender := range wolkvox.SenderCount {
			equal("last sender "+sender.String(), counter(theirs.lastSender, sender.String()), set.LastSender[sender])
		}
		for m, want := range set.Histograms {
			have := histogram(t, theirs.measures[m], set.Labels)
			equal("count", float64(have.GetSampleCount()), want.Count)
			if have.GetSampleSum() != want.Sum {
				t.Errorf("%v: the obvious exporter has sum %v, want %v", set.Labels, have.GetSampleSum(), want.Sum)
			}
			var upTo uint64
			for i, bucket := range have.GetBucket() {
				upTo += want.Buckets[i]
				equal("bucket", float64(bucket.GetCumulativeCount()), upTo)
			}
		}
	}
}

func histogram(t *testing.T, vec *prometheus.HistogramVec, labels ledger.Labels) *dto.Histogram {
	t.Helper()
	var written dto.Metric
	if err := vec.WithLabelValues(labels.RoutingPoint, labels.Channel).(prometheus.Metric).Write(&written); err != nil {
		t.Fatal(err)
	}
	return written.GetHistogram()
}
