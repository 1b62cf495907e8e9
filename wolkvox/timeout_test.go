package wolkvox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

const okHead = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"

// newSlowTransport returns a transport whose server sends a row every nine seconds without end.
func newSlowTransport(t *testing.T) *http.Transport {
	t.Helper()
	return newPipeTransport(t, func(_ string, conn net.Conn) bool {
		_, err := io.WriteString(conn, okHead+`{"data": [{}`)
		for err == nil {
			time.Sleep(9 * time.Second)
			_, err = io.WriteString(conn, ","+rowWith())
		}
		return false
	})
}

// newSilentTransport returns a transport whose server never responds.
func newSilentTransport(t *testing.T) *http.Transport {
	t.Helper()
	return newPipeTransport(t, func(_ string, conn net.Conn) bool {
		_, _ = conn.Read(make([]byte, 1))
		return false
	})
}

// newStuckTransport returns a transport that never connects. A transport continues to dial
// after the request's end, as the next one could use the connection.
func newStuckTransport(t *testing.T) *http.Transport {
	t.Helper()
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		<-t.Context().Done()
		return nil, t.Context().Err()
	}}
}

func TestWithTimeout_LimitsWholeExchange(t *testing.T) {
	for _, c := range []struct {
		name   string
		server func(*testing.T) *http.Transport
		limit  time.Duration
		chats  int
	}{
		{"no connection", newStuckTransport, 60 * time.Second, 0},
		{"no answer", newSilentTransport, 60 * time.Second, 0},
		{"a slow body", newSlowTransport, 60 * time.Second, 6},
		{"a limit of its own", newSlowTransport, 25 * time.Second, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				have := askAt(t.Context(), t, wireBase, c.server(t), withTimeLimit(c.limit))
				if took := time.Since(start); have.failure() != Timeout || took != c.limit || have.request.Duration != c.limit {
					t.Errorf("have %v after %v, observed %v", have.err, took, have.request.Duration)
				}
				if len(have.chats) != c.chats {
					t.Errorf("have %d chats, want %d", len(have.chats), c.chats)
				}
			})
		})
	}
}

// A body can outlive its request if a transport ignores contexts.
func TestClient_ClosesBodyThatIgnoresContext(t *testing.T) {
	for _, status := range []int{200, 403, 404, 500} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				silent, _ := io.Pipe()
				return &http.Response{StatusCode: status, Body: silent, Request: r}, nil
			}))
			if took := time.Since(start); took != defaultTimeout || have.err == nil {
				t.Errorf("%d: have %v after %v", status, have.err, took)
			}
		})
	}
}

func withTimeLimit(d time.Duration) Option {
	if d == defaultTimeout {
		return func(*Client) {}
	}
	return WithTimeout(d)
}

func TestWithTimeout_LimitsBodyOfRefusal(t *testing.T) {
	for status, want := range map[int]Result{403: Unavailable, 404: Timeout, 500: ServerError} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			have := askAt(t.Context(), t, wireBase, newPipeTransport(t, func(_ string, conn net.Conn) bool {
				fmt.Fprintf(conn, "HTTP/1.1 %d Some\r\nContent-Length: 100\r\n\r\n{", status)
				_, _ = conn.Read(make([]byte, 1))
				return false
			}))
			if took := time.Since(start); took != defaultTimeout || have.failure() != want {
				t.Errorf("%d: have %v after %v", status, have.err, took)
			}
		})
	}
}

// A request that the caller cancelled has no result.
func TestClient_CancellationIsNoResult(t *testing.T) {
	broken := errors.New("shutting down")
	answering := func(status int) func(*testing.T) *http.Transport {
		return func(t *testing.T) *http.Transport {
			t.Helper()
			return newPipeTransport(t, func(_ string, conn net.Conn) bool {
				fmt.Fprintf(conn, "HTTP/1.1 %d Some\r\nContent-Length: 100\r\n\r\n{", status)
				_, _ = conn.Read(make([]byte, 1))
				return false
			})
		}
	}
	for name, server := range map[string]func(*testing.T) *http.Transport{
		"connecting": newStuckTransport, "waiting": newSilentTransport, "reading": newSlowTransport, "reading a 403": answering(403), "reading a 404": answering(404),
	} {
		for _, c := range []struct {
			want  error
			bound func(context.Context) (context.Context, context.CancelFunc)
		}{
			{context.DeadlineExceeded, func(ctx context.Context) (context.Context, context.CancelFunc) {
				return context.WithTimeout(ctx, 15*time.Second)
			}},
			{context.Canceled, func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(ctx)
				time.AfterFunc(15*time.Second, cancel)
				return ctx, cancel
			}},
			{broken, func(ctx context.Context) (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(ctx)
				time.AfterFunc(15*time.Second, func() { cancel(broken) })
				return ctx, func() { cancel(nil) }
			}},
		} {
			t.Run(name+" "+c.want.Error(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := c.bound(t.Context())
					defer cancel()
					start := time.Now()
					have := askAt(ctx, t, wireBase, server(t))
					if !errors.Is(have.err, c.want) || have.requests != 0 {
						t.Errorf("have %v, observed %d times, want %v", have.err, have.requests, c.want)
					}
					if took := time.Since(start); took != 15*time.Second {
						t.Errorf("took %v", took)
					}
				})
			})
		}
	}
}

func TestRetryAfter_BothForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
		for header, want := range map[string]time.Duration{
			"": 0, "120": 2 * time.Minute, "0": 0, "-5": 0, "soon": 0, "1.5": 0, "1h": 0,
			in(90 * time.Second): 90 * time.Second, in(-time.Hour): 0,
			"86400": 24 * time.Hour, "86401": 24 * time.Hour, "9223372036854775807": 24 * time.Hour, "99999999999999999999": 24 * time.Hour,
			"-99999999999999999999": 0, "-9223372036854775807": 0,
			in(48 * time.Hour): 24 * time.Hour,
		} {
			for _, status := range []int{403, 429, 503} {
				var failure *Error
				have := ask(t, newResponder(status, "", "Retry-After", header))
				if !errors.As(have.err, &failure) || failure.RetryAfter != want {
					t.Errorf("%d, %q: have %v, want %v", status, header, failure.RetryAfter, want)
				}
			}
		}
	})
}

func TestClient_ClockSkew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, skew := range []time.Duration{0, 90 * time.Second, -90 * time.Second, 26 * time.Hour} {
			time.Sleep(time.Second - time.Duration(time.Now().Nanosecond()))
			have := ask(t, roundTrip(func(r *http.Request) (*http.Response, error) {
				time.Sleep(500 * time.Millisecond)
				date := time.Now().Add(skew).UTC().Format(http.TimeFormat)
				time.Sleep(500 * time.Millisecond)
				return newResponder(http.StatusForbidden, "", "Date", date)(r)
			}))
			if have.request.ClockSkew == nil || *have.request.ClockSkew != skew {
				t.Errorf("have %v, want %v", have.request.ClockSkew, skew)
			}
		}
	})
	for _, header := range []string{"", "yesterday"} {
		if have := ask(t, newResponder(http.StatusOK, report(), "Date", header)); have.request.ClockSkew != nil {
			t.Errorf("%q: have %v, want none", header, *have.request.ClockSkew)
		}
	}
}
