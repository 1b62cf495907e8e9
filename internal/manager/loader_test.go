package manager

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/config"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// firstRequests records when each operation makes its first request. All requests fail.
type firstRequests struct {
	began time.Time

	mu    sync.Mutex
	after []time.Duration
}

func (f *firstRequests) transport() http.RoundTripper {
	var once sync.Once
	return roundTripper(func(*http.Request) (*http.Response, error) {
		once.Do(func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.after = append(f.after, time.Since(f.began))
		})
		return nil, http.ErrServerClosed
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func TestManager_SpreadsFirstPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listening := make(chan struct{})
		close(listening)
		requests := &firstRequests{began: time.Now()}
		var targets []config.Target
		for _, name := range []string{"a", "b", "c"} {
			target := config.Target{Name: name, Zone: time.UTC, Base: &url.URL{Scheme: "http", Host: "example.com"}}
			target.Operation.Poll.Interval.Duration = 5 * time.Minute
			target.Operation.Poll.InitialWindow.Duration = 5 * time.Minute
			target.Operation.Timeout.Duration = time.Minute
			targets = append(targets, target)
		}
		m := New(prometheus.NewRegistry(), Options{
			Targets: func(context.Context) ([]config.Target, error) { return targets, nil },
			NewClient: func(target config.Target, options ...wolkvox.Option) *wolkvox.Client {
				return wolkvox.NewClient(target.Base, wolkvox.StaticToken("token"), append(options, wolkvox.WithTransport(requests.transport()))...)
			},
			Listening:    listening,
			BeginTask:    func(string) func() { return func() {} },
			RunningTasks: func() string { return "" },
			Logger:       log.NewNopLogger(),
		})
		if err := m.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		m.Close()
		if want := []time.Duration{0, firstPollInterval, 2 * firstPollInterval}; !slices.Equal(requests.after, want) {
			t.Errorf("have the first requests after %v, want %v", requests.after, want)
		}
	})
}
