package collector

import (
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// Options change what is shown. The zero value holds nothing back and shows
// classic buckets only.
type Options struct {
	// ZeroHold is how long a label set, or an agent, is shown at 0 from its first chat on,
	// unless that was in the very first poll: increase() does not see the
	// value that a series begins with.
	ZeroHold time.Duration
	// NativeHistograms adds native histograms to the classic buckets.
	NativeHistograms bool
}

// Books shows what the books of operations say: their chats and agents, the names of
// their routing points, and what became of the rows.
type Books struct {
	operations func() []Operation
	options    Options
}

// NewBooks makes a collector of the operations there are at a scrape, whose names
// differ.
func NewBooks(operations func() []Operation, options Options) *Books {
	return &Books{operations, options}
}

// Describe implements prometheus.Collector.
func (*Books) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range descs[:booked] {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (b *Books) Collect(ch chan<- prometheus.Metric) {
	b.open(time.Now()).Collect(ch)
}

// book is an operation's, with the names of its routing points by rp_id.
type book struct {
	operation string
	view      *ledger.View
	names     map[string]string
}

// same tells whether two books show the same.
func (b book) same(other book) bool {
	return b.operation == other.operation && b.view == other.view && maps.Equal(b.names, other.names)
}

// openBooks are what [Books] shows at one moment.
type openBooks struct {
	*Books
	books []book
	now   time.Time
}

// open takes the books as they are. What a state that is not loaded yet holds is
// unknown, not 0.
func (b *Books) open(now time.Time) *openBooks {
	open := &openBooks{Books: b, now: now}
	for _, o := range b.operations() {
		if s := o.Source.Snapshot(); s.View != nil {
			open.books = append(open.books, book{o.Name, s.View, s.Status.RoutingPoints})
		}
	}
	return open
}

// Collect implements prometheus.Collector.
func (b *openBooks) Collect(ch chan<- prometheus.Metric) {
	for _, book := range b.books {
		o := newOperation(Operation{Name: book.operation})
		collectBook(ch, &o, book.view)
		b.options.collectCounted(ch, &o, book.view, b.now)
		collectRoutingPoints(ch, &o, book.names, book.view.LabelSets)
	}
}

// collectCounted shows the chats, and the agents if they are counted.
func (options *Options) collectCounted(ch chan<- prometheus.Metric, o *operation, v *ledger.View, now time.Time) {
	for _, set := range v.LabelSets {
		options.collectChats(ch, o, set, now)
	}
	for _, set := range v.Agents {
		options.collectAgent(ch, o, set, now)
	}
}

// until is when they will show something else though none of them has changed: the
// next of what is held at 0 will not be. It is zero if nothing is held.
func (b *openBooks) until() (next time.Time) {
	held := func(born time.Time, initial bool) {
		end := born.Add(b.options.ZeroHold)
		if b.options.held(born, initial, b.now) && (next.IsZero() || end.Before(next)) {
			next = end
		}
	}
	for _, book := range b.books {
		for _, set := range book.view.LabelSets {
			held(set.Born, set.Initial)
		}
		for _, set := range book.view.Agents {
			held(set.Born, set.Initial)
		}
	}
	return next
}

// collectBook shows what the book says beside the chats themselves. It outlives
// the process, and does not know when it was begun.
func collectBook(ch chan<- prometheus.Metric, o *operation, v *ledger.View) {
	for outcome, labels := range o.withOutcome {
		ch <- &counter{desc: descs[records], labels: labels, value: float64(v.Counts.Records[outcome])}
	}
	for field, labels := range o.withField[:wolkvox.AllFields] {
		ch <- &counter{desc: descs[fieldErrors], labels: labels, value: float64(v.Counts.FieldErrors[field])}
	}
	ch <- &counter{desc: descs[lateRecords], labels: o.labels, value: float64(v.Counts.Late)}
	ch <- &counter{desc: descs[labelSetsOverflowed], labels: o.labels, value: float64(v.Counts.Overflowed)}

	own := 0
	for _, set := range v.LabelSets {
		if set.Labels != ledger.Overflow {
			own++
		}
	}
	ch <- &gauge{descs[labelSets], o.labels, float64(own)}
	if !v.Progress.CompleteUntil.IsZero() {
		ch <- &gauge{descs[completeUntil], o.labels, timestamp(v.Progress.CompleteUntil)}
	}
}
