// Package exposition serves metrics like promhttp, but encodes metrics that seldom change
// only when they have changed.
package exposition

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// maxScrapes is how many scrapes are answered at the same time; more are refused with status
// 503. It is far beyond any normal number of scrapers.
const maxScrapes = 2000

// Handler serves metrics: those of groups, which are encoded when they change, and those of a
// registry, which are gathered and encoded at each scrape.
//
// Groups are kept in compressed form and are decompressed while they are sent to a client
// without gzip. So a client that does not read only holds references to the groups, and the
// metrics of the registry in compressed form.
type Handler struct {
	registry prometheus.Gatherer
	groups   func() []*Group
	errorLog promhttp.Logger // may be nil
	failures *prometheus.CounterVec
	refused  prometheus.Counter

	scrapes    chan struct{} // one for each scrape
	gathering  chan struct{} // held while the registry is gathered
	assembling chan struct{} // held while a response is assembled

	mu   sync.Mutex
	next *gathering // not started; nil if no scrape waits for it
}

// gathering is one call of Gather, for all scrapes that arrived before it started.
type gathering struct {
	done     chan struct{}
	families []*dto.MetricFamily
	err      error
}

// NewHandler returns a handler of all registered metrics and of the groups that groups returns.
// Groups with the same families are shown in that order. Errors are logged to errorLog.
func NewHandler(reg *prometheus.Registry, groups func() []*Group, errorLog promhttp.Logger) *Handler {
	h := &Handler{
		registry: reg,
		groups:   groups,
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
		scrapes:    make(chan struct{}, maxScrapes),
		gathering:  make(chan struct{}, 1),
		assembling: make(chan struct{}, runtime.GOMAXPROCS(0)),
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
func (h *Handler) parts(ctx context.Context, format expfmt.Format, names []string) ([]*part, error) {
	registered, err := h.gatherRegistry(ctx)
	if err != nil {
		return nil, err
	}
	if err := acquire(ctx, h.assembling); err != nil {
		return nil, err
	}
	defer release(h.assembling)
	a := newAssembly(format, names)
	defer a.close()
	for _, g := range h.groups() {
		families, err := g.families(equivalent(format))
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, context.Canceled
		}
		a.add(families)
	}
	return a.parts(registered)
}

// gatherRegistry returns the metrics of the registry, gathered after the call. Scrapes that arrive while they are
// being gathered share the next gathering, so that the cost of reading /proc does not grow
// with the number of scrapers.
func (h *Handler) gatherRegistry(ctx context.Context) ([]*dto.MetricFamily, error) {
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
	joined.families, joined.err = h.registry.Gather()
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
