package collector

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestStorageMetrics_ShowLastRequest(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewStorageMetrics(reg)
	for _, request := range []struct {
		err  error
		want float64
	}{{nil, 1}, {errors.New("refused"), 0}, {nil, 1}} {
		m.Observe("save", 2*time.Second, request.err)
		if have := valuesByLabels(gatherFrom(t, reg)["wolkvox_exporter_storage_up"])[""]; have != request.want {
			t.Errorf("after %v: have %v, want %v", request.err, have, request.want)
		}
	}
	durations := gatherFrom(t, reg)["wolkvox_exporter_storage_request_duration_seconds"].GetMetric()[0]
	if h := durations.GetHistogram(); h.GetSampleCount() != 3 || h.GetSampleSum() != 6 || durations.GetLabel()[0].GetValue() != "save" {
		t.Errorf("have %v, want 3 saves of 2 s each", durations)
	}
}
