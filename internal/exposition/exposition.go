// Package exposition serves metrics like promhttp, but encodes metrics that seldom change
// only when they have changed.
package exposition

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

// maxScrapes is how many scrapes are answered at the same time; more are refused with status
// 503. It is far beyond any normal number of scrapers.
const maxScrapes = 2000

// Collection is a collector whose metrics do not change before ValidUntil.
type Collection interface {
	prometheus.Collector
	// Equal reports whether another collection has the same metrics, until the
	// ValidUntil of both.
	Equal(other prometheus.Collector) bool
	// ValidUntil returns when the collection must be replaced even by an equal one;
	// zero if never.
	ValidUntil() time.Time
}

// Handler serves metrics. The collection is by far the most expensive to encode and seldom
// changes: it is encoded at the first scrape after a change, and sent again until the next
// change.
//
// The collection is encoded once for each requested format and cached in compressed form. It
// is decompressed while it is sent to a client without gzip, and a client that requests some
// families receives only their parts. So a client that does not read only holds a reference to
// the shared cache, and the other metrics in compressed form.
type Handler struct {
	others   prometheus.Gatherer // all metrics that are not in the collection
	current  func(now time.Time) Collection
	errorLog promhttp.Logger // may be nil
	failures *prometheus.CounterVec
	refused  prometheus.Counter

	scrapes   chan struct{} // one for each scrape
	encoding  chan struct{} // held while the collection is encoded
	gathering chan struct{} // held while the others are gathered
	merging   chan struct{} // held while the others are encoded

	mu     sync.Mutex
	cached *cache
	next   *gathering // not started; nil if no scrape waits for it
}

// gathering is one call of Gather, for all scrapes that arrived before it started.
type gathering struct {
	done     chan struct{}
	families []*dto.MetricFamily
	err      error
}

// cache holds a collection in the requested formats.
type cache struct {
	collection Collection
	validUntil time.Time // zero if there is no end
	encoded    map[expfmt.Format][]part
}

// isValid reports whether the cache can serve a collection at a time.
func (c *cache) isValid(collection Collection, now time.Time) bool {
	return c != nil && collection.Equal(c.collection) && (c.validUntil.IsZero() || now.Before(c.validUntil))
}

// NewHandler returns a handler of the collection that current returns and of all registered
// metrics. Errors are logged to errorLog.
func NewHandler(reg *prometheus.Registry, current func(now time.Time) Collection, errorLog promhttp.Logger) *Handler {
	h := &Handler{
		others:   reg,
		current:  current,
		errorLog: errorLog,
		// The same as promhttp's.
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "promhttp_metric_handler_errors_total",
			Help: "Total number of internal errors encountered by the promhttp metric handler.",
		}, []string{"cause"}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "wolkvox_exporter_scrapes_refused_total",
			Help: "Scrapes that were answered with status 503 because there were too many at once.",
		}),
		scrapes:   make(chan struct{}, maxScrapes),
		encoding:  make(chan struct{}, 1),
		gathering: make(chan struct{}, 1),
		merging:   make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	h.failures.WithLabelValues("gathering")
	h.failures.WithLabelValues("encoding")
	reg.MustRegister(h.failures, h.refused)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case h.scrapes <- struct{}{}:
		defer func() { <-h.scrapes }()
	default:
		h.refuse(w)
		return
	}
	format := expfmt.NegotiateAccept(r.Header, expfmt.DefaultOpenMetricsAcceptedFormats()...)
	parts, err := h.parts(r.Context(), format, r.URL.Query()["name[]"])
	switch {
	case errors.Is(err, context.Canceled):
		h.refuse(w)
		return
	case err != nil:
		h.fail(w, err)
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
		_ = write(w, parts) // The response has started, so a failure cannot be reported.
	}
}

// refuse answers a scrape beyond maxScrapes, or one whose client has canceled it.
func (h *Handler) refuse(w http.ResponseWriter) {
	h.refused.Inc()
	w.Header().Set("Retry-After", "5")
	http.Error(w, "too many scrapes at once, try again later", http.StatusServiceUnavailable)
}

// fail answers like promhttp.
func (h *Handler) fail(w http.ResponseWriter, err error) {
	cause := "gathering"
	if errors.As(err, new(encodingError)) {
		cause = "encoding"
	}
	h.failures.WithLabelValues(cause).Inc()
	if h.errorLog != nil {
		h.errorLog.Println("error "+cause+" metrics:", err)
	}
	http.Error(w, "An error has occurred while serving metrics:\n\n"+err.Error(), http.StatusInternalServerError)
}

// parts returns all families, or those with the given names, sorted by name.
func (h *Handler) parts(ctx context.Context, format expfmt.Format, names []string) ([]part, error) {
	cached, err := h.encodedCollection(ctx, format)
	if err != nil {
		return nil, err
	}
	others, err := h.gatherOthers(ctx)
	if err != nil {
		return nil, err
	}
	if err := acquire(ctx, h.merging); err != nil {
		return nil, err
	}
	defer release(h.merging)
	if len(names) > 0 {
		cached = selected(cached, names, func(p part) string { return p.family })
		others = selected(others, names, (*dto.MetricFamily).GetName)
	}
	return merge(cached, others, format)
}

// gatherOthers returns the others, gathered after the call. Scrapes that arrive while they are
// being gathered share the next gathering, so that the cost of reading /proc does not grow
// with the number of scrapers.
func (h *Handler) gatherOthers(ctx context.Context) ([]*dto.MetricFamily, error) {
	h.mu.Lock()
	joined, first := h.next, h.next == nil
	if first {
		joined = &gathering{done: make(chan struct{})}
		h.next = joined
	}
	h.mu.Unlock()
	if first {
		h.gather(joined)
	}
	select {
	case <-joined.done:
		return joined.families, joined.err
	case <-ctx.Done():
		return nil, context.Canceled
	}
}

// gather continues if the scrape that started it is canceled: others wait for it.
func (h *Handler) gather(joined *gathering) {
	defer close(joined.done)
	h.gathering <- struct{}{}
	defer release(h.gathering)
	h.mu.Lock()
	h.next = nil
	h.mu.Unlock()
	joined.families, joined.err = h.others.Gather()
}

// selected returns the elements of all whose name is one of names. It does not change all.
func selected[T any](all []T, names []string, name func(T) string) []T {
	var result []T
	for _, element := range all {
		if slices.Contains(names, name(element)) {
			result = append(result, element)
		}
	}
	return result
}

// merge encodes the others and puts them between the cached parts, by name.
func merge(cached []part, others []*dto.MetricFamily, format expfmt.Format) ([]part, error) {
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
		for len(cached) > 0 && cached[0].family < family.GetName() {
			if err := flush(); err != nil {
				return nil, err
			}
			parts = append(parts, cached[0])
			cached = cached[1:]
		}
		if err := encoder.encode(family); err != nil {
			return nil, err
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	parts = append(parts, cached...)
	if err := encoder.end(); err != nil {
		return nil, err
	}
	return parts, flush()
}

// encodedCollection returns the families of the current collection.
func (h *Handler) encodedCollection(ctx context.Context, format expfmt.Format) ([]part, error) {
	format = equivalent(format)
	if _, parts := h.currentCache(format); parts != nil {
		return parts, nil
	}
	if err := acquire(ctx, h.encoding); err != nil {
		return nil, err
	}
	defer release(h.encoding)
	// Another scrape may have encoded it meanwhile.
	cached, parts := h.currentCache(format)
	if parts != nil {
		return parts, nil
	}
	parts, err := encode(cached.collection, format)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	cached.encoded[format] = parts
	return parts, nil
}

// currentCache returns the valid cache, and its parts if it has the format.
func (h *Handler) currentCache(format expfmt.Format) (*cache, []part) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	if collection := h.current(now); !h.cached.isValid(collection, now) {
		h.cached = &cache{collection, collection.ValidUntil(), map[expfmt.Format][]part{}}
	}
	return h.cached, h.cached.encoded[format]
}

// equivalent returns the same format for all formats that encode this exporter's names alike.
// Only one escaping scheme changes them.
func equivalent(format expfmt.Format) expfmt.Format {
	if format.ToEscapingScheme() == model.DotsEscaping {
		return format
	}
	return format.WithEscapingScheme(model.NoEscaping)
}

// encode returns a part for each family of a collector.
func encode(c prometheus.Collector, format expfmt.Format) ([]part, error) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
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

// acquire waits for one of the slots, or until ctx is done.
func acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Canceled
	}
}

func release(slots chan struct{}) { <-slots }
