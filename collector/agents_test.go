package collector

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

func TestLedgerCollector_HoldsNewAgentAtZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(10)
		h.read(ledger.Starting)
		time.Sleep(5 * time.Minute)
		h.read(ledger.Polling, h.agent("101", "web", 22, 340))
		born := time.Now()
		gatherAgent := func() (chats, handled float64) {
			have := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}, Options{ZeroHold: 2 * time.Minute})
			for _, name := range []string{"wolkvox_agent_handle_time_seconds", "wolkvox_agent_speed_of_answer_seconds"} {
				if created := have[name].GetMetric()[0].GetSummary().GetCreatedTimestamp(); !created.AsTime().Equal(born) {
					t.Errorf("%s: have created %v, want %v", name, created.AsTime(), born)
				}
			}
			return have["wolkvox_agent_chats_total"].GetMetric()[0].GetCounter().GetValue(),
				have["wolkvox_agent_handle_time_seconds"].GetMetric()[0].GetSummary().GetSampleSum()
		}
		if chats, handled := gatherAgent(); chats != 0 || handled != 0 {
			t.Errorf("at first: have %v chats and %v s, want 0", chats, handled)
		}
		time.Sleep(2 * time.Minute)
		if chats, handled := gatherAgent(); chats != 1 || handled != 340 {
			t.Errorf("after the hold: have %v chats and %v s, want 1 and 340", chats, handled)
		}
	})
}

// The bucket of +Inf is left out of an exposition otherwise: its count is known.
func TestHistogram_ShowsExemplarOfLastBucket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(10)
		chat := h.agent("101", "web", 4000, 60)
		chat.ConnID = "1768782871.5521"
		h.read(ledger.Starting, chat)
		have := gather(t, []status.Snapshot{{Operation: "wv0042", View: h.ledger.View()}}, Options{NativeHistograms: true})
		buckets := have["wolkvox_chat_speed_of_answer_seconds"].GetMetric()[0].GetHistogram().GetBucket()
		last := buckets[len(buckets)-1]
		if !math.IsInf(last.GetUpperBound(), 1) || last.GetCumulativeCount() != 1 {
			t.Fatalf("have last bucket %v, want +Inf with one chat", last)
		}
		e := last.GetExemplar()
		if len(e.GetLabel()) != 1 || e.GetLabel()[0].GetValue() != chat.ConnID || e.GetValue() != 4000 || !e.GetTimestamp().AsTime().Equal(time.Now()) {
			t.Errorf("have exemplar %v", e)
		}
	})
}

func TestHistogram_WritesExemplarsInProtobuf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		response := scrape(t, everything(t), string(expfmt.NewFormat(expfmt.TypeProtoDelim)))
		seen := 0
		for f := range decodeFamilies(t, response.Body, expfmt.ResponseFormat(response.Header())) {
			for _, m := range f.GetMetric() {
				for _, b := range m.GetHistogram().GetBucket() {
					if b.Exemplar != nil {
						seen++
					}
				}
			}
		}
		if seen != ledger.Measures {
			t.Errorf("have %d exemplars, want one of each measure", seen)
		}
	})
}
