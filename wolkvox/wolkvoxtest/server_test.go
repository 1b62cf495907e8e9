package wolkvoxtest_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// An hour of polls takes no real time.
func TestPipeServer_RunsInSynctestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{Location: bogota, SlowBody: 20 * time.Second})
		defer s.Close()
		begin := time.Now().In(bogota)
		s.Add(answered(1, begin.Add(time.Minute)), botOnly(2, begin.Add(2*time.Minute)))

		seen := map[string]time.Duration{}
		for range 12 {
			time.Sleep(5 * time.Minute)
			now := time.Now().In(bogota)
			for _, row := range get(t, s, chat8(begin, now)).document(t).Data {
				id := row["conn_id"].(string)
				if _, ok := seen[id]; !ok {
					seen[id] = now.Sub(begin)
				}
			}
		}
		if seen["1001"] != 15*time.Minute || seen["1002"] != 5*time.Minute || len(seen) != 2 {
			t.Errorf("have %v", seen)
		}

		s.FailNext(wolkvoxtest.SlowBody)
		slow := time.Now()
		get(t, s, chat8(begin, slow.In(bogota))).document(t)
		if took := time.Since(slow); took < 19*time.Second || took > 20*time.Second {
			t.Errorf("the slow body took %v", took)
		}

		s.FailNext(wolkvoxtest.Hang)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+dayReport(), nil)
		req.Header.Set("wolkvox-token", "secret")
		if have := do(s, req); !errors.Is(have.err, context.DeadlineExceeded) {
			t.Errorf("have %+v", have)
		}
	})
}

func TestPipeServer_ServesFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{Location: bogota})
		defer s.Close()
		s.Add(answered(1, noon), answered(2, noon))
		s.FailNext(wolkvoxtest.Dropped, wolkvoxtest.CutConnection)
		if have := get(t, s, dayReport()); !errors.Is(have.err, io.EOF) {
			t.Errorf("dropped: have %+v", have)
		}
		time.Sleep(time.Hour)
		if have := get(t, s, chat8(noon, noon)); have.status != 200 {
			t.Errorf("cut: have %+v", have)
		}
	})
}

func TestServer_CloseEndsRequests(t *testing.T) {
	for name, start := range map[string]func(wolkvoxtest.Config) *wolkvoxtest.Server{
		"tcp": wolkvoxtest.NewServer, "pipe": wolkvoxtest.NewPipeServer,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(wolkvoxtest.Config{SlowBody: time.Hour})
			s.Add(answered(1, noon))
			s.FailNext(wolkvoxtest.SlowBody, wolkvoxtest.Hang)
			var wg sync.WaitGroup
			for range 2 {
				wg.Go(func() { get(t, s, dayReport()) })
			}
			for len(s.Requests()) < 2 {
				time.Sleep(time.Millisecond)
			}
			done := make(chan struct{})
			go func() { s.Close(); s.Close(); close(done) }()
			select {
			case <-done:
			case <-time.After(5 * time.Second):
				t.Fatal("Close does not return")
			}
			wg.Wait()
			if have := get(t, s, dayReport()); have.err == nil {
				t.Errorf("after Close: have %+v", have)
			}
		})
	}
}

// Close also ends requests that Handler serves on another server.
func TestServer_CloseEndsRequestsOfHandler(t *testing.T) {
	for _, fault := range []wolkvoxtest.Fault{wolkvoxtest.Hang, wolkvoxtest.SlowBody} {
		synctest.Test(t, func(t *testing.T) {
			s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{SlowBody: time.Hour})
			s.FailNext(fault)
			begin := time.Now()
			var wg sync.WaitGroup
			wg.Go(func() {
				defer func() { _ = recover() }() // a hung request ends with http.ErrAbortHandler
				req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+dayReport(), nil)
				req.Header.Set("wolkvox-token", "secret")
				s.Handler().ServeHTTP(&flusher{}, req)
			})
			synctest.Wait()
			s.Close()
			wg.Wait()
			if took := time.Since(begin); took > 0 {
				t.Errorf("%v lasts %v", fault, took)
			}
		})
	}
}

type flusher struct{ recorder }

func (*flusher) Header() http.Header { return http.Header{} }
func (*flusher) Flush()              {}

func TestServer_CloseWaitsForHandlers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
		release, closed := make(chan struct{}), make(chan struct{})
		s.FailWith(func(int) wolkvoxtest.Fault { <-release; return wolkvoxtest.None })
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+dayReport(), nil)
		go do(s, req)
		synctest.Wait()
		go func() { s.Close(); close(closed) }()
		synctest.Wait()
		select {
		case <-closed:
			t.Error("Close returned before the handler did")
		default:
		}
		close(release)
		<-closed
	})
}

func TestServer_CloseDuringNewConnections(t *testing.T) {
	for range 50 {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() { get(t, s, dayReport()) })
		}
		s.Close()
		wg.Wait()
	}
}

func TestServer_DialContext(t *testing.T) {
	for _, start := range []func(wolkvoxtest.Config) *wolkvoxtest.Server{wolkvoxtest.NewServer, wolkvoxtest.NewPipeServer} {
		s := start(wolkvoxtest.Config{})
		transport := &http.Transport{DialContext: s.DialContext, DisableKeepAlives: true}
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://wv0042.wolkvox.com"+dayReport(), nil)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if have := s.Requests()[0].Host; have != "wv0042.wolkvox.com" {
			t.Errorf("have %q", have)
		}
		s.Close()
		if _, err := s.DialContext(t.Context(), "tcp", "x:80"); err == nil {
			t.Error("a closed server can be reached")
		}
	}
}

func TestServer_DialEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for range 10 {
			c, err := s.DialContext(ctx, "tcp", "x:80")
			var op *net.OpError
			switch {
			case err == nil:
				_ = c.Close()
			case !errors.Is(err, context.Canceled) || !errors.As(err, &op):
				t.Errorf("have %v", err)
			}
		}
	})
}

func TestServer_AddWhileServing(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{
		Location: bogota, Limits: wolkvoxtest.Limits{SimultaneousRequests: -1, RequestsPerDay: -1},
		Source: wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: bogota}), Now: clockAt(noon),
	})
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 10 {
				s.Add(botOnly(10*worker+i, noon.Add(-10*time.Minute)))
				s.Update(botOnly(10*worker+i, noon.Add(-10*time.Minute)))
				if have := get(t, s, chat8(noon.Add(-10*time.Minute), noon)); have.status != 200 {
					t.Errorf("have %+v", have)
				}
				s.Truth(noon)
				s.Requests()
				s.MaxInFlight()
				s.FailNext(wolkvoxtest.None)
			}
		})
	}
	wg.Wait()
	if have := s.Truth(noon).Total.Interactions; have != 40 {
		t.Errorf("have %d chats", have)
	}
}
