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
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/exposition"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

const (
	acceptText        = "text/plain"
	acceptOpenMetrics = string(expfmt.FmtOpenMetrics_1_0_0)
	acceptProtobuf    = string(expfmt.FmtProtoDelim)
)

// newHandler serves operations as the exporter does.
func newHandler(reg *prometheus.Registry, snapshots func() []status.Snapshot, options Options) *exposition.Handler {
	ledgers := NewLedgerCollector(snapshots, options)
	return exposition.NewHandler(reg, func(now time.Time) exposition.Collection { return ledgers.At(now) }, nil)
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

func scraped(t testing.TB, h http.Handler, accept string) string {
	t.Helper()
	return answer(t, h, accept).Body.String()
}

// served serves operations that come, go and are polled.
type served struct {
	operations []status.Snapshot
	registry   *prometheus.Registry
	options    Options
	handler    *exposition.Handler
}

func newServed(options Options) *served {
	s := &served{registry: prometheus.NewRegistry(), options: options}
	s.handler = newHandler(s.registry, func() []status.Snapshot { return s.operations }, options)
	return s
}

// reference serves the same by promhttp.
func (s *served) reference() http.Handler {
	ledgers := prometheus.NewRegistry()
	ledgers.MustRegister(NewLedgerCollector(always(s.operations), s.options))
	return promhttp.HandlerFor(prometheus.Gatherers{s.registry, ledgers}, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: s.registry})
}

// A change of what is shown is in the next scrape, however often the figures before it
// were scraped.
func TestCollection_IsNeverServedStale(t *testing.T) {
	const hold = 2 * time.Minute
	synctest.Test(t, func(t *testing.T) {
		s := newServed(Options{ZeroHold: hold, NativeHistograms: true})
		first, second := newHistory(10), newHistory(10)
		var now string
		step := func(name string, changed bool) {
			t.Helper()
			before := now
			for _, accept := range []string{acceptText, acceptText + ";version=0.0.4;escaping=dots", acceptOpenMetrics, acceptProtobuf} {
				for range 2 {
					if have, want := scraped(t, s.handler, accept), scraped(t, s.reference(), accept); have != want {
						compareLines(t, have, want)
					}
				}
			}
			if now = scraped(t, s.handler, acceptText); (now != before) != changed {
				t.Errorf("%s: changed is %t, want %t", name, now != before, changed)
			}
		}
		names := map[string]string{"101": "Ventas"}
		publish := func() {
			s.operations = nil
			for name, h := range map[string]*history{"first": first, "second": second} {
				if h != nil {
					s.operations = append(s.operations, status.Snapshot{Operation: name, View: h.ledger.View(), Status: status.Status{RoutingPoints: names}})
				}
			}
			slices.SortFunc(s.operations, func(a, b status.Snapshot) int { return strings.Compare(a.Operation, b.Operation) })
		}
		s.operations = []status.Snapshot{{Operation: "first"}, {Operation: "second"}}
		step("loading", true)
		publish()
		step("loaded", true)
		first.read(ledger.Starting, first.agent("101", "whatsapp", 10, 100))
		second.read(ledger.Starting, second.bot("201", "web", 10))
		publish()
		step("first poll", true)
		time.Sleep(time.Hour)
		step("time passes", false)
		first.read(ledger.Polling, first.agent("102", "whatsapp", 10, 100))
		publish()
		step("a label set is born", true)
		time.Sleep(hold / 2)
		second.read(ledger.Polling, second.bot("202", "web", 10))
		publish()
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
		for i := range s.operations {
			s.operations[i].Status.RoutingPoints = names
		}
		step("a routing point is renamed between polls", true)

		kept := second
		second = nil
		publish()
		step("an operation goes", true)
		second = kept
		publish()
		step("it is back", true)
		first, second = second, first
		publish()
		step("their names are swapped", true)
		first = newHistory(10)
		publish()
		step("one starts again from nothing", true)
		first, second = nil, nil
		publish()
		step("all go", true)
	})
}

// Each scrape shows one moment, whatever is scraped at the same time.
func TestCollection_IsOneStateWhileStatesAreSwapped(t *testing.T) {
	var current atomic.Pointer[status.Snapshot]
	h := newHistory(10)
	publish := func() { current.Store(&status.Snapshot{Operation: "wv0042", View: h.ledger.View()}) }
	h.read(ledger.Starting, h.agent("0", "web", 1, 1))
	publish()
	snapshots := func() []status.Snapshot { return []status.Snapshot{*current.Load()} }
	reg := prometheus.NewRegistry()
	reg.MustRegister(NewPollingCollector(snapshots))
	handler := newHandler(reg, snapshots, Options{NativeHistograms: true})

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
	for i := range 200 {
		h.read(ledger.Polling, h.agent(fmt.Sprint(i%20), "web", float64(i), float64(int(1)<<(i%20))), h.agent("0", "web", 0, 0))
		publish()
	}
	close(done)
	scrapers.Wait()
}
