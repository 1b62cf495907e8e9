package collector

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func decodeFamilies(t *testing.T, r io.Reader, format expfmt.Format) iter.Seq[*dto.MetricFamily] {
	t.Helper()
	return func(yield func(*dto.MetricFamily) bool) {
		decoder := expfmt.NewDecoder(r, format)
		for {
			var f dto.MetricFamily
			if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if !yield(&f) {
				return
			}
		}
	}
}

// contract is its table: type and labels of each metric that is shown here.
var contract = map[string]string{
	"wolkvox_chat_interactions_total":                   "COUNTER channel operation rp_id",
	"wolkvox_chat_handoffs_total":                       "COUNTER channel operation rp_id",
	"wolkvox_chat_bot_time_seconds":                     "HISTOGRAM channel operation rp_id",
	"wolkvox_chat_speed_of_answer_seconds":              "HISTOGRAM channel operation rp_id",
	"wolkvox_chat_handle_time_seconds":                  "HISTOGRAM channel operation rp_id",
	"wolkvox_chat_duration_seconds":                     "HISTOGRAM channel operation rp_id",
	"wolkvox_chat_messages":                             "HISTOGRAM channel operation rp_id",
	"wolkvox_chat_characters":                           "HISTOGRAM channel operation rp_id sender",
	"wolkvox_chat_last_sender_total":                    "COUNTER channel last_sender operation rp_id",
	"wolkvox_routing_point_info":                        "GAUGE operation rp_id rp_name",
	"wolkvox_up":                                        "GAUGE operation",
	"wolkvox_api_requests_total":                        "COUNTER api operation result",
	"wolkvox_api_request_duration_seconds":              "HISTOGRAM api operation",
	"wolkvox_api_clock_skew_seconds":                    "GAUGE operation",
	"wolkvox_api_extra_text_total":                      "COUNTER api operation",
	"wolkvox_api_token_requests_limit":                  "GAUGE operation",
	"wolkvox_api_token_requests_used":                   "GAUGE operation",
	"wolkvox_exporter_records_total":                    "COUNTER operation outcome",
	"wolkvox_exporter_late_records_total":               "COUNTER operation",
	"wolkvox_exporter_field_errors_total":               "COUNTER field operation",
	"wolkvox_exporter_complete_until_timestamp_seconds": "GAUGE operation",
	"wolkvox_exporter_newest_end_timestamp_seconds":     "GAUGE operation",
	"wolkvox_exporter_operation_not_loaded":             "GAUGE operation reason",
	"wolkvox_exporter_time_zone_behind_seconds":         "GAUGE operation",
	"wolkvox_exporter_last_success_timestamp_seconds":   "GAUGE kind operation",
	"wolkvox_exporter_truncated_windows_total":          "COUNTER operation",
	"wolkvox_exporter_truncated_seconds_total":          "COUNTER operation",
	"wolkvox_exporter_unreadable_seconds_total":         "COUNTER operation",
	"wolkvox_report_field_missing":                      "GAUGE field operation",
	"wolkvox_exporter_skipped_seconds_total":            "COUNTER operation",
	"wolkvox_exporter_label_sets":                       "GAUGE operation",
	"wolkvox_exporter_label_sets_overflowed_total":      "COUNTER operation",
	"wolkvox_exporter_state_bytes":                      "GAUGE operation",
	"wolkvox_exporter_state_save_duration_seconds":      "HISTOGRAM operation",
	"wolkvox_exporter_state_save_failures_total":        "COUNTER operation",
	"wolkvox_exporter_storage_request_duration_seconds": "HISTOGRAM request",
	"wolkvox_exporter_storage_up":                       "GAUGE",
	"wolkvox_agent_chats_total":                         "COUNTER agent_id operation",
	"wolkvox_agent_handle_time_seconds":                 "SUMMARY agent_id operation",
	"wolkvox_agent_speed_of_answer_seconds":             "SUMMARY agent_id operation",
	"wolkvox_agent_characters_total":                    "COUNTER agent_id operation",
	"wolkvox_agent_info":                                "GAUGE agent_id agent_name operation",
}

func TestSources_HaveEveryMetricOfContract(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		have := map[string]string{}
		for name, f := range gatherFrom(t, everything(t)) {
			for _, m := range f.GetMetric() {
				shape := f.GetType().String()
				for _, l := range m.GetLabel() {
					shape += " " + l.GetName()
				}
				if known, ok := have[name]; ok && known != shape {
					t.Errorf("%s: have both %q and %q", name, known, shape)
				}
				have[name] = shape
			}
		}
		if !maps.Equal(have, contract) {
			t.Errorf("have %v\nwant %v", have, contract)
		}
	})
}

func TestPollingSource_StuckIsNotUp(t *testing.T) {
	h := newHistory(10)
	for after, want := range map[time.Duration]float64{time.Minute: 1, -time.Second: 0} {
		polling := status.Status{Up: true, Ready: true, StuckAfter: time.Now().Add(after)}
		have := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View(), Status: polling}}, Options{})
		if up := have["wolkvox_up"].GetMetric()[0].GetGauge().GetValue(); up != want {
			t.Errorf("stuck after %s: have wolkvox_up %v, want %v", after, up, want)
		}
	}
}

func TestLedgerSource_ShowsWholeLabelSet(t *testing.T) {
	h := newHistory(10)
	// A row that states nothing but its end.
	h.read(ledger.Starting, wolkvox.Chat{ID: 1, End: 1, RoutingPoint: "101", Channel: "web"})
	have := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}, Options{NativeHistograms: true})
	const labels = "channel=web rp_id=101 "
	zero := map[string]float64{labels: 0}
	for name, want := range map[string]map[string]float64{
		"wolkvox_chat_interactions_total":      {labels: 1},
		"wolkvox_chat_handoffs_total":          zero,
		"wolkvox_chat_bot_time_seconds":        zero,
		"wolkvox_chat_speed_of_answer_seconds": zero,
		"wolkvox_chat_handle_time_seconds":     zero,
		"wolkvox_chat_duration_seconds":        zero,
		"wolkvox_chat_messages":                zero,
		"wolkvox_chat_characters":              {labels + "sender=agent ": 0, labels + "sender=customer ": 0},
		"wolkvox_chat_last_sender_total": {
			"channel=web last_sender=agent rp_id=101 ": 0, "channel=web last_sender=chat_bot rp_id=101 ": 0,
			"channel=web last_sender=customer rp_id=101 ": 0, "channel=web last_sender=unknown rp_id=101 ": 0,
		},
	} {
		if have := valuesByLabels(have[name]); !maps.Equal(have, want) {
			t.Errorf("%s: have %v, want %v", name, have, want)
		}
	}
}

func TestLedgerSource_HoldsNewLabelSetAtZero(t *testing.T) {
	const hold = 2 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(10)
		h.read(ledger.Starting, h.agent("initial", "web", 10, 100))
		first := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}, Options{ZeroHold: hold})
		if have := valuesByLabels(first["wolkvox_chat_interactions_total"])["channel=web rp_id=initial "]; have != 1 {
			t.Errorf("have %v interactions after the very first poll, want 1 at once", have)
		}
		time.Sleep(5 * time.Minute)
		born := time.Now()
		h.read(ledger.Polling, h.agent("initial", "web", 10, 100), h.agent("new", "web", 10, 100))
		operations := []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}

		check := func(t *testing.T, when string, want float64) {
			t.Helper()
			have := gather(t, operations, Options{ZeroHold: hold, NativeHistograms: true})
			for name, f := range have {
				if !strings.HasPrefix(name, "wolkvox_chat_") {
					continue
				}
				for _, m := range f.GetMetric() {
					if h := m.GetHistogram(); h != nil && m.GetLabel()[2].GetValue() == "new" {
						var native int64
						for _, delta := range h.GetPositiveDelta() {
							native += delta
						}
						if have := h.GetSampleSum() + float64(h.GetBucket()[len(h.GetBucket())-1].GetCumulativeCount()) + float64(native); want == 0 && have != 0 {
							t.Errorf("%s: have %v, want it empty", name, h)
						}
					}
				}
			}
			for _, name := range []string{"wolkvox_chat_interactions_total", "wolkvox_chat_handoffs_total", "wolkvox_chat_handle_time_seconds"} {
				want := map[string]float64{"channel=web rp_id=initial ": 2, "channel=web rp_id=new ": want}
				if have := valuesByLabels(have[name]); !maps.Equal(have, want) {
					t.Errorf("%s: %s: have %v, want %v", when, name, have, want)
				}
			}
			for _, m := range have["wolkvox_chat_handoffs_total"].GetMetric() {
				if created := m.GetCounter().GetCreatedTimestamp().AsTime(); m.GetLabel()[2].GetValue() == "new" && !created.Equal(born) {
					t.Errorf("%s: have created %v, want %v", when, created, born)
				}
			}
			if have := valuesByLabels(have["wolkvox_exporter_records_total"])["outcome=counted "]; have != 3 {
				t.Errorf("%s: have %v counted records, want 3: the exporter's own metrics are not held", when, have)
			}
		}
		check(t, "at birth", 0)
		time.Sleep(hold - time.Nanosecond)
		check(t, "just before the end", 0)
		time.Sleep(time.Nanosecond)
		check(t, "at the end", 1)
		time.Sleep(time.Hour)
		check(t, "later", 1)
	})
}

// The clock was a minute ahead in the run before, which showed the set's chats.
func TestLedgerSource_HoldsLabelSetBornInFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(10)
		h.read(ledger.Starting)
		h.read(ledger.Polling, h.bot("101", "web", 1))
		saved, err := h.ledger.Begin(wolkvox.ToLocalTime(time.Now())).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		restored, err := ledger.Unmarshal(saved, ledger.Options{MaxLabelSets: 10}, time.Now().Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			have := gather(t, []status.Snapshot{{Operation: "wv0042", View: restored.View()}}, Options{ZeroHold: 2 * time.Minute})
			if have := valuesByLabels(have["wolkvox_chat_interactions_total"])["channel=web rp_id=101 "]; have != 1 {
				t.Errorf("have %v interactions, want 1", have)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestSources_OmitOperationNotLoaded(t *testing.T) {
	have := gather(t, []status.Snapshot{{Operation: "wv0042", Status: status.Status{NotLoaded: status.StateCorrupt}}}, Options{})
	names := slices.Sorted(maps.Keys(have))
	if want := []string{"wolkvox_exporter_operation_not_loaded", "wolkvox_up"}; !slices.Equal(names, want) {
		t.Errorf("have %q, want %q", names, want)
	}
}

func TestSources_OmitTimesBeforeFirstPoll(t *testing.T) {
	have := gather(t, []status.Snapshot{{Operation: "wv0042", View: ledger.New(ledger.Options{MaxLabelSets: 10}).View()}}, Options{})
	for _, name := range []string{
		"wolkvox_exporter_complete_until_timestamp_seconds", "wolkvox_exporter_last_success_timestamp_seconds",
	} {
		if f, ok := have[name]; ok {
			t.Errorf("have %v, want it absent", f)
		}
	}
	if have := valuesByLabels(have["wolkvox_exporter_records_total"]); len(have) != ledger.Outcomes {
		t.Errorf("have records_total %v, want every outcome", have)
	}
	if have := valuesByLabels(have["wolkvox_exporter_field_errors_total"]); len(have) != wolkvox.FieldCount {
		t.Errorf("have field_errors_total %v, want every field", have)
	}
}

// The decoder cleans labels; whatever comes past it must not cost the scrape.
func TestLedgerSource_AcceptsAnyLabelValue(t *testing.T) {
	hostile := []string{
		"", "\xff\xfe", `a"b\c`, "a\nb", "\x00", "{}", `"} 1` + "\n# EOF\n", strings.Repeat("x", 1000), "\u202e", "other",
	}
	reg := prometheus.NewPedanticRegistry()
	var operations []status.Snapshot
	for _, value := range hostile {
		h := newHistory(1000)
		h.read(ledger.Starting, h.bot(value, "web", 1), h.bot("101", value, 1))
		operations = append(operations, status.Snapshot{Operation: value, View: h.ledger.View()})
	}
	register(reg, operations, Options{})

	text := scrape(t, reg, "text/plain")
	protobuf := scrape(t, reg, string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
	for _, response := range []*httptest.ResponseRecorder{text, protobuf} {
		sets := 0
		for f := range decodeFamilies(t, response.Body, expfmt.ResponseFormat(response.Header())) {
			if f.GetName() == "wolkvox_chat_interactions_total" {
				sets = len(f.GetMetric())
			}
		}
		if want := 2 * len(hostile); sets != want {
			t.Errorf("%s: have %d label sets, want %d", response.Header(), sets, want)
		}
	}
	openMetrics := scrape(t, reg, "application/openmetrics-text;version=1.0.0").Body.String()
	if strings.Count(openMetrics, "\n# EOF") != 1 {
		t.Error("the text of a label broke out")
	}
}

// agree checks that all figures of a scrape are of the same moment, and counts its chats.
func agree(scraped []*dto.MetricFamily) (chats float64, err error) {
	byName := map[string]float64{}
	for _, f := range scraped {
		for _, value := range valuesByLabels(f) {
			byName[f.GetName()] += value
		}
	}
	chats = byName["wolkvox_chat_interactions_total"]
	for _, name := range []string{"wolkvox_chat_handoffs_total", "wolkvox_chat_handle_time_seconds", "wolkvox_chat_last_sender_total", "wolkvox_exporter_records_total"} {
		if byName[name] != chats {
			return 0, fmt.Errorf("have %s of %v chats beside %v interactions", name, byName[name], chats)
		}
	}
	return chats, nil
}
