package poller

import (
	"cmp"
	"context"
	"maps"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// operation is an operation with its own fake server and poller.
type operation struct {
	t       *testing.T
	server  *wolkvoxtest.Server
	client  *wolkvox.Client
	kept    ByteStore
	options Options
	poller  *Poller
	kill    func()

	compared int     // number of results that were compared
	seen     figures // figures shown last

	mu      sync.Mutex // guards what the poller writes
	log     strings.Builder
	results []wolkvox.Result
}

// newOperation returns an operation whose API can have these faults. The clock is a minute
// before a tick of the poller. It is not near the end of a month, as an API that excludes the
// ends of a window never shows the last second of a month.
func newOperation(t *testing.T, cfg wolkvoxtest.Config, faults ...wolkvoxtest.Fault) *operation {
	t.Helper()
	o := &operation{t: t, kept: &store.Memory{}, options: options()}
	o.options.Logger = log.NewLogfmtLogger(o)
	o.options.Ledger.MaxLabelSets = 100 // Some faults add rows.
	interval := o.options.Interval
	time.Sleep(time.Until(inBogota(time.January, 15, 9, 0)))
	time.Sleep(time.Until(nextTick(time.Now(), interval, offset(o.options.Operation, interval)).Add(interval - time.Minute)))

	cfg.Token, cfg.Location, cfg.Limits.SameMonth = "t", bogota, true
	// More than the client reads of a value or of a row, but not much to send.
	cfg.LongValue, cfg.DeepRow, cfg.HugeBody = cmp.Or(cfg.LongValue, 70_000), cmp.Or(cfg.DeepRow, 20_000), cmp.Or(cfg.HugeBody, 100_000)
	o.server = wolkvoxtest.NewPipeServer(cfg)
	t.Cleanup(o.server.Close)
	// The server creates a compressor for each response, which takes most of the time.
	compressed := slices.Contains(faults, wolkvoxtest.GzipUnasked) || slices.Contains(faults, wolkvoxtest.DripGzip)
	o.server.Transport().DisableCompression = !compressed
	o.client = o.connect(o.saw)
	return o
}

func (o *operation) connect(observe func(wolkvox.Request)) *wolkvox.Client {
	o.t.Helper()
	base, err := url.Parse(o.server.URL())
	if err != nil {
		o.t.Fatal(err)
	}
	return wolkvox.NewClient(base, wolkvox.StaticToken("t"), wolkvox.WithTransport(o.server.Transport()), wolkvox.WithObserver(observe))
}

func (o *operation) saw(r wolkvox.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.results = append(o.results, r.Result)
}

// Write records the poller's log.
func (o *operation) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(line)
}

func (o *operation) logged(substring string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.log.String(), substring)
}

// addChats adds chats of up to ten hours that end within the given time from now.
func (o *operation) addChats(n int, within time.Duration, random *rand.Rand) {
	last := time.Now().Add(within)
	s := simulation{zone: o.options.Zone, random: random}
	o.server.Add(s.makeChats(n, time.Now(), last, last)...)
}

// settled is the time after which the deepest reconcile has run.
const settled = 17 * time.Hour

// run starts polling like a new process.
func (o *operation) run() {
	o.t.Helper()
	p := newPoller(o.t, o.client, o.kept, o.options)
	ctx, cancel := context.WithCancel(o.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Run(ctx)
	}()
	o.poller = p
	o.kill = func() {
		cancel()
		<-done
	}
	o.t.Cleanup(o.kill)
}

// pass lets time pass. It checks that no count falls or exceeds the truth.
func (o *operation) pass(d time.Duration) {
	o.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(17*time.Minute, time.Until(end)))
		synctest.Wait()
		have, truth := o.figures(), o.truth()
		for name, value := range have {
			if value < o.seen[name] || value > truth[name] {
				o.t.Fatalf("%v: %s: have %v, was %v, truth %v", time.Now(), name, value, o.seen[name], truth[name])
			}
		}
		for name := range o.seen {
			if _, ok := have[name]; !ok {
				o.t.Fatalf("%v: %s has gone", time.Now(), name)
			}
		}
		o.seen = have
	}
}

// figures returns the published counts without those of rows that faults add.
func (o *operation) figures() figures { return figuresShown(o.poller) }

func figuresShown(p *Poller) figures {
	shown := collectFigures(p.Snapshot().View)
	maps.DeleteFunc(shown, func(name string, _ float64) bool {
		return strings.HasPrefix(name, wolkvoxtest.BadRoutingPoint+" ")
	})
	return shown
}

func (o *operation) truth() figures { return figuresOfTruth(o.server.Truth(time.Now())) }

// requests returns the number of requests to the server.
func (o *operation) requests() int { return len(o.server.Requests()) }

// wantTruth compares the counts with those of the server, except for the given routing points.
func (o *operation) wantTruth(missing ...string) {
	o.t.Helper()
	want := o.truth()
	maps.DeleteFunc(want, func(name string, _ float64) bool {
		routingPoint, _, _ := strings.Cut(name, " ")
		return slices.Contains(missing, routingPoint)
	})
	if have := o.figures(); !maps.Equal(have, want) {
		o.t.Errorf("figures at the end:\n%s", difference(have, want))
	}
}

// wantLines compares the number of lines about the begin or change of a fault and about its
// end.
func (o *operation) wantLines(begun, over int) {
	o.t.Helper()
	if b, e := o.logged("failed, will retry"), o.logged("succeeded again"); b != begun || e != over {
		o.t.Errorf("log: have %d lines about a fault, %d about its end, want %d and %d:\n%s", b, e, begun, over, o.log.String())
	}
}

// wantResults compares the results since its last call.
func (o *operation) wantResults(when string, want wolkvox.Result) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, result := range o.results[o.compared:] {
		if result != want && (want != wolkvox.OK || result != wolkvox.Empty) {
			o.t.Errorf("%s: have a request with the result %s, want %s", when, result, want)
			break
		}
	}
	o.compared = len(o.results)
}

// wantStatus compares the status that wolkvox_up, /-/ready and the landing page show.
func (o *operation) wantStatus(when string, ready bool, result wolkvox.Result) {
	o.t.Helper()
	up := result == wolkvox.OK
	if up {
		result = ""
	}
	s := o.poller.Snapshot().Status
	if s.Up != up || s.Ready != ready || s.Result != result || (s.Failure == "") != up || s.FailingSince.IsZero() != up {
		o.t.Errorf("%s: have %+v, want up %v, ready %v, result %q", when, s, up, ready, result)
	}
	if last := s.LastFailure; !up && (last.Result != result || last.At.Before(s.FailingSince) || last.At.After(time.Now())) {
		o.t.Errorf("%s: have last failure %+v, want one of %q since %s", when, last, result, s.FailingSince)
	}
}

// soon changes readings so that finished chats are shown without delay. Rows are in an array
// of an envelope with a code: a fault can make any other form indistinguishable from other
// JSON.
func soon(readings wolkvoxtest.Readings) wolkvoxtest.Readings {
	readings.Data, readings.Code = wolkvoxtest.DataArray, wolkvoxtest.CodeOK
	if lateness := readings.Lateness; lateness != nil {
		readings.Lateness = func(c wolkvoxtest.Chat) time.Duration { return min(lateness(c), 11*time.Minute) }
	}
	return readings
}

// inBogota returns a time in the year in which a bubble begins.
func inBogota(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2000, month, day, hour, minute, 0, 0, bogota)
}
