package exposition

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
)

const (
	acceptText        = "text/plain"
	acceptOpenMetrics = string(expfmt.FmtOpenMetrics_1_0_0)
	acceptProtobuf    = string(expfmt.FmtProtoDelim)
)

// accepts are the Accept headers of scrapers: each format, escaping schemes, none in particular.
var accepts = func() (made []string) {
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		made = append(made, string(format))
	}
	for _, escaping := range []string{"allow-utf-8", "underscores", "dots", "values"} {
		made = append(made, acceptText+";version=0.0.4;escaping="+escaping)
	}
	return append(made, "", "text/html, */*;q=0.8")
}()

// asked returns the answer to a scrape.
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

// text returns a response's body, decompressed if it is one gzip file.
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

// fakeCollection is a collection of 100 histograms and a counter, whose value is its
// edition.
type fakeCollection struct {
	*prometheus.Registry
	edition int
	until   time.Time
}

func newFakeCollection(edition int) *fakeCollection {
	c := &fakeCollection{prometheus.NewRegistry(), edition, time.Time{}}
	histograms := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "wolkvox_chat_messages", Help: "Messages sent.", NativeHistogramBucketFactor: 1.1, Buckets: []float64{1, 2, 5},
	}, []string{"rp_id"})
	for i := range 100 {
		histograms.WithLabelValues(fmt.Sprint(i)).Observe(float64(i))
	}
	editions := prometheus.NewCounter(prometheus.CounterOpts{Name: "wolkvox_edition_total", Help: "The edition."})
	editions.Add(float64(edition))
	c.MustRegister(histograms, editions)
	return c
}

func (c *fakeCollection) Equal(other prometheus.Collector) bool {
	o, ok := other.(*fakeCollection)
	return ok && o.edition == c.edition
}

func (c *fakeCollection) ValidUntil() time.Time { return c.until }

// served serves a collection that can be replaced.
type served struct {
	collection Collection
	registry   *prometheus.Registry
	*Handler
}

func newServed(edition int) *served {
	s := &served{collection: newFakeCollection(edition), registry: prometheus.NewRegistry()}
	for _, name := range []string{"a_total", "wolkvox_d_total", "z_total"} {
		s.registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "Sorted around the collection."}))
	}
	s.Handler = NewHandler(s.registry, func(time.Time) Collection { return s.collection }, nil)
	return s
}

// asPromhttp checks that an answer is promhttp's, except for how it is compressed.
func asPromhttp(t *testing.T, s *served, path, accept, encodings string) {
	t.Helper()
	alone := prometheus.NewRegistry()
	alone.MustRegister(s.collection)
	reference := promhttp.HandlerFor(prometheus.Gatherers{s.registry, alone}, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: s.registry})
	have, want := askedFor(t, s, path, accept, encodings), askedFor(t, reference, path, accept, encodings)
	if have.Code != want.Code {
		t.Errorf("have status %d, want %d", have.Code, want.Code)
	}
	if have, want := fmt.Sprint(have.Header()), fmt.Sprint(want.Header()); have != want {
		t.Errorf("have header %s, want %s", have, want)
	}
	if have, want := text(t, have), text(t, want); have != want {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
}

func TestHandler_ServesWhatPromhttpServes(t *testing.T) {
	s := newServed(1)
	for _, accept := range accepts {
		t.Run("accept "+accept, func(t *testing.T) { asPromhttp(t, s, "/metrics", accept, "gzip") })
	}
	for _, encodings := range []string{
		"", "gzip", "gzip, deflate, br, zstd", "deflate,gzip", "deflate", "identity", "identity, gzip", "gzip,identity",
		"*", "gzip, *", "gzip;q=1", "gzip;q=0", "gzip;q=0.1, identity;q=0.2", "identity;q=0", "GZIP", "gzipped",
		"*;q=0", "gzip;q=0.5, *;q=0.4", "*;q=0.4, gzip ; q=0.5", "identity;q=0.5, gzip;q=1.0", "gzip;q=0.5, gzip;q=0.2, identity;q=0.3",
	} {
		t.Run("encodings "+encodings, func(t *testing.T) { asPromhttp(t, s, "/metrics", acceptText, encodings) })
	}
	for _, query := range []string{
		"name[]=wolkvox_chat_messages&name[]=wolkvox_exporter_state_bytes", "name[]=wolkvox_chat_messages", "name[]=", "name[]=none", "name=wolkvox_up",
	} {
		for _, accept := range accepts {
			for _, encodings := range []string{"", "gzip"} {
				t.Run("query "+query, func(t *testing.T) { asPromhttp(t, s, "/metrics?"+query, accept, encodings) })
			}
		}
	}
}

// A collection is replaced when another is not equal to it, and when its time is over.
func TestHandler_ServesTheCurrentCollection(t *testing.T) {
	s := newServed(1)
	step := func(collection *fakeCollection, want string) {
		t.Helper()
		s.collection = collection
		for _, accept := range accepts {
			for _, encodings := range []string{"", "gzip"} {
				asked(t, s, accept, encodings)
			}
		}
		if have := text(t, asked(t, s, acceptText, "gzip")); !strings.Contains(have, "\nwolkvox_edition_total "+want+"\n") {
			t.Errorf("have no edition %s in\n%s", want, have)
		}
	}
	other := newFakeCollection(2)
	other.edition = 1 // equal, but it shows another value
	step(newFakeCollection(1), "1")
	step(other, "1")
	step(newFakeCollection(3), "3")
	past := newFakeCollection(4)
	past.until = time.Now()
	step(past, "4")
	other.edition = 4
	step(other, "2")
}

// lines are what was logged.
type lines []string

func (l *lines) Println(v ...any) { *l = append(*l, fmt.Sprint(v...)) }

func TestHandler_ReportsWhyScrapeFails(t *testing.T) {
	broken := prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
		ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "", nil, nil), errors.New("out of order"))
	})
	collection, others := newFakeCollection(1), prometheus.NewRegistry()
	collection.MustRegister(broken)
	others.MustRegister(broken)
	for _, test := range []struct {
		name       string
		collection Collection
		others     *prometheus.Registry
	}{
		{"collection", collection, prometheus.NewRegistry()},
		{"others", newFakeCollection(1), others},
	} {
		t.Run(test.name, func(t *testing.T) {
			var logged lines
			h := NewHandler(test.others, func(time.Time) Collection { return test.collection }, &logged)
			for range 2 {
				logged = nil
				have := asked(t, h, acceptText, "gzip")
				if have.Code != 500 || !strings.Contains(have.Body.String(), "out of order") {
					t.Errorf("have %d %q, want 500 and the reason", have.Code, have.Body)
				}
				if len(logged) != 1 || !strings.Contains(logged[0], "out of order") {
					t.Errorf("have %q logged, want one line with the reason", logged)
				}
			}
		})
	}
}

// The cache has no part that a client could make larger.
func TestHandler_CachesOneEncodingPerFormat(t *testing.T) {
	s := newServed(1)
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		for _, escaping := range []string{"", ";escaping=allow-utf-8", ";escaping=underscores", ";escaping=dots", ";escaping=values", ";escaping=other"} {
			for _, encodings := range []string{"", "gzip", "gzip;q=1", "*", "identity;q=0", "br"} {
				for _, path := range []string{"/metrics", "/metrics?name[]=wolkvox_chat_messages", "/metrics?name[]="} {
					askedFor(t, s, path, string(format)+escaping, encodings)
				}
			}
		}
	}
	if have, want := len(s.cached.encoded), 2*len(expfmt.DefaultOpenMetricsAcceptedFormats()); have != want {
		t.Errorf("have %d encodings kept, want %d: with names as they are and with dots escaped", have, want)
	}
	s.collection = newFakeCollection(2)
	asked(t, s, acceptText, "gzip")
	if have := len(s.cached.encoded); have != 1 {
		t.Errorf("have %d encodings kept after a change, want the one that was asked for since", have)
	}
}

// Encoding the collection at each scrape would show in nothing but the costs.
func TestHandler_EncodesOncePerChange(t *testing.T) {
	for _, ask := range []struct{ query, encodings string }{
		{"", "gzip"}, {"", "gzip;q=1"}, {"", "*"}, {"", "identity;q=0"}, {"", ""}, {"?name[]=wolkvox_chat_messages", "gzip"}, {"?name[]=wolkvox_chat_messages", ""},
	} {
		t.Run(ask.query+" "+ask.encodings, func(t *testing.T) {
			s := newServed(1)
			request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics"+ask.query, nil)
			request.Header.Set("Accept-Encoding", ask.encodings)
			scrape := func() { s.ServeHTTP(discarding{http.Header{}}, request) }
			scrape()
			unchanged := testing.AllocsPerRun(3, scrape)
			collection, edition := newFakeCollection(1), 1
			changed := testing.AllocsPerRun(3, func() {
				edition++
				next := *collection
				next.edition = edition
				s.collection = &next
				scrape()
			})
			if unchanged > changed/10 {
				t.Errorf("have %v allocations in a scrape, want a tenth at most of the %v after a change", unchanged, changed)
			}
		})
	}
}

// discarding is a response whose body is dropped.
type discarding struct{ header http.Header }

func (d discarding) Header() http.Header { return d.header }

func (discarding) WriteHeader(int) {}

func (discarding) Write(p []byte) (int, error) { return len(p), nil }
