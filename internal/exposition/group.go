package exposition

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// Source has metrics that change when its version does, and at times that are known before.
// Its families are not those of the registry of the handler.
type Source interface {
	// Version returns a comparable value. It is a different one once the metrics have
	// changed, except by time alone.
	Version() any
	// At returns the metrics at a time. They are the same until another time, or until
	// the version changes if that is zero.
	At(now time.Time) (metrics prometheus.Collector, until time.Time)
}

const (
	// unusedAfter is how long a format is encoded ahead of scrapes that do not request it.
	unusedAfter = 10 * time.Minute
	// maxAhead is how long before a known change the metrics after it are encoded.
	maxAhead = 5 * time.Minute
)

// Group keeps the metrics of a source encoded, in the formats that are scraped.
type Group struct {
	source  Source
	created time.Time

	mu        sync.Mutex // held while the source is encoded
	encodings map[expfmt.Format]*encoding
}

// encoding is a source in one format.
type encoding struct {
	used    time.Time // by a scrape
	version any
	states  []state // those of the version, one after the other in time
}

// state is what a source shows up to a time.
type state struct {
	until    time.Time // zero if only the version ends it
	families []family
}

// family is a metric family of a group, without what the format puts around it.
type family struct {
	name    string
	header  *part // the same for all groups
	metrics part
}

// NewGroup returns a group. Prometheus is expected to scrape it as OpenMetrics, as it does
// without native histograms.
func NewGroup(source Source) *Group {
	now := time.Now()
	return &Group{source: source, created: now, encodings: map[expfmt.Format]*encoding{
		equivalent(expfmt.FmtOpenMetrics_1_0_0): {used: now},
	}}
}

// now returns the time without the steps of the system's clock since the start, so that what
// was shown is not hidden again.
func (g *Group) now() time.Time { return g.created.Add(time.Since(g.created)) }

// Encode encodes what has changed, so that no scrape has to do it. It is called when the
// version of the source has changed. An error is left to the next scrape.
func (g *Group) Encode() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	for format, e := range g.encodings {
		if now.Sub(e.used) > unusedAfter {
			delete(g.encodings, format)
			continue
		}
		if err := e.update(g.source, format, now); err != nil {
			continue
		}
		last := e.states[len(e.states)-1]
		if !last.until.IsZero() && last.until.Sub(now) <= maxAhead {
			_ = e.add(g.source, format, last.until)
		}
	}
}

// families returns the current families, sorted by name.
func (g *Group) families(format expfmt.Format) ([]family, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	e := g.encodings[format]
	if e == nil {
		e = &encoding{}
		g.encodings[format] = e
	}
	e.used = now
	if err := e.update(g.source, format, now); err != nil {
		return nil, err
	}
	return e.states[0].families, nil
}

// update drops the states that are out of date, and encodes that of a time if none is left.
func (e *encoding) update(source Source, format expfmt.Format, now time.Time) error {
	// The version is read first: if the metrics change after that, they are encoded again.
	if version := source.Version(); e.version != version {
		e.version, e.states = version, nil
	}
	for len(e.states) > 0 && !e.states[0].until.IsZero() && !now.Before(e.states[0].until) {
		e.states = e.states[1:]
	}
	if len(e.states) > 0 {
		return nil
	}
	return e.add(source, format, now)
}

// add encodes the state at a time, which is after all others.
func (e *encoding) add(source Source, format expfmt.Format, at time.Time) error {
	metrics, until := source.At(at)
	families, err := encode(metrics, format)
	if err == nil {
		e.states = append(e.states, state{until, families})
	}
	return err
}

// encode returns the families of a collector, sorted by name.
func encode(c prometheus.Collector, format expfmt.Format) ([]family, error) {
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	gathered, err := reg.Gather()
	if err != nil {
		return nil, err
	}
	families := make([]family, len(gathered))
	compressor := newCompressor()
	defer compressor.close()
	for i, f := range gathered {
		header, err := encodeFamily(compressor, f, format)
		if err != nil {
			return nil, encodingError{err}
		}
		metrics, err := compressor.part()
		if err != nil {
			return nil, encodingError{err}
		}
		families[i] = family{f.GetName(), sharedHeader(header), metrics}
	}
	compact(families)
	return families, nil
}

// compact moves all families into one allocation, as most are small.
func compact(families []family) {
	size := 0
	for i := range families {
		size += len(families[i].metrics.deflated)
	}
	all := make([]byte, 0, size)
	for i := range families {
		metrics, start := &families[i].metrics, len(all)
		all = append(all, metrics.deflated...)
		metrics.deflated = all[start:len(all):len(all)]
	}
}

// encodingError is an error of an encoder.
type encodingError struct{ error }

// Unwrap returns the encoder's error.
func (e encodingError) Unwrap() error { return e.error }

// headers holds the headers of all groups, by their text: they have the same.
var headers sync.Map

func sharedHeader(text []byte) *part {
	if header, ok := headers.Load(string(text)); ok {
		return header.(*part)
	}
	header := compress(text)
	shared, _ := headers.LoadOrStore(string(text), &header)
	return shared.(*part)
}
