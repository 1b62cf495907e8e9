package collector

import (
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func TestAPIMetrics_HasEveryResultAtZero(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	m := NewAPIMetrics()
	reg.MustRegister(collectFunc(func(ch chan<- prometheus.Metric) { m.collect(ch, "wv0042") }))
	want := map[string]float64{}
	for _, api := range wolkvox.APIs() {
		for _, result := range wolkvox.Results() {
			want["api="+api+" result="+string(result)+" "] = 0
		}
	}
	before := gatherFrom(t, reg)
	if have := valuesByLabels(before["wolkvox_api_requests_total"]); !maps.Equal(have, want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
	if f, ok := before["wolkvox_api_clock_skew_seconds"]; ok {
		t.Errorf("have %v, want no skew before a response", f)
	}

	skew := 3 * time.Second
	m.Observe(wolkvox.Request{API: "chat_8", Result: wolkvox.TokenBusy, Duration: 2 * time.Second, ClockSkew: &skew, ExtraText: true})
	m.Observe(wolkvox.Request{API: "chat_8", Result: wolkvox.Network, Duration: 100 * time.Millisecond})
	want["api=chat_8 result=token_busy "] = 1
	want["api=chat_8 result=network "] = 1
	after := gatherFrom(t, reg)
	if have := valuesByLabels(after["wolkvox_api_requests_total"]); !maps.Equal(have, want) {
		t.Errorf("have %v\nwant %v", have, want)
	}
	if have := after["wolkvox_api_request_duration_seconds"].GetMetric()[0].GetHistogram(); have.GetSampleCount() != 2 || have.GetSampleSum() != 2.1 {
		t.Errorf("have durations %v, want 2 of 2.1 s", have)
	}
	if have := valuesByLabels(after["wolkvox_api_clock_skew_seconds"])[""]; have != 3 {
		t.Errorf("have skew %v, want the last that is known, 3", have)
	}
	for registered, want := range map[float64]map[string]*dto.MetricFamily{0: before, 1: after} {
		if have := valuesByLabels(want["wolkvox_api_extra_text_total"]); len(have) != len(wolkvox.APIs()) || have["api=chat_8 "] != registered || have["api=token_info "] != 0 {
			t.Errorf("have responses with extra text %v, want %v of chat_8", have, registered)
		}
	}
}
