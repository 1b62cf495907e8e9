package wolkvoxtest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestReport_ChecksParameters(t *testing.T) {
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

func TestServer_AllowsOnlyGET(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	for _, method := range []string{http.MethodPost, http.MethodHead, http.MethodDelete} {
		req, _ := http.NewRequestWithContext(t.Context(), method, s.URL()+dayReport(), nil)
		req.Header.Set("wolkvox-token", "secret")
		if have := do(s, req); have.status != 405 || have.header.Get("Allow") != "GET" {
			t.Errorf("%s: have %+v", method, have)
		}
	}
}

func TestReport_LimitsRange(t *testing.T) {
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

func TestReport_GzipsOnRequest(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(answered(1, noon))
	for accept, zipped := range map[string]bool{
		"": false, "gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "identity": false,
	} {
		have := get(t, s, dayReport(), "Accept-Encoding", accept)
		if (have.header.Get("Content-Encoding") == "gzip") != zipped {
			t.Errorf("%q: have %v", accept, have.header)
		}
		if zipped {
			have.body = gunzip(t, have.body)
		}
		wantColumn(t, have.document(t), "conn_id", "1001")
	}
}

func TestServer_DateFollowsClock(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Now: clockAt(noon)})
	if have := get(t, s, dayReport()).header.Get("Date"); have != "Tue, 10 Mar 2026 17:00:00 GMT" {
		t.Errorf("have %q", have)
	}
}

func TestSetDateOffset_ChangesHeaderOnly(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Now: clockAt(noon)})
	s.Add(botOnly(1, noon.Add(-time.Minute)), botOnly(2, noon))
	s.SetDateOffset(-26 * time.Hour)
	have := get(t, s, dayReport())
	if date := have.header.Get("Date"); date != "Mon, 09 Mar 2026 15:00:00 GMT" || !s.Requests()[0].Time.Equal(noon) {
		t.Errorf("have %q, log %+v", date, s.Requests()[0])
	}
	wantColumn(t, have.document(t), "conn_id", "1001") // the other has not ended
	s.SetDateOffset(0)
	if date := get(t, s, dayReport()).header.Get("Date"); date != "Tue, 10 Mar 2026 17:00:00 GMT" {
		t.Errorf("have %q", date)
	}
}

func TestLatency_DependsOnRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
			Location: bogota, Now: clockAt(noon.Add(time.Hour)),
			Latency: func(rows int) time.Duration { return time.Duration(rows) * time.Minute },
		})
		defer s.Close()
		s.Add(answered(1, noon), answered(2, noon.Add(time.Second)), answered(3, noon.Add(2*time.Second)))
		for seconds, want := range []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute} {
			begin := time.Now()
			d := get(t, s, chat8(noon, noon.Add(time.Duration(seconds)*time.Second))).document(t)
			if took := time.Since(begin); took != want || len(d.Data) != seconds+1 {
				t.Errorf("%d rows took %v, want %v", len(d.Data), took, want)
			}
		}
		begin := time.Now()
		if have := get(t, s, chat8(noon.Add(-time.Hour), noon.Add(-time.Minute))); have.status != 200 || time.Since(begin) != 0 {
			t.Errorf("nothing took %v: %+v", time.Since(begin), have)
		}
	})
}

func TestLatency_EndsWithClientOrServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{Location: bogota, Latency: func(int) time.Duration { return time.Hour }})
		begin := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+dayReport(), nil)
		req.Header.Set("wolkvox-token", "secret")
		if have := do(s, req); !errors.Is(have.err, context.DeadlineExceeded) {
			t.Errorf("have %+v", have)
		}
		synctest.Wait()
		go func() {
			time.Sleep(time.Minute)
			s.Close()
		}()
		if have := get(t, s, dayReport()); have.err == nil {
			t.Errorf("have %+v", have)
		}
		if took := time.Since(begin); took != 2*time.Minute || s.MaxInFlight() != 1 {
			t.Errorf("have %v, %d at once", took, s.MaxInFlight())
		}
		for _, log := range s.Requests() {
			if log.Status != 0 {
				t.Errorf("log %+v", log)
			}
		}
	})
}

func TestHandler_ServesOnOtherServer(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(answered(1, noon))
	path, _ := url.Parse("http://other" + dayReport())
	w := &recorder{discardWriter: discardWriter{http.Header{}}}
	s.Handler().ServeHTTP(w, &http.Request{Method: http.MethodGet, URL: path, Header: http.Header{"Wolkvox-Token": {"x"}}})
	if have := (response{body: w.String()}).document(t); len(have.Data) != 1 {
		t.Errorf("have %v", have)
	}
}

type recorder struct {
	discardWriter
	bytes.Buffer
}

func (r *recorder) Write(p []byte) (int, error) { return r.Buffer.Write(p) }

// A large response is written while it is encoded: 150,000 rows are 75 MB.
func TestReport_StreamsLargeResponse(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: with the race detector it would be about the detector's memory")
	}
	const n = 150_000
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Limits: wolkvoxtest.Limits{Rows: 200_000}})
	s.Add(manyChats(n)...)
	size, grown := measureReport(t, s)
	if size < 60<<20 || grown > 32<<20 {
		t.Errorf("a body of %d bytes made the heap grow by %d", size, grown)
	}
	if log := s.Requests()[0]; log.Rows != n || log.Cut {
		t.Errorf("log %+v", log)
	}
}

func TestFault_SizesReachVendorsLimits(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: with the race detector it would be about the detector's memory")
	}
	for fault, want := range map[wolkvoxtest.Fault]int{
		wolkvoxtest.LongValue: 100_000_000, wolkvoxtest.LongConnID: 100_000_000, wolkvoxtest.DeepRow: 4_000_000, wolkvoxtest.HugeBody: 256 << 20,
	} {
		s := newServer(t, wolkvoxtest.Config{Location: bogota})
		s.Add(answered(1, noon))
		s.FailNext(fault)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		size, _ := measureReport(t, s)
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; size <= want || took > 16<<20 {
			t.Errorf("%v: a body of %d bytes took %d of memory, want more than %d", fault, size, took, want)
		}
	}
}

// measureReport returns the size of a report, and the growth of the heap while it is read.
func measureReport(t *testing.T, s *wolkvoxtest.Server) (size int, grown int64) {
	t.Helper()
	body := startReading(t, s).Body
	defer body.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var err error
	for chunk := make([]byte, 64<<10); err == nil; {
		var n int
		n, err = body.Read(chunk)
		size += n
	}
	runtime.ReadMemStats(&after)
	if !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	return size, int64(after.HeapSys) - int64(before.HeapSys)
}

func TestFault_HugeBodyFreesTokenEarly(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(answered(1, noon))
	s.FailNext(wolkvoxtest.HugeBody)
	body := startReading(t, s).Body
	if _, err := io.CopyN(io.Discard, body, 1<<20); err != nil {
		t.Fatal(err)
	}
	body.Close()
	if log := s.Requests()[0]; log.Status != 200 || log.Rows != 1 {
		t.Errorf("log %+v", log)
	}
	wantColumn(t, get(t, s, dayReport()).document(t), "conn_id", "1001")
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
			req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, s.URL()+dayReport(), nil)
			req.Header.Set("wolkvox-token", "secret")
			b.ReportAllocs()
			for b.Loop() {
				handler.ServeHTTP(discardWriter{http.Header{}}, req)
			}
		})
	}
}
