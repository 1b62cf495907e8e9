package exposition

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
)

// stalled is a response whose client does not read until it is closed.
type stalled struct {
	*httptest.ResponseRecorder
	closed chan struct{}
}

func (s *stalled) Write([]byte) (int, error) {
	<-s.closed
	return 0, http.ErrHandlerTimeout
}

func wantRefused(t *testing.T, e *served, response *httptest.ResponseRecorder) {
	t.Helper()
	if response.Code != http.StatusServiceUnavailable || response.Header().Get("Retry-After") == "" {
		t.Errorf("have status %d and Retry-After %q, want 503 and when to try again", response.Code, response.Header().Get("Retry-After"))
	}
	if have := text(t, asked(t, e, acceptText, "gzip")); !strings.Contains(have, "\nwolkvox_exporter_scrapes_refused_total 1\n") {
		t.Errorf("have no scrape refused in\n%s", have)
	}
}

func TestHandler_RefusesScrapesBeyondLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newServed(&fakeSource{name: "first"})
		e.scrapes = make(chan struct{}, 2)
		closed := make(chan struct{})
		for range 2 {
			go e.ServeHTTP(&stalled{httptest.NewRecorder(), closed}, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		}
		synctest.Wait()
		refused := asked(t, e, acceptText, "gzip")
		close(closed)
		synctest.Wait()
		wantRefused(t, e, refused)
	})
}

// Clients that do not read, however they ask, keep no other from an answer.
func TestHandler_StalledClientsBlockNoOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newServed(&fakeSource{name: "first"})
		closed := make(chan struct{})
		for _, query := range []string{"", "?name[]=wolkvox_chat_messages"} {
			for _, encodings := range []string{"", "gzip", "gzip;q=1", "*"} {
				for _, accept := range accepts {
					for range 3 {
						request := httptest.NewRequestWithContext(t.Context(), "GET", "/metrics"+query, nil)
						request.Header.Set("Accept", accept)
						request.Header.Set("Accept-Encoding", encodings)
						go e.ServeHTTP(&stalled{httptest.NewRecorder(), closed}, request)
					}
				}
			}
		}
		synctest.Wait()
		if len(e.scrapes) < 200 {
			t.Errorf("have %d clients that do not read", len(e.scrapes))
		}
		if have := asked(t, e, acceptText, "gzip"); have.Code != http.StatusOK {
			t.Errorf("have status %d beside clients that do not read", have.Code)
		}
		close(closed)
		synctest.Wait()
		if len(e.scrapes) > 0 {
			t.Errorf("have %d scrapes after they have gone", len(e.scrapes))
		}
	})
}

func TestHandler_RefusesScrapeOfCanceledRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newServed(&fakeSource{name: "first"})
		for range cap(e.assembling) {
			e.assembling <- struct{}{}
		}
		ctx, leave := context.WithCancel(t.Context())
		waiting := httptest.NewRecorder()
		go e.ServeHTTP(waiting, httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
		synctest.Wait()
		if len(e.scrapes) != 1 {
			t.Fatalf("have %d scrapes that wait, want 1", len(e.scrapes))
		}
		leave()
		synctest.Wait()
		for range cap(e.assembling) {
			<-e.assembling
		}
		wantRefused(t, e, waiting)
	})
}

// A scrape shows what was gathered after it came, whatever was being gathered then.
func TestHandler_GathersOnceForAllWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gathered, proceed := 0, make(chan struct{})
		reg := prometheus.NewRegistry()
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "gathered", Help: "How often."}, func() float64 {
			gathered++
			<-proceed
			return float64(gathered)
		}))
		e := NewHandler(reg, func() []*Group { return nil }, nil)
		answers := make(chan string, 10)
		scrape := func() { answers <- asked(t, e, acceptText, "").Body.String() }
		go scrape()
		synctest.Wait()
		for range 9 {
			go scrape()
		}
		synctest.Wait()
		close(proceed)
		synctest.Wait()
		close(answers)
		var have []string
		for answer := range answers {
			_, rest, _ := strings.Cut(answer, "\ngathered ")
			value, _, _ := strings.Cut(rest, "\n")
			have = append(have, value)
		}
		slices.Sort(have)
		if want := append([]string{"1"}, slices.Repeat([]string{"2"}, 9)...); !slices.Equal(have, want) {
			t.Errorf("have %q, want %q", have, want)
		}
	})
}
