package wolkvox

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	// MaxRows is the vendor's limit of records per response. A response with as many is cut:
	// there is no paging.
	MaxRows = 60_000
	// maxBody is the vendor's limit of 256 MB, on the decoded body.
	maxBody = 256 << 20
	// defaultTimeout is the vendor's limit for a request.
	defaultTimeout = 60 * time.Second
	// maxRedirects is how many redirects on the same host are followed. Each costs a request.
	maxRedirects = 2

	reportsPage     = "reports_manager.php"
	informationPage = "information.php"

	chatReport       = "chat_8"
	routingPointsAPI = "routing_points"
	tokenInfoAPI     = "token_info"
)

// APIs lists the values of the api label of [Request]s.
func APIs() []string { return []string{chatReport, routingPointsAPI, tokenInfoAPI} }

// Request is a request as an observer sees it.
type Request struct {
	API      string
	Result   Result
	Duration time.Duration
	// ClockSkew is how far the server's clock is ahead of ours, by its Date header, accurate
	// to a second. Nil if no response came.
	ClockSkew *time.Duration
	// ExtraText is set if other text came before or after the JSON, such as a PHP warning. The
	// JSON was read all the same.
	ExtraText bool
}

// Client makes requests to one operation. It is not safe for concurrent use: the vendor forbids
// to use a token twice at once.
type Client struct {
	base    *url.URL
	server  string
	agent   string
	token   TokenSource
	timeout time.Duration
	maxBody int64
	observe func(Request)
	rows    rowOptions
	limiter *TokenLimiter
	http    http.Client

	skew     *time.Duration // of the newest response
	response Response       // to the newest request for chats
}

// Option changes a [Client]'s defaults.
type Option func(*Client)

// WithTimeout limits one request, its body included. The default is the vendor's limit of 60 s.
func WithTimeout(d time.Duration) Option { return func(c *Client) { c.timeout = d } }

// WithServer adds the header wolkvox_server, as the vendor's own collection of requests does.
func WithServer(digits string) Option { return func(c *Client) { c.server = digits } }

// WithUserAgent sets the header User-Agent. The default is Go's.
func WithUserAgent(agent string) Option { return func(c *Client) { c.agent = agent } }

// WithObserver calls observe after each request.
func WithObserver(observe func(Request)) Option { return func(c *Client) { c.observe = observe } }

// WithTokenLimiter shares limiter with other clients of the same token.
func WithTokenLimiter(limiter *TokenLimiter) Option { return func(c *Client) { c.limiter = limiter } }

// WithAgentNames fills [Chat.AgentName], which is not read otherwise.
func WithAgentNames() Option { return func(c *Client) { c.rows.agentNames = true } }

// WithConnIDs fills [Chat.ConnID].
func WithConnIDs() Option { return func(c *Client) { c.rows.connIDs = true } }

// WithMalformedObserver calls observe with each value that cannot be read: its field by the
// API's name, and a mask of the value, such as 99:99. A value in several responses is
// observed several times.
func WithMalformedObserver(observe func(field, mask string)) Option {
	return func(c *Client) { c.rows.onMalformed = observe }
}

// WithZone sets the operation's zone. Dates with an offset are converted to its wall clock;
// without a zone the offset is ignored.
func WithZone(zone *time.Location) Option { return func(c *Client) { c.rows.zone = zone } }

// WithTransport sets the transport. The default is one of [NewTransport].
func WithTransport(rt http.RoundTripper) Option { return func(c *Client) { c.http.Transport = rt } }

// NewClient returns a client of the API below base, such as https://wv0042.wolkvox.com.
func NewClient(base *url.URL, token TokenSource, options ...Option) *Client {
	c := &Client{
		base: base, token: token, timeout: defaultTimeout, maxBody: maxBody,
		observe: func(Request) {}, limiter: &TokenLimiter{}, response: Response{Announced: -1},
	}
	c.http = http.Client{Transport: defaultTransport, CheckRedirect: c.checkRedirect}
	for _, option := range options {
		option(c)
	}
	return c
}

// checkRedirect refuses a redirect to another host or scheme, and one in a loop. net/http
// forwards custom headers, and so the token.
func (c *Client) checkRedirect(next *http.Request, via []*http.Request) error {
	elsewhere := next.URL.Scheme != c.base.Scheme || next.URL.Host != c.base.Host
	again := slices.ContainsFunc(via, func(earlier *http.Request) bool { return earlier.URL.String() == next.URL.String() })
	if elsewhere || again || len(via) > maxRedirects {
		return &Error{Result: Redirected}
	}
	next.Close = true // net/http does not take it over.
	return nil
}

// Chats requests the chats of a window and yields each row of the response as it arrives.
// With [ErrBadRow] only that row is lost. Any other error is the last thing yielded: an
// [*Error], the context's, or the token's.
func (c *Client) Chats(ctx context.Context, w Window) iter.Seq2[Chat, error] {
	parameters := "&date_ini=" + w.From.param() + "&date_end=" + w.To.param()
	return stream(ctx, c, reportsPage, chatReport, parameters, (*decoder).chat)
}

// Response is what a response says beside its rows.
type Response struct {
	// Announced is how many rows msg says were found; -1 if it names no number.
	Announced int
	// ExtraText is set if other text came before or after the JSON.
	ExtraText bool
}

// LastResponse describes the response to the newest request of [Client.Chats], as far as
// it was read.
func (c *Client) LastResponse() Response { return c.response }

// ClockSkew returns how far the server's clock was ahead of ours at the newest response,
// accurate to half a second; ok is false before the first.
func (c *Client) ClockSkew() (ahead time.Duration, ok bool) {
	if c.skew == nil {
		return 0, false
	}
	return *c.skew, true
}
