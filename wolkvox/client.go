package wolkvox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	// MaxRows is the vendor's limit of records per response. A response with
	// as many is a cut one: there is no paging.
	MaxRows = 60_000
	// maxBody is the vendor's limit of 256 MB, on the decoded body.
	maxBody = 256 << 20
	// defaultTimeout is the vendor's limit for a request.
	defaultTimeout = 60 * time.Second
	// maxRedirects on the same host; more is a loop. Each costs a request.
	maxRedirects = 2

	reportsPage     = "reports_manager.php"
	informationPage = "information.php"

	chatReport       = "chat_8"
	routingPointsAPI = "routing_points"
	tokenInfoAPI     = "token_info"
)

// APIs lists the values of the api label of [Request]s.
func APIs() []string { return []string{chatReport, routingPointsAPI, tokenInfoAPI} }

// Request tells an observer how a request went.
type Request struct {
	API      string
	Result   Result
	Duration time.Duration
	// ClockSkew is how far the server's clock is ahead of ours, by its Date
	// header, good to a second. Nil if no response came.
	ClockSkew *time.Duration
	// ExtraText is set where other text was before the JSON of the response or behind
	// it, such as a PHP warning. It was read all the same.
	ExtraText bool
}

// Client makes requests to one operation. It is for one goroutine at a time:
// the vendor forbids to use a token twice at once.
type Client struct {
	base    *url.URL
	server  string
	agent   string
	token   TokenSource
	timeout time.Duration
	maxBody int64
	observe func(Request)
	wanted  wanted
	turns   *Turns
	http    http.Client
	skew    *time.Duration // of the newest response

	response Response // to the newest request for chats
}

// Option changes a [Client]'s defaults.
type Option func(*Client)

// WithTimeout limits one request, its body included. The default is the
// vendor's own limit of 60 s.
func WithTimeout(d time.Duration) Option { return func(c *Client) { c.timeout = d } }

// WithServer adds the header wolkvox_server, which the vendor's own collection
// of requests sends.
func WithServer(digits string) Option { return func(c *Client) { c.server = digits } }

// WithUserAgent sets the header User-Agent, which is Go's by default.
func WithUserAgent(agent string) Option { return func(c *Client) { c.agent = agent } }

// WithObserver is told of every request.
func WithObserver(observe func(Request)) Option { return func(c *Client) { c.observe = observe } }

// WithTurns takes turns with the other clients that share them and the token.
func WithTurns(turns *Turns) Option { return func(c *Client) { c.turns = turns } }

// WithAgentNames fills [Chat.AgentName], which is skipped unseen otherwise.
func WithAgentNames() Option { return func(c *Client) { c.wanted.agentNames = true } }

// WithConnIDs fills [Chat.ConnID].
func WithConnIDs() Option { return func(c *Client) { c.wanted.connIDs = true } }

// WithShapes tells, of each value of a chat that cannot be read, its field by the
// API's name and what it looks like. A value is read again, and told again, with
// every response that shows it.
func WithShapes(tell func(field string, shape Shape)) Option {
	return func(c *Client) { c.wanted.shapes = tell }
}

// WithZone is the operation's zone: a date with an offset is one of its wall clock
// then. Without it, such a date is taken as it is written.
func WithZone(zone *time.Location) Option { return func(c *Client) { c.wanted.zone = zone } }

// WithTransport replaces the default transport, which is one of [NewTransport].
func WithTransport(rt http.RoundTripper) Option { return func(c *Client) { c.http.Transport = rt } }

// NewClient makes a client for the API below base, such as
// https://wv0042.wolkvox.com.
func NewClient(base *url.URL, token TokenSource, options ...Option) *Client {
	c := &Client{base: base, token: token, timeout: defaultTimeout, maxBody: maxBody, observe: func(Request) {}, turns: &Turns{}}
	c.http.Transport = defaultTransport
	c.http.CheckRedirect = c.checkRedirect
	c.response.Announced = -1
	for _, option := range options {
		option(c)
	}
	return c
}

// checkRedirect refuses a redirect to anywhere else, and one in a loop. net/http
// forwards custom headers, so the token, to wherever a redirect leads.
func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	elsewhere := next.URL.Scheme != c.base.Scheme || next.URL.Host != c.base.Host
	again := slices.ContainsFunc(via, func(earlier *http.Request) bool { return earlier.URL.String() == next.URL.String() })
	if elsewhere || again || len(via) > maxRedirects {
		return &Error{Result: Redirected}
	}
	next.Close = true // net/http does not take it over.
	return nil
}

// Chats asks for the chats of a window and yields each row of the response as
// it streams in. With [ErrBadRow] only that row is lost. Any other error is the
// last thing yielded: an [*Error], the context's, or the token's.
func (c *Client) Chats(ctx context.Context, w Window) iter.Seq2[Chat, error] {
	parameters := "&date_ini=" + w.From.param() + "&date_end=" + w.To.param()
	return stream(ctx, c, reportsPage, chatReport, parameters,
		func(body io.Reader, response *Response, yield func(Chat, error) bool) (int, error) {
			return decode(body, c.wanted, response, yield)
		})
}

// stream makes a request whenever it is read, and yields what decode does, and
// then what the request failed of.
func stream[T any](
	ctx context.Context, c *Client, page, api, parameters string,
	decode func(io.Reader, *Response, func(T, error) bool) (int, error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		response := Response{Announced: -1}
		err := c.get(ctx, page, api, parameters, &response, func(body io.Reader) (int, error) {
			return decode(body, &response, yield)
		})
		if err != nil && !errors.Is(err, errStopped) {
			var none T
			yield(none, err)
		}
	}
}

// ClockSkew is how far the server's clock was ahead of ours at the newest
// response, good to half a second; ok is false before the first.
func (c *Client) ClockSkew() (ahead time.Duration, ok bool) {
	if c.skew == nil {
		return 0, false
	}
	return *c.skew, true
}

// get makes one request and tells the observer of it. read answers with the
// number of rows it has found, and fills response.
func (c *Client) get(
	ctx context.Context, page, api, parameters string, response *Response, read func(io.Reader) (int, error),
) error {
	if api == chatReport {
		defer func() { c.response = *response }()
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	request, err := c.request(ctx, page, api, parameters, token)
	if err != nil {
		return err
	}
	done, err := c.turns.take(ctx, token)
	if err != nil {
		return err
	}
	defer done()
	timed, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()

	seen := Request{API: api}
	start := time.Now()
	rows, err := c.do(ctx, request.WithContext(timed), read, func(date time.Time) {
		// A Date is cut to the second, and was written half-way of the exchange.
		skew := date.Add(time.Second / 2).Sub(start.Add(time.Since(start) / 2))
		seen.ClockSkew = &skew
	})
	seen.Duration = time.Since(start)
	seen.ExtraText = response.ExtraText
	if seen.ClockSkew != nil {
		c.skew = seen.ClockSkew
	}

	var failure *Error
	switch {
	case errors.As(err, &failure):
		seen.Result = failure.Result
	case err != nil && !errors.Is(err, errStopped):
		return err // The caller gave up: that is no result of the API.
	case rows == 0:
		seen.Result = Empty
	default:
		seen.Result = OK
	}
	c.observe(seen)
	return err
}

func (c *Client) request(ctx context.Context, page, api, parameters, token string) (*http.Request, error) {
	target := c.base.JoinPath("api", "v2", page)
	// In the order of the vendor's examples; url.Values would sort it.
	target.RawQuery = "api=" + api + parameters
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("building a request to %q: %w", c.base.Redacted(), err)
	}
	// What a server sends behind a response belongs to no request. On a connection
	// that is kept it could be taken for the next one's response.
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

// do exchanges request and response. Its error is an *Error, errStopped, or
// the caller's context's.
func (c *Client) do(caller context.Context, request *http.Request, read func(io.Reader) (int, error), saw func(time.Time)) (int, error) {
	var trace connTrace
	ctx := trace.context(request.Context())
	response, err := c.http.Do(request.WithContext(ctx)) //nolint:contextcheck // It is the caller's, with a time limit.
	if err != nil {
		return 0, c.transportError(caller, err)
	}
	defer response.Body.Close()
	// Not every transport ends the reading of a body with its request.
	stop := context.AfterFunc(ctx, func() { _ = response.Body.Close() }) //nolint:contextcheck // The same.
	defer stop()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		saw(date)
	}
	body := &body{ctx: ctx, from: response.Body, left: c.maxBody}
	switch response.StatusCode {
	case http.StatusSwitchingProtocols: // Its body is the connection, without an end.
		return 0, &Error{Result: Malformed, Status: response.StatusCode}
	case http.StatusNoContent:
		return 0, nil
	case http.StatusOK:
		rows, err := read(body)
		return rows, c.bodyError(caller, body, err)
	}
	refusal, enveloped := decodeRefusal(response.StatusCode, body)
	missing := response.StatusCode == http.StatusNotFound
	switch cause := context.Cause(caller); {
	case cause != nil:
		return 0, cause
	case missing && body.err != nil: // Nobody knows who said so.
		return 0, c.transportError(caller, body.err)
	case refusal == nil:
		return 0, nil
	case trace.isFromProxy(response, request.URL, enveloped):
		return 0, refusedByProxy(response)
	}
	refusal.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	return 0, refusal
}

// bodyError finds out whether reading failed because of what was read, or
// because it could not be read.
func (c *Client) bodyError(caller context.Context, body *body, err error) error {
	var known *Error
	switch {
	case err == nil, errors.Is(err, errStopped):
		return err
	case body.err != nil:
		err := c.transportError(caller, body.err)
		if errors.As(err, &known) {
			known.Status = http.StatusOK // The response had begun.
		}
		return err
	case errors.As(err, &known):
		return known
	default:
		// The decoder's own words quote nothing of the response.
		return &Error{Result: Malformed, Err: err}
	}
}

// body remembers why a response's body could not be read, and reads no more of
// it than the vendor's limit, and nothing once the request's context has ended.
type body struct {
	ctx  context.Context
	from io.Reader
	left int64
	err  error
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.err == nil {
		b.err = b.ctx.Err()
	}
	if b.err != nil {
		return 0, b.err
	}
	// One byte more than may be there tells a full body from a larger one.
	n, err := b.from.Read(p[:min(int64(len(p)), b.left+1)])
	if int64(n) > b.left {
		n, err = int(b.left), &Error{Result: TooLarge}
	}
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		// A body that was closed at the end of its context says so in many ways.
		err = cmp.Or(b.ctx.Err(), err)
		b.err = err
	}
	return n, err
}

// retryAfter reads either form of the header; 0 if there is none. More than a
// day is a day, however many digits it has: by then the quota is a new one.
func retryAfter(header string) time.Duration {
	const most = 24 * time.Hour
	var wait time.Duration
	// Beyond its range, ParseInt returns the end of the range.
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(max(0, min(seconds, int64(most/time.Second)))) * time.Second
	} else if date, err := http.ParseTime(header); err == nil {
		wait = min(time.Until(date), most)
	}
	return max(0, wait)
}
