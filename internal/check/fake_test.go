package check

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"iter"
	"net"
	"net/http/httptrace"
	"net/url"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// fakeAPI returns ended chats, given by their ends.
type fakeAPI struct {
	connect           func(*httptrace.ClientTrace) // reports the connection of the first request
	ahead             *time.Duration
	info              wolkvox.TokenInfo
	infoErr           error
	ends              []wolkvox.LocalTime
	bad               int                     // rows of each request
	botToo            bool                    // the report includes bot-only chats
	missing           wolkvox.Fields          // keys that no row has
	failure           func(request int) error // by the number of the request for chats
	windows           []wolkvox.Window
	tokenInfoRequests int
}

func (f *fakeAPI) Chats(ctx context.Context, w wolkvox.Window) iter.Seq2[wolkvox.Chat, error] {
	return func(yield func(wolkvox.Chat, error) bool) {
		f.windows = append(f.windows, w)
		if trace := httptrace.ContextClientTrace(ctx); trace != nil {
			f.connect(trace)
		}
		if f.failure != nil {
			if err := f.failure(len(f.windows)); err != nil {
				yield(wolkvox.Chat{}, err)
				return
			}
		}
		keys := allKeys() &^ f.missing
		for range f.bad {
			if !yield(wolkvox.Chat{Keys: keys}, wolkvox.ErrBadRow) {
				return
			}
		}
		for i, end := range f.ends {
			chat := wolkvox.Chat{End: end, Keys: keys, HandedOff: !f.botToo || i%3 > 0}
			if w.From <= end && end <= w.To && !yield(chat, nil) {
				return
			}
		}
	}
}

func (f *fakeAPI) TokenInfo(context.Context) (wolkvox.TokenInfo, error) {
	f.tokenInfoRequests++
	return f.info, f.infoErr
}

func (f *fakeAPI) ClockSkew() (ahead time.Duration, ok bool) {
	if f.ahead == nil {
		return 0, false
	}
	return *f.ahead, true
}

func (f *fakeAPI) requests() int { return len(f.windows) + f.tokenInfoRequests }

func allKeys() (all wolkvox.Fields) {
	for _, key := range wolkvox.Keys() {
		all |= 1 << key
	}
	return all
}

const fakeHost = "wv0042.wolkvox.com"

// connectDirectly reports a successful connection to fakeHost.
func connectDirectly(trace *httptrace.ClientTrace) { connectTo(fakeHost)(trace) }

func connectTo(host string) func(*httptrace.ClientTrace) {
	return func(trace *httptrace.ClientTrace) {
		trace.GetConn(host + ":443")
		trace.DNSStart(httptrace.DNSStartInfo{Host: host})
		finishConnection(trace)
	}
}

// finishConnection reports the steps after a successful DNS lookup.
func finishConnection(trace *httptrace.ClientTrace) {
	trace.DNSDone(httptrace.DNSDoneInfo{Addrs: []net.IPAddr{{IP: net.IPv4(203, 0, 113, 42)}}})
	trace.ConnectStart("tcp", "203.0.113.42:443")
	trace.ConnectDone("tcp", "203.0.113.42:443", nil)
	trace.TLSHandshakeStart()
	certificate := &x509.Certificate{NotAfter: time.Date(2027, 3, 31, 0, 0, 0, 0, time.UTC)}
	trace.TLSHandshakeDone(tls.ConnectionState{
		Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{certificate}, VerifiedChains: [][]*x509.Certificate{{certificate}},
	}, nil)
	trace.GotConn(httptrace.GotConnInfo{})
}

// newFakeAPI returns a fake API without failures and without chats.
func newFakeAPI() *fakeAPI {
	ahead := 200 * time.Millisecond
	return &fakeAPI{connect: connectDirectly, ahead: &ahead, botToo: true, info: wolkvox.TokenInfo{Used: new(120.0), Limit: new(1000.0)}}
}

func operation(t *testing.T, api *fakeAPI, zone string) *Operation {
	t.Helper()
	return &Operation{
		BaseURL: address(t, "https://"+fakeHost), Zone: load(t, zone), State: loadable("wv0042"),
		API: api, Malformed: MaskCounts{}, RequestsPerDay: 366,
	}
}

// loadable returns the finding of a saved state that can be loaded.
func loadable(operation string) Finding {
	return Finding{State, OK, fmt.Sprintf("%q can be loaded", "data/"+operation+".state"), ""}
}

func address(t *testing.T, text string) *url.URL {
	t.Helper()
	base, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return base
}

func load(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// findFinding returns the finding with an ID.
func findFinding(t *testing.T, findings []Finding, id ID) Finding {
	t.Helper()
	for _, f := range findings {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("have no finding %s in %v", id, findings)
	return Finding{}
}
