package exposition

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
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

// fakeSource has 12 histograms and a counter, whose value is its edition. Its version is
// another one if the test says so.
type fakeSource struct {
	name    string // a label
	version int
	edition int
	until   time.Time
	next    int // the edition from then on
	broken  error
	encoded int // how often
}

func (f *fakeSource) Version() any { return f.version }

func (f *fakeSource) At(now time.Time) (prometheus.Collector, time.Time) {
	f.encoded++
	edition, until := f.edition, f.until
	if !until.IsZero() && !now.Before(until) {
		edition, until = f.next, time.Time{}
	}
	return f.metrics(edition), until
}

// metrics returns the metrics of an edition.
func (f *fakeSource) metrics(edition int) *prometheus.Registry {
	reg, labels := prometheus.NewRegistry(), prometheus.Labels{"operation": f.name}
	histograms := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "wolkvox_chat_messages", Help: "Messages sent.", NativeHistogramBucketFactor: 1.1, Buckets: []float64{1, 2, 5}, ConstLabels: labels,
		NativeHistogramMaxBucketNumber: 160,
	}, []string{"rp_id"})
	for i := range 12 {
		histograms.WithLabelValues(fmt.Sprint(i)).Observe(float64(i))
	}
	editions := prometheus.NewCounter(prometheus.CounterOpts{Name: "wolkvox_edition_total", Help: "The edition, which is \\ \n long.", ConstLabels: labels})
	editions.Add(float64(edition))
	reg.MustRegister(histograms, editions)
	if f.broken != nil {
		reg.MustRegister(broken)
	}
	return reg
}

// broken has a metric that cannot be collected.
var broken = prometheus.CollectorFunc(func(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("broken", "", nil, nil), errors.New("out of order"))
})

// served serves groups, and metrics that are sorted before, between and after theirs.
type served struct {
	sources  []*fakeSource
	groups   []*Group
	registry *prometheus.Registry
	*Handler
}

func newServed(sources ...*fakeSource) *served {
	s := &served{sources: sources, registry: prometheus.NewRegistry()}
	for _, name := range []string{"a_total", "wolkvox_d_total", "z_total"} {
		s.registry.MustRegister(prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: "Sorted around the groups."}))
	}
	for _, source := range sources {
		s.groups = append(s.groups, NewGroup(source))
	}
	s.Handler = NewHandler(s.registry, func() []*Group { return s.groups }, nil)
	return s
}

// asPromhttp checks that an answer is promhttp's, except for how it is compressed.
func asPromhttp(t *testing.T, s *served, path, accept, encodings string) {
	t.Helper()
	gatherers := prometheus.Gatherers{s.registry}
	for _, source := range s.sources {
		gatherers = append(gatherers, source.metrics(source.edition))
	}
	reference := promhttp.HandlerFor(gatherers, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: s.registry})
	have, want := askedFor(t, s, path, accept, encodings), askedFor(t, reference, path, accept, encodings)
	if have.Code != want.Code {
		t.Errorf("have status %d, want %d", have.Code, want.Code)
	}
	if have, want := fmt.Sprint(have.Header()), fmt.Sprint(want.Header()); have != want {
		t.Errorf("have header %s, want %s", have, want)
	}
	format := expfmt.Format(have.Header().Get("Content-Type"))
	if have, want := normal(t, text(t, have), format), normal(t, text(t, want), format); have != want {
		wantSameText(t, have, want)
	}
}

// wantSameText reports the first difference: a whole exposition is too long to read.
func wantSameText(t *testing.T, have, want string) {
	t.Helper()
	at := 0
	for at < min(len(have), len(want)) && have[at] == want[at] {
		at++
	}
	excerpt := func(s string) string { return s[max(0, at-80):min(len(s), at+80)] }
	t.Errorf("at byte %d: have %q, want %q", at, excerpt(have), excerpt(want))
}

// normal returns a body without the time at which metrics were created, and without the
// random spaces of protobuf's text formats.
func normal(t *testing.T, body string, format expfmt.Format) string {
	t.Helper()
	switch format.FormatType() {
	case expfmt.TypeProtoDelim:
		var families []string
		decoder := expfmt.NewDecoder(strings.NewReader(body), format)
		for {
			var f dto.MetricFamily
			if err := decoder.Decode(&f); errors.Is(err, io.EOF) {
				return strings.Join(families, "\n")
			} else if err != nil {
				t.Fatal(err)
			}
			families = append(families, normal(t, f.String(), expfmt.FmtProtoCompact))
		}
	case expfmt.TypeProtoText, expfmt.TypeProtoCompact:
		body = regexp.MustCompile(`created_timestamp:\s*\{[^}]*\}`).ReplaceAllString(body, "")
		return regexp.MustCompile(`[ \n]+`).ReplaceAllString(body, " ")
	default:
		return body
	}
}

func TestHandler_ServesWhatPromhttpServes(t *testing.T) {
	s := newServed(&fakeSource{name: "first", edition: 1}, &fakeSource{name: "second", edition: 2})
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

func TestGroup_ShowsTheNewestVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{name: "first", edition: 1}
		s := newServed(source)
		want := func(edition int) {
			t.Helper()
			for _, accept := range accepts {
				for _, encodings := range []string{"", "gzip"} {
					asked(t, s, accept, encodings)
				}
			}
			if have := text(t, asked(t, s, acceptText, "gzip")); !strings.Contains(have, fmt.Sprintf("\nwolkvox_edition_total{operation=\"first\"} %d\n", edition)) {
				t.Errorf("have no edition %d in\n%s", edition, have)
			}
		}
		want(1)
		source.edition = 2 // Only the version says that the metrics have changed.
		want(1)
		source.version++
		want(2)
		source.version, source.edition, source.next, source.until = 2, 3, 4, time.Now().Add(time.Minute)
		want(3)
		time.Sleep(time.Minute - time.Nanosecond)
		want(3)
		time.Sleep(time.Nanosecond)
		want(4)
	})
}

// No scrape encodes what was encoded when it was published, and none encodes it again.
func TestGroup_EncodesWhenPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &fakeSource{name: "first", edition: 1}
		s := newServed(source)
		scrape := func(want int) {
			t.Helper()
			source.encoded = 0
			for range 3 {
				for _, path := range []string{"/metrics", "/metrics?name[]=wolkvox_edition_total"} {
					for _, encodings := range []string{"", "gzip"} {
						for _, accept := range []string{acceptOpenMetrics, acceptText} {
							askedFor(t, s, path, accept, encodings)
						}
					}
				}
			}
			if source.encoded != want {
				t.Errorf("have %d encodings during scrapes, want %d", source.encoded, want)
			}
		}
		publish := func(want int) {
			t.Helper()
			source.version++
			source.encoded = 0
			s.groups[0].Encode()
			if source.encoded != want {
				t.Errorf("have %d encodings when published, want %d", source.encoded, want)
			}
		}
		publish(1) // OpenMetrics is expected.
		scrape(1)  // The other format was not.
		publish(2)
		scrape(0)
		source.until = time.Now().Add(time.Minute)
		publish(4) // A known change is encoded ahead of it.
		time.Sleep(time.Minute)
		scrape(0)
		source.until = time.Now().Add(time.Hour)
		publish(2) // This one is too far away.
		time.Sleep(unusedAfter)
		publish(2)
		time.Sleep(time.Second)
		publish(0) // Neither format was scraped for so long.
		scrape(2)
	})
}

// lines are what was logged.
type lines []string

func (l *lines) Println(v ...any) { *l = append(*l, fmt.Sprint(v...)) }

func TestHandler_ReportsWhyScrapeFails(t *testing.T) {
	others := prometheus.NewRegistry()
	others.MustRegister(broken)
	for _, test := range []struct {
		name   string
		source *fakeSource
		others *prometheus.Registry
	}{
		{"group", &fakeSource{broken: errors.New("broken")}, prometheus.NewRegistry()},
		{"registry", &fakeSource{}, others},
	} {
		t.Run(test.name, func(t *testing.T) {
			var logged lines
			group := NewGroup(test.source)
			group.Encode()
			h := NewHandler(test.others, func() []*Group { return []*Group{group} }, &logged)
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

// No client can make a group larger.
func TestGroup_KeepsOneEncodingPerFormat(t *testing.T) {
	s := newServed(&fakeSource{})
	for _, format := range expfmt.DefaultOpenMetricsAcceptedFormats() {
		for _, escaping := range []string{"", ";escaping=allow-utf-8", ";escaping=underscores", ";escaping=dots", ";escaping=values", ";escaping=other"} {
			for _, encodings := range []string{"", "gzip", "gzip;q=1", "*", "identity;q=0", "br"} {
				for _, path := range []string{"/metrics", "/metrics?name[]=wolkvox_chat_messages", "/metrics?name[]="} {
					askedFor(t, s, path, string(format)+escaping, encodings)
				}
			}
		}
	}
	if have, want := len(s.groups[0].encodings), 2*len(expfmt.DefaultOpenMetricsAcceptedFormats()); have != want {
		t.Errorf("have %d encodings kept, want %d: with names as they are and with dots escaped", have, want)
	}
}
