package collector

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxScrapes are answered at once; more are refused with status 503. It is far beyond any
// number of honest scrapers: 2,000 that come in the same instant are all answered.
const maxScrapes = 2000

// Exposition serves metrics as promhttp does. Encoding the books costs by far the most
// of a scrape, and they change once per poll: they are encoded at the first scrape
// after that, and sent again until they change.
//
// However a client asks, the books are encoded once in its format and kept compressed.
// A client that does not want gzip gets them inflated while they are sent, one that
// asks for some families gets only their parts. So a client that does not read holds
// a reference to what all share, and the compressed rest.
type Exposition struct {
	others   prometheus.Gatherer // all metrics but those of the books
	books    *Books
	errorLog promhttp.Logger // may be nil
	failures *prometheus.CounterVec
	refused  prometheus.Counter

	scrapes   chan struct{} // one for each scrape
	encoding  chan struct{} // held while the books are encoded
	gathering chan struct{} // held while the others are gathered
	merging   chan struct{} // held while the others are encoded

	mu      sync.Mutex
	edition *edition
	next    *gathering // has not begun; nil if no scrape waits for it
}

// gathering is of the others, for all scrapes that came before it began.
type gathering struct {
	done     chan struct{}
	families []*dto.MetricFamily
	err      error
}

// edition is what the books show from one change to the next.
type edition struct {
	books   *openBooks
	until   time.Time // when they show something else though they are the same; zero: never
	encoded map[expfmt.Format][]part
}

// NewExposition serves the books beside what is registered. Errors are logged.
func NewExposition(reg *prometheus.Registry, books *Books, errorLog promhttp.Logger) *Exposition {
	e := &Exposition{
		others:   reg,
		books:    books,
		errorLog: errorLog,
		// The same as promhttp's.
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "promhttp_metric_handler_errors_total",
			Help: "Total number of internal errors encountered by the promhttp metric handler.",
		}, []string{"cause"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wolkvox_exporter_scrapes_refused_total",
			Help: "Scrapes that were answered with status 503, as too many came at once.",
		}),
		scrapes:   make(chan struct{}, maxScrapes),
		encoding:  make(chan struct{}, 1),
		gathering: make(chan struct{}, 1),
		merging:   make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	e.failures.WithLabelValues("gathering")
	e.failures.WithLabelValues("encoding")
	reg.MustRegister(e.failures, e.refused)
	return e
}

// ServeHTTP implements http.Handler.
func (e *Exposition) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case e.scrapes <- struct{}{}:
		defer func() { <-e.scrapes }()
	default:
		e.refuse(w)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	parts, err := e.parts(r.Context(), format, r.URL.Query()["name[]"])
	switch {
	case errors.Is(err, context.Canceled):
		e.refuse(w)
		return
	case err != nil:
		e.fail(w, err)
		return
	}
	header := w.Header()
	header.Add("Vary", "Accept")
	header.Add("Vary", "Accept-Encoding")
	header.Set("Content-Type", string(format))
	write := writePlain
	if acceptsGzip(r.Header) {
		header.Set("Content-Encoding", "gzip")
		write = writeGzip
	}
	if r.Method != http.MethodHead {
		_ = write(w, parts) // The response has begun, so a failure cannot be reported.
	}
}

// refuse answers a scrape that is one too many, or whose client did not wait for its turn.
func (e *Exposition) refuse(w http.ResponseWriter) {
	e.refused.Inc()
	w.Header().Set("Retry-After", "5")
	http.Error(w, "too many scrapes at once, try again later", http.StatusServiceUnavailable)
}

// fail answers as promhttp does.
func (e *Exposition) fail(w http.ResponseWriter, err error) {
	cause := "gathering"
	if errors.As(err, new(encodingError)) {
		cause = "encoding"
	}
	e.failures.WithLabelValues(cause).Inc()
	if e.errorLog != nil {
		e.errorLog.Println("error "+cause+" metrics:", err)
	}
	http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
}

// parts returns the whole exposition, with the families in the order of their names, or
// those families that are named.
func (e *Exposition) parts(ctx context.Context, format expfmt.Format, names []string) ([]part, error) {
	books, err := e.encodedBooks(ctx, format)
	if err != nil {
		return nil, err
	}
	others, err := e.gatherOthers(ctx)
	if err != nil {
		return nil, err
	}
	if err := acquire(ctx, e.merging); err != nil {
		return nil, err
	}
	defer release(e.merging)
	if len(names) > 0 {
		books = selected(books, names, func(p part) string { return p.family })
		others = selected(others, names, (*dto.MetricFamily).GetName)
	}
	return merge(books, others, format)
}

// gatherOthers returns what the others are after the call. Scrapes that come while they
// are being gathered share the next time: reading /proc takes longer the more there are.
func (e *Exposition) gatherOthers(ctx context.Context) ([]*dto.MetricFamily, error) {
	e.mu.Lock()
	joined, first := e.next, e.next == nil
	if first {
		joined = &gathering{done: make(chan struct{})}
		e.next = joined
	}
	e.mu.Unlock()
	if first {
		e.gather(joined)
	}
	select {
	case <-joined.done:
		return joined.families, joined.err
	case <-ctx.Done():
		return nil, context.Canceled
	}
}

// gather does not end with the scrape that began it, as others wait for it.
func (e *Exposition) gather(joined *gathering) {
	defer close(joined.done)
	e.gathering <- struct{}{}
	defer release(e.gathering)
	e.mu.Lock()
	e.next = nil
	e.mu.Unlock()
	joined.families, joined.err = e.others.Gather()
}

// selected returns those of all, which may be shared, whose name is one of names.
func selected[T any](all []T, names []string, name func(T) string) []T {
	var some []T
	for _, one := range all {
		if slices.Contains(names, name(one)) {
			some = append(some, one)
		}
	}
	return some
}

// merge encodes families between parts that are encoded.
func merge(books []part, others []*dto.MetricFamily, format expfmt.Format) ([]part, error) {
	var parts []part
	encoder := newEncoder(format)
	defer encoder.close()
	flush := func() error {
		if encoder.size == 0 {
			return nil
		}
		p, err := encoder.part("")
		parts = append(parts, p)
		return err
	}
	for _, family := range others {
		for len(books) > 0 && books[0].family < family.GetName() {
			if err := flush(); err != nil {
				return nil, err
			}
			parts = append(parts, books[0])
			books = books[1:]
		}
		if err := encoder.encode(family); err != nil {
			return nil, err
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	parts = append(parts, books...)
	if err := encoder.end(); err != nil {
		return nil, err
	}
	return parts, flush()
}

// encodedBooks returns the families of the books as they are now.
func (e *Exposition) encodedBooks(ctx context.Context, format expfmt.Format) ([]part, error) {
	format = equivalent(format)
	if _, parts := e.kept(format); parts != nil {
		return parts, nil
	}
	if err := acquire(ctx, e.encoding); err != nil {
		return nil, err
	}
	defer release(e.encoding)
	// Another scrape may have encoded them meanwhile.
	now, parts := e.kept(format)
	if parts != nil {
		return parts, nil
	}
	parts, err := encode(now.books, format)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now.encoded[format] = parts
	return parts, nil
}

// kept returns the edition of now, and its parts if it has been encoded in a format.
func (e *Exposition) kept(format expfmt.Format) (*edition, []part) {
	e.mu.Lock()
	defer e.mu.Unlock()
	open := e.books.open(time.Now())
	if last := e.edition; last == nil || !slices.EqualFunc(open.books, last.books.books, book.same) || !last.until.IsZero() && !open.now.Before(last.until) {
		e.edition = &edition{open, open.until(), map[expfmt.Format][]part{}}
	}
	return e.edition, e.edition.encoded[format]
}

// equivalent returns the format among those that look the same here whose encoding is
// kept. Only one way of escaping changes names like ours.
func equivalent(format expfmt.Format) expfmt.Format {
	if format.ToEscapingScheme() == model.DotsEscaping {
		return format
	}
	return format.WithEscapingScheme(model.NoEscaping)
}

// encode returns a part for each family of the books.
func encode(books *openBooks, format expfmt.Format) ([]part, error) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(books)
	families, err := reg.Gather()
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(families))
	encoder := newEncoder(format)
	defer encoder.close()
	for i, family := range families {
		if err := encoder.encode(family); err != nil {
			return nil, err
		}
		if parts[i], err = encoder.part(family.GetName()); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// acquire waits for a place among those that do the same, or until ctx is done.
func acquire(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	default:
	}
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Canceled
	}
}

func release(places chan struct{}) { <-places }
