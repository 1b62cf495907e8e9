package collector

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const testHold = 2 * time.Minute

// restart loads the saved ledger as a start does, and returns what is then published.
func (h *history) restart(t testing.TB, maxLabelSets int) status.Snapshot {
	t.Helper()
	saved, err := h.ledger.Begin(wolkvox.ToLocalTime(time.Now())).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if h.ledger, err = ledger.Unmarshal(saved, ledger.Options{MaxLabelSets: maxLabelSets, Agents: true}, time.Now()); err != nil {
		t.Fatal(err)
	}
	return status.Snapshot{Operation: "wv0042", View: h.ledger.View(), Loaded: h.ledger.View(), HeldSince: time.Now()}
}

func TestLedgerSource_HoldsLoadedFiguresAfterStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(1)
		h.read(ledger.Starting, h.agent("101", "web", 10, 100), h.bot("102", "web", 10)) // The second one is counted under other.
		time.Sleep(time.Hour)
		published := h.restart(t, 2)
		time.Sleep(time.Second)
		late := h.agent("101", "web", 4000, 200)
		late.ConnID = "1768782871.5521"
		h.read(ledger.Polling, late, h.agent("101", "web", 20, 300), h.bot("104", "web", 10), h.bot("105", "web", 10))
		published.View = h.ledger.View()

		check := func(t *testing.T, when string, want, born map[string]float64, records float64) {
			t.Helper()
			have := gather(t, []status.Snapshot{published}, Options{ZeroHold: testHold, NativeHistograms: true})
			const web, other = "channel=web rp_id=101 ", "channel=other rp_id=other "
			for name, want := range map[string]map[string]float64{
				"wolkvox_chat_interactions_total":      {web: want["chats"], other: want["other"], "channel=web rp_id=104 ": born["104"]},
				"wolkvox_chat_speed_of_answer_seconds": {web: want["chats"], other: 0, "channel=web rp_id=104 ": 0},
				"wolkvox_agent_chats_total":            {"agent_id=1202 ": want["1202"], "agent_id=1201 ": born["1201"]},
			} {
				if have := valuesByLabels(have[name]); !maps.Equal(have, want) {
					t.Errorf("%s: %s: have %v, want %v", when, name, have, want)
				}
			}
			for _, m := range have["wolkvox_chat_speed_of_answer_seconds"].GetMetric() {
				if m.GetLabel()[2].GetValue() != "101" {
					continue
				}
				histogram, native, exemplars := m.GetHistogram(), 0.0, 0.0
				for _, bucket := range histogram.GetBucket() {
					if bucket.Exemplar != nil {
						exemplars++
					}
				}
				count := int64(0)
				for _, delta := range histogram.GetPositiveDelta() {
					count += delta
					native += float64(count)
				}
				if native != want["chats"] || histogram.GetSampleSum() != want["answer"] || exemplars != want["exemplars"] {
					t.Errorf("%s: have %v in native buckets, a sum of %v and %v exemplars, want %v", when, native, histogram.GetSampleSum(), exemplars, want)
				}
				if age := time.Since(histogram.GetCreatedTimestamp().AsTime()); age < time.Hour {
					t.Errorf("%s: have a label set of %s, want the age of its first chat", when, age)
				}
			}
			if have := valuesByLabels(have["wolkvox_exporter_records_total"])["outcome=counted "]; have != records {
				t.Errorf("%s: have %v counted records, want %v: the exporter's own metrics are not held", when, have, records)
			}
		}
		loaded := map[string]float64{"chats": 1, "other": 1, "1202": 1, "answer": 10}
		newest := map[string]float64{"chats": 3, "other": 2, "1202": 2, "answer": 4030, "exemplars": 1}
		check(t, "after the first poll", loaded, map[string]float64{}, 6)
		time.Sleep(testHold - time.Second - time.Nanosecond)
		check(t, "just before the end", loaded, map[string]float64{}, 6)
		time.Sleep(time.Nanosecond)
		check(t, "at the end", newest, map[string]float64{}, 6)
		time.Sleep(time.Second)
		check(t, "at the end of the zero-hold", newest, map[string]float64{"104": 1, "1201": 1}, 6)
	})
}

// Both holds follow each other in a label set that was new before the start.
func TestLedgerSource_HoldsNewLabelSetAcrossStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(10)
		h.read(ledger.Starting)
		h.read(ledger.Polling, h.bot("101", "web", 1))
		time.Sleep(testHold / 2)
		published := h.restart(t, 10)
		h.read(ledger.Polling, h.bot("101", "web", 1))
		published.View = h.ledger.View()
		check := func(when string, want float64) {
			t.Helper()
			have := gather(t, []status.Snapshot{published}, Options{ZeroHold: testHold})
			if chats := valuesByLabels(have["wolkvox_chat_interactions_total"])["channel=web rp_id=101 "]; chats != want {
				t.Errorf("%s: have %v chats, want %v", when, chats, want)
			}
		}
		check("after the start", 0)
		time.Sleep(testHold/2 - time.Nanosecond)
		check("just before the end of the zero-hold", 0)
		time.Sleep(time.Nanosecond)
		check("at its end", 1)
		time.Sleep(testHold/2 - time.Nanosecond)
		check("just before the end of the hold of the loaded figures", 1)
		time.Sleep(time.Nanosecond)
		check("at its end", 2)
	})
}

// A start without a state, and one before its first poll, show what there is.
func TestLedgerSource_HoldsNothingWithoutLoadedState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(10)
		h.read(ledger.Starting, h.bot("101", "web", 1))
		earlier := h.ledger.View()
		h.read(ledger.Polling, h.bot("101", "web", 1))
		for name, published := range map[string]status.Snapshot{
			"no state":            {View: h.ledger.View(), HeldSince: time.Now()},
			"not yet running":     {View: h.ledger.View(), Loaded: earlier},
			"an empty state":      {View: h.ledger.View(), HeldSince: time.Now(), Loaded: ledger.New(ledger.Options{}).View()},
			"the state unchanged": {View: h.ledger.View(), HeldSince: time.Now(), Loaded: h.ledger.View()},
		} {
			_, until := NewLedgerSource(func() *status.Snapshot { return &published }, Options{ZeroHold: testHold}).At(time.Now())
			have := gather(t, []status.Snapshot{published}, Options{ZeroHold: testHold})
			if chats := valuesByLabels(have["wolkvox_chat_interactions_total"])["channel=web rp_id=101 "]; chats != 2 || !until.IsZero() {
				t.Errorf("%s: have %v chats until %v, want 2 until the next poll", name, chats, until)
			}
		}
	})
}

// timeline holds what one series has published and shown.
type timeline struct {
	published []point
	shown     float64
}

type point struct {
	at    time.Time
	value float64
}

// check reports an error if a series falls, shows what is not published, or lacks what was
// published a hold ago.
func (l *timeline) check(shown float64, now time.Time) error {
	defer func() { l.shown = shown }()
	newest, due := 0.0, 0.0
	for _, p := range l.published {
		newest = p.value
		if now.Sub(p.at) >= testHold {
			due = p.value
		}
	}
	if shown < l.shown || shown > newest || shown < due {
		return fmt.Errorf("have %v after %v, want %v to %v", shown, l.shown, due, newest)
	}
	return nil
}

// Polls, starts and scrapes at random times. A start is that of a process, or a reload of the
// configuration.
func TestLedgerSource_HoldsNoFigureForLongerAndNeverFalls(t *testing.T) {
	for seed := range uint64(25) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			h := newHistory(4)
			h.read(ledger.Starting, h.agent("1", "web", 1, 1))
			published := status.Snapshot{Operation: "wv0042", View: h.ledger.View(), HeldSince: time.Now()}
			series := map[string]*timeline{}
			record := func() {
				for _, set := range published.View.LabelSets {
					key := "channel=" + set.Channel + " rp_id=" + set.RoutingPoint + " "
					if series[key] == nil {
						series[key] = &timeline{}
					}
					series[key].published = append(series[key].published, point{time.Now(), float64(set.Interactions)})
				}
				for _, agent := range published.View.Agents {
					key := "agent_id=" + agent.Agent + " "
					if series[key] == nil {
						series[key] = &timeline{}
					}
					series[key].published = append(series[key].published, point{time.Now(), float64(agent.Chats)})
				}
			}
			record()
			for range 60 {
				time.Sleep(time.Duration(random.IntN(8)) * testHold / 8) // Scrapes meet the ends of holds.
				switch action := random.IntN(10); {
				case action == 0:
					published = h.restart(t, 4)
				case action < 5:
					h.read(ledger.Polling, h.agent(fmt.Sprint(random.IntN(6)), "web", 1, 1))
					published.View = h.ledger.View()
				}
				record()
				have := gather(t, []status.Snapshot{published}, Options{ZeroHold: testHold})
				for _, name := range []string{"wolkvox_chat_interactions_total", "wolkvox_agent_chats_total"} {
					for labels, shown := range valuesByLabels(have[name]) {
						if err := series[labels].check(shown, time.Now()); err != nil {
							t.Fatalf("seed %d: %s{%s}: %v", seed, name, strings.TrimSpace(labels), err)
						}
					}
				}
			}
		})
	}
}
