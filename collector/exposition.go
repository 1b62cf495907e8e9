package collector

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Exposition serves metrics as promhttp does. Encoding the books costs by far the most
// of a scrape, and they change once per poll: they are encoded at the first scrape
// after that, and sent again until they change.
type Exposition struct {
	others   prometheus.Gatherer // all metrics but those of the books
	books    *Books
	promhttp http.Handler // answers unusual requests, and those that fail

	mu      sync.Mutex
	shown   []book
	until   time.Time // when they show something else though they are the same; zero: never
	encoded map[encoding][]part
}

// encoding is how a scraper wants the metrics.
type encoding struct {
	format expfmt.Format
	gzip   bool
}

// mostEncodings are kept at once. Scrapers ask for the same always, and there are
// seldom two kinds of them.
const mostEncodings = 3

// part is a part of an exposition: a family of the books, or any of the others.
type part struct {
	family   string
	plain    []byte
	deflated []byte // nil if it is not yet
}

// NewExposition serves the books beside what is registered. Errors are logged.
func NewExposition(reg *prometheus.Registry, books *Books, errorLog promhttp.Logger) *Exposition {
	alone := prometheus.NewRegistry()
	alone.MustRegister(books)
	return &Exposition{
		others: reg,
		books:  books,
		promhttp: promhttp.HandlerFor(prometheus.Gatherers{reg, alone}, promhttp.HandlerOpts{
			EnableOpenMetrics: true,
			ErrorLog:          errorLog,
			Registry:          reg,
		}),
		encoded: map[encoding][]part{},
	}
}

// ServeHTTP implements http.Handler.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	gzip, usual := compression(r.Header)
	if !usual || r.URL.Query().Has("name[]") {
		e.promhttp.ServeHTTP(w, r)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	parts, err := e.parts(encoding{format, gzip})
	if err != nil {
		e.promhttp.ServeHTTP(w, r)
		return
	}
	header := w.Header()
	header.Add("Vary", "Accept")
	header.Add("Vary", "Accept-Encoding")
	header.Set("Content-Type", string(format))
	write := writePlain
	if gzip {
		header.Set("Content-Encoding", "gzip")
		write = writeGzip
	}
	_ = write(w, parts) // Nobody is left to tell if it fails.
}

func writePlain(w io.Writer, parts []part) error {
	for _, p := range parts {
		if _, err := w.Write(p.plain); err != nil {
			return err
		}
	}
	return nil
}

// compression tells whether a request wants gzip. What takes a closer look, weights
// above all, is not usual.
func compression(header http.Header) (gzip, usual bool) {
	accepted := strings.Join(header.Values("Accept-Encoding"), ",")
	if strings.ContainsAny(accepted, ";*") {
		return false, false
	}
	names := strings.FieldsFunc(accepted, func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(names, "gzip") && !slices.Contains(names, "identity"), true
}

// parts are the whole exposition, with the families in the order of their names.
func (e *Exposition) parts(enc encoding) ([]part, error) {
	books, err := e.encodedBooks(enc)
	if err != nil {
		return nil, err
	}
	others, err := e.others.Gather()
	if err != nil {
		return nil, err
	}
	var (
		parts   []part
		text    = bytes.NewBuffer(make([]byte, 0, 32<<10)) // What Go, the process, the API and polling take.
		done    int
		encoder = expfmt.NewEncoder(text, enc.format)
		flush   = func() {
			if text.Len() > done {
				parts = append(parts, part{plain: text.Bytes()[done:]})
				done = text.Len()
			}
		}
	)
	for _, family := range others {
		for len(books) > 0 && books[0].family < family.GetName() {
			flush()
			parts = append(parts, books[0])
			books = books[1:]
		}
		if err := encoder.Encode(family); err != nil {
			return nil, err
		}
	}
	flush()
	parts = append(parts, books...)
	if closer, ok := encoder.(expfmt.Closer); ok {
		if err := closer.Close(); err != nil {
			return nil, err
		}
	}
	flush()
	return parts, nil
}

// encodedBooks are the families of the books as they are now.
func (e *Exposition) encodedBooks(enc encoding) ([]part, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	open := e.books.open(time.Now())
	if !slices.EqualFunc(open.books, e.shown, book.same) || !e.until.IsZero() && !open.now.Before(e.until) {
		clear(e.encoded)
		e.shown, e.until = open.books, open.until()
	}
	if parts, ok := e.encoded[enc]; ok {
		return parts, nil
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(open)
	families, err := reg.Gather()
	if err != nil {
		return nil, err
	}
	parts, err := encode(families, enc)
	if err != nil {
		return nil, err
	}
	if len(e.encoded) == mostEncodings {
		clear(e.encoded)
	}
	e.encoded[enc] = parts
	return parts, nil
}

func encode(families []*dto.MetricFamily, enc encoding) ([]part, error) {
	parts := make([]part, len(families))
	var text bytes.Buffer
	encoder := expfmt.NewEncoder(&text, enc.format)
	for i, family := range families {
		if err := encoder.Encode(family); err != nil {
			return nil, err
		}
		parts[i] = part{family: family.GetName(), plain: bytes.Clone(text.Bytes())}
		text.Reset()
	}
	if enc.gzip {
		return parts, deflateAll(parts)
	}
	return parts, nil
}
