package collector

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

// BenchmarkGather is a scrape without its encoding, of label sets whose
// histograms have some 60 native buckets each.
func BenchmarkGather(b *testing.B) {
	for _, sets := range []int{250, 2500} {
		b.Run(fmt.Sprint(sets), func(b *testing.B) {
			h := newHistory(sets)
			h.read(ledger.Starting, h.spread(sets)...)
			reg := prometheus.NewRegistry()
			register(reg, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}, Options{NativeHistograms: true})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := reg.Gather(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
