package wolkvox

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
)

// stream returns a sequence that makes a request and yields the rows of the response, and
// then the request's error.
func stream[T any](
	ctx context.Context, c *Client, page, api, parameters string, row func(*decoder) (T, error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		err := c.get(ctx, page, api, parameters, func(d *decoder) error { return decodeRows(d, row, yield) })
		if err != nil && !errors.Is(err, errStopped) {
			var none T
			yield(none, err)
		}
	}
}

// get makes one request and reports it to the observer.
func (c *Client) get(ctx context.Context, page, api, parameters string, read func(*decoder) error) error {
	response := Response{Announced: -1}
	if api == chatReport {
		defer func() { c.response = response }()
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	request, err := c.newRequest(ctx, page, api, parameters, token)
	if err != nil {
		return err
	}
	release, err := c.limiter.acquire(ctx, token)
	if err != nil {
		return err
	}
	defer release()

	result := Request{API: api, Result: Empty}
	start := time.Now()
	err = c.exchange(ctx, request, func(date time.Time) {
		// A Date is cut to the second, and was written half-way through the exchange.
		skew := date.Add(time.Second / 2).Sub(start.Add(time.Since(start) / 2))
		result.ClockSkew, c.skew = &skew, &skew
	}, func(d *decoder) error {
		err := read(d)
		response = d.response()
		if d.rows > 0 {
			result.Result = OK
		}
		return err
	})
	result.Duration = time.Since(start)
	result.ExtraText = response.ExtraText

	if failure, ok := errors.AsType[*Error](err); ok {
		result.Result = failure.Result
	} else if err != nil && !errors.Is(err, errStopped) {
		return err // The caller gave up, which says nothing of the API.
	}
	c.observe(result)
	return err
}

func (c *Client) newRequest(ctx context.Context, page, api, parameters, token string) (*http.Request, error) {
	target := c.base.JoinPath("api", "v2", page)
	// In the order of the vendor's examples; url.Values would sort it.
	target.RawQuery = "api=" + api + parameters
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("building a request to %q: %w", c.base.Redacted(), err)
	}
	// What a server sends after a response could be taken for the next one's on a connection
	// that is kept.
	request.Close = true
	// Without Set, which changes the case: PHP's getallheaders keeps that of the wire.
	request.Header["wolkvox-token"] = []string{token}
	if c.server != "" {
		request.Header["wolkvox_server"] = []string{c.server}
	}
	request.Header.Set("Accept", "application/json")
	if c.agent != "" {
		request.Header.Set("User-Agent", c.agent)
	}
	return request, nil
}

// exchange sends a request and reads its response. It returns an *Error, errStopped, or the
// cause of the caller's context.
func (c *Client) exchange(
	caller context.Context, request *http.Request, onDate func(time.Time), read func(*decoder) error,
) error {
	limited, cancel := context.WithTimeout(caller, c.timeout)
	defer cancel()
	var trace connTrace
	response, err := c.http.Do(request.WithContext(trace.context(limited)))
	if err != nil {
		return c.failure(caller, limited, err)
	}
	defer response.Body.Close()
	// Not every transport ends the reading of a body with its request.
	stop := context.AfterFunc(limited, func() { _ = response.Body.Close() })
	defer stop()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		onDate(date)
	}
	body := http.MaxBytesReader(nil, response.Body, c.maxBody)
	switch response.StatusCode {
	case http.StatusSwitchingProtocols: // Its body is the connection and has no end.
		return &Error{Result: Malformed, Status: response.StatusCode}
	case http.StatusNoContent:
		return nil
	case http.StatusOK:
		err := c.failure(caller, limited, read(newDecoder(contextReader{limited, body}, c.rows)))
		if failure, ok := errors.AsType[*Error](err); ok && failure.Status == 0 {
			failure.Status = http.StatusOK // The response had begun.
		}
		return err
	}
	refusal, hasMessage, readErr := decodeRefusal(response.StatusCode, contextReader{limited, body})
	switch cause := context.Cause(caller); {
	case cause != nil:
		return cause
	case response.StatusCode == http.StatusNotFound && readErr != nil: // It is unknown who answers.
		return c.failure(caller, limited, readErr)
	case refusal == nil:
		return nil
	case trace.isFromProxy(response, request.URL, hasMessage):
		return refusedByProxy(response)
	}
	refusal.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	return refusal
}

// failure returns the error of a request from what net/http, the body's reader or the decoder
// returned. limited is caller's context with the request's time limit.
func (c *Client) failure(caller, limited context.Context, err error) error {
	var known *Error
	var syntax *jsonscan.SyntaxError
	var timeout interface{ Timeout() bool }
	var corrupt flate.CorruptInputError
	var tooLarge *http.MaxBytesError
	switch cause := context.Cause(caller); {
	case err == nil, errors.Is(err, errStopped):
		return err
	case errors.As(err, &syntax):
		return &Error{Result: Malformed, Err: syntax}
	case errors.As(err, &known):
		return known
	case cause != nil:
		return cause
	case limited.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Result: Timeout}
	case errors.As(err, &tooLarge):
		return &Error{Result: TooLarge}
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return &Error{Result: Malformed, Err: errors.New("broken gzip")}
	default:
		return &Error{Result: Network, Err: redact(err, c.base.Host)}
	}
}

// contextReader reads nothing after the end of ctx, whatever the reader does.
type contextReader struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}

// retryAfter returns what a header Retry-After in either form asks for: a day at most, as the
// quota is a new one then, and 0 if there is none.
func retryAfter(header string) time.Duration {
	const maxWait = 24 * time.Hour
	var wait time.Duration
	// ParseInt returns the nearest value with ErrRange.
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(max(0, min(seconds, int64(maxWait/time.Second)))) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = min(time.Until(date), maxWait)
	}
	return max(0, wait)
}
