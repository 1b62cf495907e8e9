package collector

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/poller"
)

const (
	acceptText        = "text/plain"
	acceptOpenMetrics = string(expfmt.FmtOpenMetrics_1_0_0)
	acceptProtobuf    = string(expfmt.FmtProtoDelim)
)

// accepts are what scrapers ask for: each format, escaping schemes, none in particular.
var accepts = func() (made []string) {
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		made = append(made, string(format))
	}
	for _, escaping := range []string{"allow-utf-8", "underscores", "dots", "values"} {
		made = append(made, acceptText+";version=0.0.4;escaping="+escaping)
	}
	return append(made, "", "text/html, */*;q=0.8")
}()

// asked is the answer to a scrape.
func asked(t *testing.T, h http.Handler, accept, encodings string) *httptest.ResponseRecorder {
	t.Helper()
	return askedFor(t, h, "/metrics", accept, encodings)
}

func askedFor(t *testing.T, h http.Handler, path, accept, encodings string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	request.Header.Set("Accept", accept)
	if encodings != "" {
		request.Header.Set("Accept-Encoding", encodings)
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, request)
	return recorder
}

// text is a response's body, which is one gzip file if it is any.
func text(t testing.TB, response *httptest.ResponseRecorder) string {
	t.Helper()
	if response.Header().Get("Content-Encoding") != "gzip" {
		return response.Body.String()
	}
	reader, err := gzip.NewReader(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	reader.Multistream(false)
	body, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Len() > 0 {
		t.Fatalf("have %d bytes after the gzip file, which not every client reads", response.Body.Len())
	}
	return string(body)
}

// promhttpOf serves the same as promhttp does.
func promhttpOf(e *Exposition) http.Handler {
	reg, alone := e.others.(*prometheus.Registry), prometheus.NewRegistry()
	alone.MustRegister(e.books)
	return promhttp.HandlerFor(prometheus.Gatherers{reg, alone}, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: reg})
}

// asPromhttp checks that an answer is promhttp's, but for what compressing came to.
func asPromhttp(t *testing.T, e *Exposition, path, accept, encodings string) {
	t.Helper()
	have, want := askedFor(t, e, path, accept, encodings), askedFor(t, promhttpOf(e), path, accept, encodings)
	if have.Code != want.Code {
		t.Errorf("have status %d, want %d", have.Code, want.Code)
	}
	if have, want := fmt.Sprint(have.Header()), fmt.Sprint(want.Header()); have != want {
		t.Errorf("have header %s, want %s", have, want)
	}
	compareLines(t, text(t, have), text(t, want))
}

// served are operations that come, go and are polled.
type served struct {
	operations []Operation
	*Exposition
}

func newServed(options Options) *served {
	s := &served{}
	reg := prometheus.NewRegistry()
	NewAPIMetrics(reg, "wv0042")
	MeasureSaves(reg, "wv0042", &memory{})
	s.Exposition = NewExposition(reg, NewBooks(func() []Operation { return s.operations }, options), nil)
	return s
}

// Whatever changes what is shown, changes it at the next scrape, however often what was
// before has been asked for.
func TestAnExpositionIsNeverStale(t *testing.T) {
	const hold = 2 * time.Minute
	for _, encodings := range []string{"", "gzip"} {
		t.Run("encodings="+encodings, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServed(Options{ZeroHold: hold, NativeHistograms: true})
				first, second := newHistory(10), newHistory(10)
				var now string
				step := func(name string, changed bool) {
					t.Helper()
					before := now
					for _, accept := range []string{acceptText, acceptText + ";version=0.0.4;escaping=dots", acceptOpenMetrics, acceptProtobuf} {
						for range 2 {
							asPromhttp(t, s.Exposition, "/metrics", accept, encodings)
						}
					}
					if now = text(t, asked(t, s, acceptText, encodings)); (now != before) != changed {
						t.Errorf("%s: changed is %t, want %t", name, now != before, changed)
					}
				}
				names := map[string]string{"101": "Ventas"}
				publish := func() {
					s.operations = nil
					for name, h := range map[string]*history{"first": first, "second": second} {
						if h != nil {
							s.operations = append(s.operations, Operation{name, fixed{View: h.book.View(), Status: poller.Status{RoutingPoints: names}}})
						}
					}
					slices.SortFunc(s.operations, func(a, b Operation) int { return strings.Compare(a.Name, b.Name) })
				}
				s.operations = []Operation{{"first", fixed{}}, {"second", fixed{}}}
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
					snapshot := s.operations[i].Source.Snapshot()
					snapshot.Status.RoutingPoints = names
					s.operations[i].Source = fixed(snapshot)
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
				step("one begins anew", true)
				first, second = nil, nil
				publish()
				step("all go", true)
			})
		})
	}
}

func TestAnExpositionIsPromhttps(t *testing.T) {
	s := newServed(Options{NativeHistograms: true})
	h := newHistory(10)
	h.read(ledger.Starting, h.agent("101", "whatsapp", 10, 100), h.bot("101", "web", 10))
	s.operations = []Operation{{"wv0042", fixed{View: h.book.View()}}}
	for _, accept := range accepts {
		t.Run("accept "+accept, func(t *testing.T) { asPromhttp(t, s.Exposition, "/metrics", accept, "gzip") })
	}
	for _, encodings := range []string{
		"", "gzip", "gzip, deflate, br, zstd", "deflate,gzip", "deflate", "identity", "identity, gzip", "gzip,identity",
		"*", "gzip, *", "gzip;q=1", "gzip;q=0", "gzip;q=0.1, identity;q=0.2", "identity;q=0", "GZIP", "gzipped",
		"*;q=0", "gzip;q=0.5, *;q=0.4", "*;q=0.4, gzip ; q=0.5", "identity;q=0.5, gzip;q=1.0", "gzip;q=0.5, gzip;q=0.2, identity;q=0.3",
	} {
		t.Run("encodings "+encodings, func(t *testing.T) { asPromhttp(t, s.Exposition, "/metrics", acceptText, encodings) })
	}
	for _, query := range []string{
		"name[]=wolkvox_chat_messages&name[]=wolkvox_exporter_state_bytes", "name[]=wolkvox_chat_messages", "name[]=", "name[]=none", "name=wolkvox_up",
	} {
		for _, accept := range accepts {
			for _, encodings := range []string{"", "gzip"} {
				t.Run("query "+query, func(t *testing.T) { asPromhttp(t, s.Exposition, "/metrics?"+query, accept, encodings) })
			}
		}
	}
}

// lines are what was logged.
type lines []string

func (l *lines) Println(v ...any) { *l = append(*l, fmt.Sprint(v...)) }

func TestAScrapeThatFailsSaysWhy(t *testing.T) {
	h := newHistory(10)
	h.read(ledger.Starting, h.bot("101", "web", 10))
	wv0042 := Operation{"wv0042", fixed{View: h.book.View()}}
	broken := prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "", nil, nil), errors.New("out of order"))
	for _, test := range []struct {
		name       string
		operations []Operation
		others     prometheus.Collector
		want       string
	}{
		{"books", []Operation{wv0042, wv0042}, NewPolling(), "was collected before with the same name and label values"},
		{"others", []Operation{wv0042}, prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) { ch <- broken }), "out of order"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var logged lines
			reg := prometheus.NewRegistry()
			reg.MustRegister(test.others)
			e := NewExposition(reg, NewBooks(always(test.operations), Options{}), &logged)
			for range 2 {
				logged = nil
				have := asked(t, e, acceptText, "gzip")
				if have.Code != 500 || !strings.Contains(have.Body.String(), test.want) {
					t.Errorf("have %d %q, want 500 and %q", have.Code, have.Body, test.want)
				}
				if len(logged) != 1 || !strings.Contains(logged[0], test.want) {
					t.Errorf("have %q logged, want one line with %q", logged, test.want)
				}
			}
		})
	}
}

// What is kept has no part that a client could make larger.
func TestExposition_KeepsOneEncodingForEachFormat(t *testing.T) {
	s := newServed(Options{})
	h := newHistory(10)
	poll := func() {
		h.read(ledger.Polling, h.bot("101", "web", 10))
		s.operations = []Operation{{"wv0042", fixed{View: h.book.View()}}}
	}
	poll()
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		for _, escaping := range []string{"", ";escaping=allow-utf-8", ";escaping=underscores", ";escaping=dots", ";escaping=values", ";escaping=other"} {
			for _, encodings := range []string{"", "gzip", "gzip;q=1", "*", "identity;q=0", "br"} {
				for _, path := range []string{"/metrics", "/metrics?name[]=wolkvox_chat_messages", "/metrics?name[]="} {
					askedFor(t, s, path, string(format)+escaping, encodings)
				}
			}
		}
	}
	if have, want := len(s.edition.encoded), 2*len(expfmt.DefaultOpenMetricsAcceptedFormats()); have != want {
		t.Errorf("have %d encodings kept, want %d: with names as they are and with dots escaped", have, want)
	}
	poll()
	asked(t, s, acceptText, "gzip")
	if have := len(s.edition.encoded); have != 1 {
		t.Errorf("have %d encodings kept after a poll, want the one that was asked for since", have)
	}
}

// Encoding the books at each scrape would show in nothing but the costs.
func TestExposition_EncodesBooksOncePerPoll(t *testing.T) {
	h := newHistory(30)
	h.read(ledger.Starting, h.spread(30)...)
	for _, ask := range []struct{ query, encodings string }{
		{"", "gzip"}, {"", "gzip;q=1"}, {"", "*"}, {"", "identity;q=0"}, {"", ""}, {"?name[]=wolkvox_chat_messages", "gzip"}, {"?name[]=wolkvox_chat_messages", ""},
	} {
		t.Run(ask.query+" "+ask.encodings, func(t *testing.T) {
			s := newServed(Options{})
			s.operations = []Operation{{"wv0042", fixed{View: h.book.View()}}}
			request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics"+ask.query, nil)
			request.Header.Set("Accept-Encoding", ask.encodings)
			scrape := func() { s.ServeHTTP(&counting{header: http.Header{}}, request) }
			scrape()
			kept := testing.AllocsPerRun(3, scrape)
			anew := testing.AllocsPerRun(3, func() {
				s.operations = []Operation{{"wv0042", fixed{View: h.book.View()}}}
				scrape()
			})
			if kept > anew/10 {
				t.Errorf("have %v allocations in a scrape, want a tenth at most of the %v after a poll", kept, anew)
			}
		})
	}
}

// Each scrape is one moment's, whatever is asked for beside it.
func TestScrapesSeeOneStateWhileItIsSwapped(t *testing.T) {
	var source swapped
	h := newHistory(10)
	publish := func() { source.now.Store(&poller.Snapshot{View: h.book.View()}) }
	h.read(ledger.Starting, h.agent("0", "web", 1, 1))
	publish()
	operation := Operation{"wv0042", &source}
	reg := prometheus.NewRegistry()
	reg.MustRegister(NewPolling(operation))
	e := NewExposition(reg, NewBooks(always([]Operation{operation}), Options{NativeHistograms: true}), nil)

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
				response := asked(t, e, accept, "gzip")
				families := decodeFamilies(t, strings.NewReader(text(t, response)), expfmt.ResponseFormat(response.Header()))
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
