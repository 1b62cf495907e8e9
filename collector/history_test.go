package collector

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// history writes a book as a poller would.
type history struct {
	ledger *ledger.Ledger
	next   wolkvox.ID
}

func newHistory(maxLabelSets int) *history {
	return &history{ledger: ledger.New(ledger.Options{MaxLabelSets: maxLabelSets, Agents: true})}
}

// read books chats as a poll of now does.
func (h *history) read(reading ledger.Mode, chats ...wolkvox.Chat) {
	now := time.Now()
	t := h.ledger.Begin(wolkvox.ToLocalTime(now))
	for i := range chats {
		t.Apply(&chats[i], reading)
	}
	t.Progress.CompleteUntil = now
	t.Stamp(now)
	t.Commit()
}

// bot makes a chat that stayed with the bot.
func (h *history) bot(rpID, channel string, seconds float64) wolkvox.Chat {
	h.next++
	c := wolkvox.Chat{
		ID:           h.next,
		End:          wolkvox.ToLocalTime(time.Now()),
		RoutingPoint: rpID,
		Channel:      channel,
		LastSender:   wolkvox.ChatBot,
		Present:      1<<wolkvox.GoToAgent | 1<<wolkvox.LastSenderField,
	}
	set(&c, wolkvox.TimeOnChatbot, seconds)
	set(&c, wolkvox.TotalTime, seconds)
	set(&c, wolkvox.TimesChatted, 4)
	set(&c, wolkvox.CustomerChars, 60)
	return c
}

// agent makes a chat that was handed over, to agent 1201 or 1202.
func (h *history) agent(rpID, channel string, asa, handle float64) wolkvox.Chat {
	c := h.bot(rpID, channel, 30)
	c.HandedOff, c.LastSender = true, wolkvox.Agent
	c.Agent = fmt.Sprint(1201 + h.next%2)
	set(&c, wolkvox.ASA, asa)
	set(&c, wolkvox.TimeWithAgent, handle)
	set(&c, wolkvox.TotalTime, 30+asa+handle)
	set(&c, wolkvox.AgentChars, 250)
	return c
}

func set(c *wolkvox.Chat, f wolkvox.Field, value float64) {
	c.Numbers[f] = value
	c.Present |= 1 << f
}

func unset(c wolkvox.Chat, fields ...wolkvox.Field) wolkvox.Chat {
	for _, f := range fields {
		c.Present &^= 1 << f
	}
	return c
}

func malformed(c wolkvox.Chat, f wolkvox.Field) wolkvox.Chat {
	c = unset(c, f)
	c.Malformed |= 1 << f
	return c
}

// source is implemented by [LedgerSource] and [PollingSource].
type source interface {
	Version() any
	At(now time.Time) (prometheus.Collector, time.Time)
}

// sources returns the sources of an operation that publishes nothing more.
func sources(published *status.Snapshot, options Options) []source {
	snapshot := func() *status.Snapshot { return published }
	return []source{NewLedgerSource(snapshot, options), NewPollingSource(snapshot, NewAPIMetrics(), NewSaveMetrics())}
}

// newCollector returns a collector of what a source shows at each scrape.
func newCollector(s source) prometheus.Collector {
	return collectFunc(func(ch chan<- prometheus.Metric) {
		metrics, _ := s.At(time.Now())
		metrics.Collect(ch)
	})
}

// register registers the metrics of operations.
func register(reg prometheus.Registerer, operations []status.Snapshot, options Options) {
	for i := range operations {
		for _, s := range sources(&operations[i], options) {
			reg.MustRegister(newCollector(s))
		}
	}
}

// gather collects as a pedantic registry does, by family.
func gather(t testing.TB, operations []status.Snapshot, options Options) map[string]*dto.MetricFamily {
	t.Helper()
	reg := prometheus.NewPedanticRegistry()
	register(reg, operations, options)
	return gatherFrom(t, reg)
}

func gatherFrom(t testing.TB, g prometheus.Gatherer) map[string]*dto.MetricFamily {
	t.Helper()
	gathered, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	byName := map[string]*dto.MetricFamily{}
	for _, f := range gathered {
		byName[f.GetName()] = f
	}
	return byName
}

// valuesByLabels are the values of a family's metrics, a histogram's count for each,
// by their labels.
func valuesByLabels(f *dto.MetricFamily) map[string]float64 {
	values := map[string]float64{}
	for _, m := range f.GetMetric() {
		labels := ""
		for _, l := range m.GetLabel() {
			if l.GetName() != "operation" {
				labels += fmt.Sprintf("%s=%s ", l.GetName(), l.GetValue())
			}
		}
		switch {
		case m.Counter != nil:
			values[labels] = m.GetCounter().GetValue()
		case m.Gauge != nil:
			values[labels] = m.GetGauge().GetValue()
		case m.Summary != nil:
			values[labels] = float64(m.GetSummary().GetSampleCount())
		default:
			values[labels] = float64(m.GetHistogram().GetSampleCount())
		}
	}
	return values
}

// counting is a response whose body is counted and dropped.
type counting struct {
	header http.Header
	bytes  int
}

func (c *counting) Header() http.Header { return c.header }

func (c *counting) WriteHeader(int) {}

func (c *counting) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}
