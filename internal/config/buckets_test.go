package config

import (
	"fmt"
	"slices"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

func TestBuckets_KeepServiceLevels(t *testing.T) {
	for _, tt := range []struct{ configured, added, want []float64 }{
		{nil, nil, nil}, // the built-in ones
		{[]float64{10, 20, 80, 300}, []float64{30, 60}, []float64{10, 20, 30, 60, 80, 300}},
		{[]float64{2.5}, []float64{20, 30, 60}, []float64{2.5, 20, 30, 60}},
		{[]float64{20, 30, 60}, nil, []float64{20, 30, 60}},
	} {
		t.Run(fmt.Sprint(tt.configured), func(t *testing.T) {
			b := Buckets{SpeedOfAnswer: tt.configured, HandleTime: []float64{45}}
			if added := b.missingServiceLevels(); !slices.Equal(added, tt.added) {
				t.Errorf("have %v to be added, want %v", added, tt.added)
			}
			b.addServiceLevels()
			if !slices.Equal(b.SpeedOfAnswer, tt.want) || !slices.Equal(b.HandleTime, []float64{45}) {
				t.Errorf("have %v and %v, want %v and other histograms as configured", b.SpeedOfAnswer, b.HandleTime, tt.want)
			}
		})
	}
}

func TestBuckets_BuiltInHaveServiceLevels(t *testing.T) {
	for _, bound := range serviceLevels {
		if builtIn := ledger.SpeedOfAnswer.Bounds(); !slices.Contains(builtIn, bound) {
			t.Errorf("have built-in bounds %v, want %v among them", builtIn, bound)
		}
	}
}
