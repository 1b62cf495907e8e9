package collector

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	acceptText        = "text/plain"
	acceptOpenMetrics = string(expfmt.FmtOpenMetrics_1_0_0)
	acceptProtobuf    = string(expfmt.FmtProtoDelim)
)

// operation is a running operation that publishes snapshots.
type operation struct {
	published atomic.Pointer[status.Snapshot]
	requests  *APIMetrics
	sources   []source
	groups    []*exposition.Group
}

func newOperation(published status.Snapshot, options Options) *operation {
	o := &operation{requests: NewAPIMetrics()}
	o.published.Store(&published)
	o.sources = []source{
		NewLedgerSource(o.published.Load, options),
		NewPollingSource(o.published.Load, o.requests, NewSaveMetrics()),
	}
	for _, s := range o.sources {
		o.groups = append(o.groups, exposition.NewGroup(s))
	}
	return o
}

// publish does what the exporter does after a step of polling.
func (o *operation) publish(published status.Snapshot) {
	o.published.Store(&published)
	for _, g := range o.groups {
		g.Encode()
	}
}

// newRegistry has what every exporter has beside its own metrics.
func newRegistry() *prometheus.Registry {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return reg
}

// newHandler serves operations as the exporter does.
func newHandler(reg *prometheus.Registry, operations func() []*operation) *exposition.Handler {
	return exposition.NewHandler(reg, func() (groups []*exposition.Group) {
		for _, o := range operations() {
			groups = append(groups, o.groups...)
		}
		return groups
	}, nil)
}

// answer returns the answer to a scrape without compression.
func answer(t testing.TB, h http.Handler, accept string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil)
	request.Header.Set("Accept", accept)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder
}

// sortedLines returns the metrics of a response, a line each, in an order that depends on
// nothing but them.
func sortedLines(t *testing.T, response *httptest.ResponseRecorder) string {
	t.Helper()
	var lines []string
	format := expfmt.ResponseFormat(response.Header())
	if format.FormatType() != expfmt.TypeProtoDelim {
		lines = strings.Split(response.Body.String(), "\n")
	} else {
		for f := range decodeFamilies(t, response.Body, format) {
			header := fmt.Sprint(f.GetName(), f.GetHelp(), f.GetType())
			for _, m := range f.GetMetric() {
				lines = append(lines, header+m.String())
			}
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestSources_AreServedAsByPromhttp(t *testing.T) {
	const hold = 2 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		options := Options{ZeroHold: hold, NativeHistograms: true}
		reg := prometheus.NewRegistry()
		var operations []*operation
		handler := newHandler(reg, func() []*operation { return operations })
		reference := func() http.Handler {
			plain := prometheus.NewRegistry()
			for _, o := range operations {
				for _, s := range o.sources {
					plain.MustRegister(newCollector(s))
				}
			}
			return promhttp.HandlerFor(prometheus.Gatherers{reg, plain}, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: reg})
		}
		var now string
		step := func(name string, changed bool) {
			t.Helper()
			for _, accept := range []string{acceptText, acceptText + ";version=0.0.4;escaping=dots", acceptOpenMetrics, acceptProtobuf} {
				for range 2 {
					compareLines(t, sortedLines(t, answer(t, handler, accept)), sortedLines(t, answer(t, reference(), accept)))
				}
			}
			before := now
			if now = sortedLines(t, answer(t, handler, acceptText)); (now != before) != changed {
				t.Errorf("%s: changed is %t, want %t", name, now != before, changed)
			}
		}
		loading := status.Snapshot{Operation: "first", Status: status.Status{NotLoaded: status.StateMissing}}
		first, second := newOperation(loading, options), newOperation(loading, options)
		second.published.Load().Operation = "second"
		firstChats, secondChats := newHistory(10), newHistory(10)
		names := map[string]string{"101": "Ventas"}
		publish := func(o *operation, name string, h *history) {
			o.publish(status.Snapshot{Operation: name, View: h.ledger.View(), Status: status.Status{Up: true, RoutingPoints: names}})
		}

		operations = []*operation{first, second}
		step("not loaded", true)
		publish(first, "first", firstChats)
		publish(second, "second", secondChats)
		step("loaded", true)
		firstChats.read(ledger.Starting, firstChats.agent("101", "whatsapp", 10, 100))
		secondChats.read(ledger.Starting, secondChats.bot("201", "web", 10))
		publish(first, "first", firstChats)
		publish(second, "second", secondChats)
		step("first poll", true)
		time.Sleep(time.Hour)
		step("time passes", false)
		first.requests.Observe(wolkvox.Request{API: "chat_8", Result: wolkvox.OK, Duration: time.Second})
		step("a request without a publication", true)
		firstChats.read(ledger.Polling, firstChats.agent("102", "whatsapp", 10, 100))
		publish(first, "first", firstChats)
		step("a label set is born", true)
		time.Sleep(hold / 2)
		secondChats.read(ledger.Polling, secondChats.bot("202", "web", 10))
		publish(second, "second", secondChats)
		step("another is born later", true)
		time.Sleep(hold/2 - time.Nanosecond)
		step("just before the first one's hold ends", false)
		time.Sleep(time.Nanosecond)
		step("the first one's hold ends", true)
		time.Sleep(hold / 2)
		step("the other's hold ends", true)
		time.Sleep(time.Hour)
		step("nothing is held", false)

		names = map[string]string{"101": "Soporte"}
		publish(first, "first", firstChats)
		step("a routing point is renamed between polls", true)
		stuck := *first.published.Load()
		stuck.Status.StuckAfter = time.Now().Add(time.Minute)
		first.publish(stuck)
		step("polling is about to be stuck", false)
		time.Sleep(time.Minute + time.Nanosecond)
		step("polling is stuck", true)

		started := *second.published.Load()
		started.Loaded, started.HeldSince = started.View, time.Now()
		second.publish(started)
		step("one starts again with a state", false)
		secondChats.read(ledger.Polling, secondChats.bot("202", "web", 10))
		started.View = secondChats.ledger.View()
		second.publish(started)
		step("it polls", true)
		time.Sleep(hold - time.Nanosecond)
		step("just before the hold of the loaded figures ends", false)
		time.Sleep(time.Nanosecond)
		step("the hold of the loaded figures ends", true)
		started.Loaded = nil
		second.publish(started)
		step("the loaded figures are released", false)

		operations = []*operation{first}
		step("an operation is removed", true)
		operations = []*operation{first, second}
		step("it is added again", true)
		operations = []*operation{newOperation(*second.published.Load(), options)}
		operations[0].published.Load().Operation = "first"
		step("another operation has the name", true)
		operations = nil
		step("all are removed", true)
	})
}

// Each scrape shows one moment, whatever is scraped at the same time.
func TestLedgerSource_ShowsOneStateWhileStatesAreSwapped(t *testing.T) {
	h := newHistory(10)
	snapshot := func() status.Snapshot { return status.Snapshot{Operation: "wv0042", View: h.ledger.View()} }
	h.read(ledger.Starting, h.agent("0", "web", 1, 1))
	o := newOperation(snapshot(), Options{NativeHistograms: true})
	handler := newHandler(newRegistry(), func() []*operation { return []*operation{o} })

	var scrapers sync.WaitGroup
	done := make(chan struct{})
	for _, accept := range []string{acceptText, acceptProtobuf, acceptText, acceptProtobuf} {
		scrapers.Go(func() {
			for newest := 0.0; ; {
				select {
				case <-done:
					return
				default:
				}
				response := answer(t, handler, accept)
				families := decodeFamilies(t, response.Body, expfmt.ResponseFormat(response.Header()))
				chats, err := agree(slices.Collect(families))
				if err != nil {
					t.Error(err)
					return
				}
				if chats < newest {
					t.Errorf("have %v chats after %v", chats, newest)
				}
				newest = chats
			}
		})
	}
	for i := range 20 {
		h.read(ledger.Polling, h.agent(fmt.Sprint(i%20), "web", float64(i), float64(int(1)<<(i%20))), h.agent("0", "web", 0, 0))
		o.publish(snapshot())
	}
	close(done)
	scrapers.Wait()
}
