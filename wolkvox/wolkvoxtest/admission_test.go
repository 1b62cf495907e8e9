package wolkvoxtest_test

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func wantRefusal(t *testing.T, have response, status int, msg string) {
	t.Helper()
	if have.err != nil || have.status != status || !strings.Contains(have.body, `"msg":"`+msg+`"`) {
		t.Errorf("want %d %s, have %+v", status, msg, have)
	}
}

func TestServer_ChecksToken(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Token: "right"})
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", ""), 401, "PLEASE ENTER THE WOLKVOX-TOKEN")
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", "wrong"), 403, "PLEASE VALIDATE TOKEN")
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", "right"), 200, "0 records were found")
	s.SetToken("newer")
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", "right"), 403, "PLEASE VALIDATE TOKEN")
	s.SetToken("")
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", "any"), 200, "0 records were found")
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", ""), 401, "PLEASE ENTER THE WOLKVOX-TOKEN")
	var ok []bool
	for _, r := range s.Requests() {
		ok = append(ok, r.TokenOK)
	}
	if want := []bool{false, false, true, false, true, false}; !slices.Equal(ok, want) {
		t.Errorf("want %v, have %v", want, ok)
	}
}

func TestServer_QuotaResetsAtMidnight(t *testing.T) {
	now := time.Date(2026, 3, 10, 23, 59, 0, 0, bogota)
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Token: "secret", Now: clock, Limits: wolkvoxtest.Limits{RequestsPerDay: 5}})

	get(t, s, dayReport(), "wolkvox-token", "wrong") // counts for no token
	get(t, s, dayReport())
	get(t, s, information+"?api=token_info")
	s.FailNext(wolkvoxtest.ServerError)
	get(t, s, dayReport()) // costs one too
	s.Spend(1)
	wantRefusal(t, get(t, s, dayReport()), 200, "0 records were found")
	wantRefusal(t, get(t, s, dayReport()), 403, "TOKEN LIMIT EXCEEDED")
	wantRefusal(t, get(t, s, information+"?api=token_info"), 403, "TOKEN LIMIT EXCEEDED")

	mu.Lock()
	now = now.Add(time.Minute) // midnight in Bogota, 05:00 UTC
	mu.Unlock()
	wantRefusal(t, get(t, s, dayReport()), 200, "0 records were found")
	s.Spend(100)
	wantRefusal(t, get(t, s, dayReport()), 403, "TOKEN LIMIT EXCEEDED")
}

func TestServer_RefusesSecondRequestOfToken(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{SlowBody: time.Minute})
	s.Add(answered(1, noon))
	s.FailNext(wolkvoxtest.SlowBody)
	first := startReading(t, s)
	if s.MaxInFlight() != 1 {
		t.Errorf("in flight %d", s.MaxInFlight())
	}
	wantRefusal(t, get(t, s, dayReport()), 403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)")
	wantRefusal(t, get(t, s, dayReport(), "wolkvox-token", "another"), 200, "1 records were found")
	if s.MaxInFlight() != 2 {
		t.Errorf("in flight %d", s.MaxInFlight())
	}
	first.Body.Close()
}

func TestServer_AllowsSimultaneousRequests(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{SlowBody: time.Minute, Limits: wolkvoxtest.Limits{SimultaneousRequests: 2}})
	s.Add(answered(1, noon))
	s.FailNext(wolkvoxtest.SlowBody)
	first := startReading(t, s)
	wantRefusal(t, get(t, s, dayReport()), 200, "1 records were found")
	first.Body.Close()
}

// startReading sends a request and returns when its response has begun.
func startReading(t *testing.T, s *wolkvoxtest.Server) *http.Response {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+dayReport(), nil)
	req.Header.Set("wolkvox-token", "secret")
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// A client that has read the last byte of a response may send the next request at once.
func TestServer_FreesTokenWhenBodyIsRead(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	for i := range 2_000 {
		s.Add(botOnly(i, noon.Add(time.Duration(i)*time.Second)))
	}
	for range 20 {
		if have := get(t, s, dayReport()); have.status != 200 {
			t.Fatalf("have %d %s", have.status, have.body)
		}
	}
	for i, r := range s.Requests() {
		if r.Status != 200 || r.Rows != 2_000 {
			t.Errorf("log %d: %+v", i, r)
		}
	}
	if s.MaxInFlight() != 1 {
		t.Errorf("in flight %d", s.MaxInFlight())
	}
}

// The last byte of the JSON is enough, where a decoder stops.
func TestServer_FreesTokenWithLastByte(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(manyChats(1_000)...)
	request := func(w http.ResponseWriter) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+dayReport(), nil)
		req.Header.Set("wolkvox-token", "secret")
		s.Handler().ServeHTTP(w, req)
	}
	var again recorder
	request(writer(func(p []byte) {
		if bytes.HasSuffix(p, []byte("]}")) {
			if log := s.Requests(); log[0].Status != 200 || log[0].Rows != 1_000 {
				t.Errorf("log %+v", log)
			}
			again.header = http.Header{}
			request(&again)
		}
	}))
	if len((response{body: again.String()}).document(t).Data) != 1_000 || s.MaxInFlight() != 1 {
		t.Errorf("in flight %d, have %.200s", s.MaxInFlight(), again.String())
	}
}

// writer is a ResponseWriter that passes written bytes to a function.
type writer func([]byte)

func (w writer) Header() http.Header         { return http.Header{} }
func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }
func (w writer) WriteHeader(int)             {}

func TestRequests_HaveParameters(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Token: "secret", Now: clockAt(noon)})
	s.Add(botOnly(1, noon.Add(-time.Hour)))
	get(t, s, dayReport())
	have := s.Requests()[0]
	want := wolkvoxtest.Request{
		Time: noon, Method: "GET", Host: strings.TrimPrefix(s.URL(), "http://"), Path: reports, API: "chat_8",
		From: "20260310000000", To: "20260310235959", TokenOK: true, Status: 200, Rows: 1,
	}
	if have != want {
		t.Errorf("want %+v\nhave %+v", want, have)
	}
}

func TestRequests_KeepNewest(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 70,000 requests")
	}
	s := newServer(t, wolkvoxtest.Config{Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	handler := s.Handler()
	for i := range 70_000 {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x"+reports+"?api="+strconv.Itoa(i), nil)
		handler.ServeHTTP(discardWriter{http.Header{}}, req)
	}
	log := s.Requests()
	if len(log) > 1<<16 || len(log) < 1<<15 || log[len(log)-1].API != "69999" {
		t.Errorf("have %d, last %+v", len(log), log[len(log)-1])
	}
}

// discardWriter is a ResponseWriter that discards the body.
type discardWriter struct{ header http.Header }

func (n discardWriter) Header() http.Header         { return n.header }
func (n discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (n discardWriter) WriteHeader(int)             {}
