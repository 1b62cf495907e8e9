package wolkvoxtest_test

import (
	"bytes"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestParameters(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	const missing, unknown = "SOME PARAMETERS ARE REQUIRED", "THE API YOU WANT TO CONSULT DOES NOT EXIST"
	for path, msg := range map[string]string{
		reports:                 missing,
		information:             missing,
		reports + "?api=chat_8": missing,
		reports + "?api=chat_8&date_ini=20260310000000":                         missing,
		reports + "?api=chat_8&date_end=20260310000000":                         missing,
		reports + "?api=chat_8&date_ini=20260310000000&date_end=2026-03-10":     missing,
		reports + "?api=chat_8&date_ini=20260230000000&date_end=20260310000000": missing,
		reports + "?api=chat_1&date_ini=20260310000000&date_end=20260310000000": unknown,
		reports + "?api=token_info":                                             unknown,
		information + "?api=chat_8&date_ini=20260310000000&date_end=2026031000": unknown,
	} {
		wantRefusal(t, get(t, s, path), 400, msg)
	}
	if have := get(t, s, "/api/v2/other.php?api=chat_8"); have.status != 404 || !strings.Contains(have.body, "<h1>") {
		t.Errorf("other path: have %+v", have)
	}
}

func TestOnlyGET(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodDelete} {
		req, _ := http.NewRequestWithContext(t.Context(), method, s.URL()+aDay(), nil)
		req.Header.Set("wolkvox-token", "secret")
		if have := do(s, req); have.status != 405 || have.header.Get("Allow") != "GET" {
			t.Errorf("%s: have %+v", method, have)
		}
	}
}

func TestRangeLimits(t *testing.T) {
	for _, test := range []struct {
		ini, end string
		limits   wolkvoxtest.Limits
		status   int
	}{
		{"20260301000000", "20260401000000", wolkvoxtest.Limits{}, 200},
		{"20260301000000", "20260401000001", wolkvoxtest.Limits{}, 400},
		{"20260301000000", "20270301000000", wolkvoxtest.Limits{Days: -1}, 200},
		{"20260301000000", "20260303000000", wolkvoxtest.Limits{Days: 1}, 400},
		{"20260310000000", "20260309000000", wolkvoxtest.Limits{}, 200}, // nothing is in it
		{"20260301000000", "20260331235959", wolkvoxtest.Limits{SameMonth: true}, 200},
		{"20260331000000", "20260401000000", wolkvoxtest.Limits{SameMonth: true}, 400},
		{"20260301000000", "20270301000000", wolkvoxtest.Limits{Days: -1, SameMonth: true}, 400},
	} {
		s := newServer(t, wolkvoxtest.Config{Limits: test.limits})
		if have := get(t, s, reports+"?api=chat_8&date_ini="+test.ini+"&date_end="+test.end); have.status != test.status {
			t.Errorf("%s to %s: want %d, have %d", test.ini, test.end, test.status, have.status)
		}
	}
}

func TestGzipWhenAskedFor(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(answered(1, noon))
	for accept, zipped := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "identity": false,
	} {
		have := get(t, s, aDay(), "Accept-Encoding", accept)
		if (have.header.Get("Content-Encoding") == "gzip") != zipped {
			t.Errorf("%q: have %v", accept, have.header)
		}
		if zipped {
			have.body = gunzip(t, have.body)
		}
		wantColumn(t, have.document(t), "conn_id", "1001")
	}
}

func TestDateHeaderFollowsTheServersClock(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Now: at(noon)})
	if have := get(t, s, aDay()).header.Get("Date"); have != "Tue, 10 Mar 2026 17:00:00 GMT" {
		t.Errorf("have %q", have)
	}
}

func TestHandlerServesElsewhere(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(answered(1, noon))
	path, _ := url.Parse("http://other" + aDay())
	w := &recorder{nowhere: nowhere{http.Header{}}}
	s.Handler().ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: path, Header: http.Header{"Wolkvox-Token": {"x"}}})
	if have := (response{body: w.String()}).document(t); len(have.Data) != 1 {
		t.Errorf("have %v", have)
	}
}

type recorder struct {
	nowhere
	bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.Buffer.Write(p) }

// A large response is written as it is made: 150,000 rows are 75 MB.
func TestLargeResponseStreams(t *testing.T) {
	const n = 150_000
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Limits: wolkvoxtest.Limits{Rows: 200_000}})
	s.Add(manyChats(n)...)
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+aDay(), nil)
	req.Header.Set("wolkvox-token", "secret")
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var before, during runtime.MemStats
	runtime.ReadMemStats(&before)
	var size int
	for chunk := make([]byte, 64<<10); err == nil; {
		var n int
		n, err = resp.Body.Read(chunk)
		size += n
	}
	runtime.ReadMemStats(&during)
	if grown := int64(during.HeapSys) - int64(before.HeapSys); size < 60<<20 || grown > 32<<20 {
		t.Errorf("a body of %d bytes made the heap grow by %d", size, grown)
	}
	if log := s.Requests()[0]; log.Rows != n || log.Cut {
		t.Errorf("log %+v", log)
	}
}

func manyChats(n int) []wolkvoxtest.Chat {
	chats := make([]wolkvoxtest.Chat, n)
	for i := range chats {
		chats[i] = answered(i, noon.Add(time.Duration(i%3600)*time.Second))
	}
	return chats
}

func BenchmarkReport(b *testing.B) {
	for _, n := range []int{1_000, 60_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: bogota, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
			defer s.Close()
			s.Add(manyChats(n)...)
			handler := s.Handler()
			req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL()+aDay(), nil)
			req.Header.Set("wolkvox-token", "secret")
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(nowhere{http.Header{}}, req)
			}
		})
	}
}
