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

// operation is one at a server of its own, with the poller that runs for it.
type operation struct {
	t       *testing.T
	server  *wolkvoxtest.Server
	client  *wolkvox.Client
	kept    Store
	options Options
	poller  *Poller
	kill    func()

	looked int     // results that were compared
	seen   figures // figures shown last

	mu      sync.Mutex // for what the poller writes while it runs
	log     strings.Builder
	results []wolkvox.Result
}

// newOperation opens one whose API will have these faults. It is a minute before
// what will be its poller's tick, and so is any whole number of intervals later;
// and unless the test has passed that day already, it is the middle of a month:
// an API that excludes an end of a range shows no last second of a month.
func newOperation(t *testing.T, cfg wolkvoxtest.Config, faults ...wolkvoxtest.Fault) *operation {
	t.Helper()
	o := &operation{t: t, kept: &store.Memory{}, options: options()}
	o.options.Logger = log.NewLogfmtLogger(o)
	o.options.Ledger.MaxLabelSets = 100 // Some faults add rows of their own.
	interval := o.options.Interval
	time.Sleep(time.Until(inBogota(time.January, 15, 9, 0)))
	time.Sleep(time.Until(nextTick(time.Now(), interval, offset(o.options.Operation, interval)).Add(interval - time.Minute)))

	cfg.Token, cfg.Location, cfg.Limits.SameMonth = "t", bogota, true
	// More than the client keeps of a value or of a row, and little to send.
	cfg.LongValue, cfg.DeepRow, cfg.HugeBody = cmp.Or(cfg.LongValue, 70_000), cmp.Or(cfg.DeepRow, 20_000), cmp.Or(cfg.HugeBody, 100_000)
	o.server = wolkvoxtest.NewPipeServer(cfg)
	t.Cleanup(o.server.Close)
	// The server makes a compressor for each response, which takes more time than
	// all the rest.
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

// Write takes the poller's log.
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

// addChats enters chats that end within a time from now, and lasted up to ten
// hours.
func (o *operation) addChats(n int, within time.Duration, random *rand.Rand) {
	last := time.Now().Add(within)
	s := simulation{zone: o.options.Zone, random: random}
	o.server.Add(s.makeChats(n, time.Now(), last, last)...)
}

// settled is after how long the deepest reconcile has run.
const settled = 17 * time.Hour

// run starts to poll, as a process does.
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

// pass lets time go by. All through it nothing shown may fall, or be more than
// what happened.
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

// figures are those shown, without what became of the rows that faults add.
func (o *operation) figures() figures { return figuresShown(o.poller) }

func figuresShown(p *Poller) figures {
	shown := figuresOf(p.Snapshot().View)
	maps.DeleteFunc(shown, func(name string, _ float64) bool {
		return strings.HasPrefix(name, wolkvoxtest.BadRoutingPoint+" ")
	})
	return shown
}

func (o *operation) truth() figures { return figuresOfTruth(o.server.Truth(time.Now())) }

// requests are how many the server has seen.
func (o *operation) requests() int { return len(o.server.Requests()) }

// wantTruth compares the figures with the server's account; those of some routing
// points may be missing.
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

// wantLines compares how often the log said that a fault began or became
// another, and that one was over.
func (o *operation) wantLines(begun, over int) {
	o.t.Helper()
	if b, e := o.logged("failed, will retry"), o.logged("succeeded again"); b != begun || e != over {
		o.t.Errorf("log: have %d lines about a fault, %d about its end, want %d and %d:\n%s", b, e, begun, over, o.log.String())
	}
}

// wantResults compares the results since the last time it was called.
func (o *operation) wantResults(when string, want wolkvox.Result) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, result := range o.results[o.looked:] {
		if result != want && (want != wolkvox.OK || result != wolkvox.Empty) {
			o.t.Errorf("%s: have a request with the result %s, want %s", when, result, want)
			break
		}
	}
	o.looked = len(o.results)
}

// wantStatus compares what wolkvox_up, /-/ready and the landing page follow.
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

// soon takes from readings that finished chats are shown hours late. Rows are in an array
// of an envelope with a code: of anything else, a fault may leave nothing that tells it
// from other JSON.
func soon(readings wolkvoxtest.Readings) wolkvoxtest.Readings {
	readings.Data, readings.Code = wolkvoxtest.DataArray, wolkvoxtest.CodeOK
	if lateness := readings.Lateness; lateness != nil {
		readings.Lateness = func(c wolkvoxtest.Chat) time.Duration { return min(lateness(c), 11*time.Minute) }
	}
	return readings
}

// inBogota is a moment of the year in which a bubble begins.
func inBogota(month time.Month, day, hour, minute int) time.Time {
	return time.Date(2000, month, day, hour, minute, 0, 0, bogota)
}
