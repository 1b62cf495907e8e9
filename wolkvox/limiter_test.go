package wolkvox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sharedLimiterTest has clients that share a limiter, and an API that takes a minute for each
// request.
type sharedLimiterTest struct {
	limiter TokenLimiter

	mu                 sync.Mutex
	using, maxInFlight map[string]int // by token
	served             []string
}

func (c *sharedLimiterTest) RoundTrip(r *http.Request) (*http.Response, error) {
	token := requestToken(r)
	c.mu.Lock()
	c.using[token]++
	c.maxInFlight[token] = max(c.maxInFlight[token], c.using[token])
	c.served = append(c.served, r.URL.Host)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.using[token]--
	}()
	select {
	case <-time.After(time.Minute):
		return &http.Response{StatusCode: http.StatusNoContent, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func newSharedLimiterTest() *sharedLimiterTest {
	return &sharedLimiterTest{using: map[string]int{}, maxInFlight: map[string]int{}}
}

// ask sends a request and returns its error.
func (c *sharedLimiterTest) ask(ctx context.Context, host, token string) error {
	client := NewClient(&url.URL{Scheme: "https", Host: host}, StaticToken(token),
		WithTokenLimiter(&c.limiter), WithTransport(c), WithTimeout(90*time.Second))
	for _, err := range client.Chats(ctx, Window{1, 2}) {
		return err
	}
	return nil
}

func TestTokenLimiter_ServesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedLimiterTest()
		var wg sync.WaitGroup
		began := time.Now()
		for _, host := range []string{"a", "b", "c", "d"} {
			wg.Go(func() {
				if err := c.ask(t.Context(), host, "shared"); err != nil {
					t.Errorf("%s: have error %v, want none: the time in a queue is none of the request's", host, err)
				}
			})
			synctest.Wait()
		}
		wg.Go(func() {
			if err := c.ask(t.Context(), "other", "another"); err != nil || time.Since(began) > time.Minute {
				t.Errorf("another token: have error %v after %s, want none after a minute", err, time.Since(began))
			}
		})
		wg.Wait()
		if want := []string{"a", "other", "b", "c", "d"}; !slices.Equal(c.served, want) {
			t.Errorf("have served %q, want %q", c.served, want)
		}
		if c.maxInFlight["shared"] != 1 {
			t.Errorf("have %d requests at once with the token, want 1", c.maxInFlight["shared"])
		}
		if len(c.limiter.queues) != 0 {
			t.Errorf("have %d queues left, want none", len(c.limiter.queues))
		}
	})
}

func TestTokenLimiter_CancelledWaiterLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newSharedLimiterTest()
		var wg sync.WaitGroup
		wg.Go(func() { _ = c.ask(t.Context(), "a", "shared") })
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if err := c.ask(ctx, "b", "shared"); !errors.Is(err, context.Canceled) {
				t.Errorf("have error %v, want the caller's", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { _ = c.ask(t.Context(), "c", "shared") })
		synctest.Wait()
		cancel()
		wg.Wait()
		if want := []string{"a", "c"}; !slices.Equal(c.served, want) || len(c.limiter.queues) != 0 {
			t.Errorf("have served %q and %d queues left, want %q and none", c.served, len(c.limiter.queues), want)
		}
	})
}
