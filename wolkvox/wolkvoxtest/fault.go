package wolkvoxtest

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is something that goes wrong with one answer of chat_8.
type Fault int

// The faults. Those of the first three groups stand in place of an answer and
// meet any request, with a good token or without one. Those of the fourth
// spoil the answer to a good request.
const (
	None Fault = iota

	// The vendor's table of errors.
	NoSuchAPI      // 400 THE API YOU WANT TO CONSULT DOES NOT EXIST
	ParamsMissing  // 400 SOME PARAMETERS ARE REQUIRED
	TokenMissing   // 401 PLEASE ENTER THE WOLKVOX-TOKEN
	TokenRejected  // 403 PLEASE VALIDATE TOKEN
	TokenPadded    // 403 PLEASE VALIDATE TOKEN, with spaces around and between
	QuotaExceeded  // 403 TOKEN LIMIT EXCEEDED
	TokenBusy      // 403 EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)
	Maintenance    // 403 with another text
	ForbiddenPage  // 403 HTML
	PageMissing    // 404 HTML, not the error body that says "nothing found"
	RateLimited    // 429 with Retry-After in seconds
	RateLimitedAt  // 429 with Retry-After as a date
	ServerError    // 500 without a body
	BadGateway     // 502 HTML
	Unavailable    // 503 HTML
	UnavailableFor // 503 with Retry-After

	// The same as code inside an HTTP 200.
	CodeNoSuchAPI
	CodeParamsMissing
	CodeTokenMissing
	CodeTokenRejected
	CodeQuotaExceeded
	CodeTokenBusy
	CodeMaintenance
	CodeServerError

	// What is behind no document: the web server, the network.
	LoginPage     // 200 HTML
	EmptyBody     // 200 and not a byte
	PHPFatal      // 200, PHP's error text and no JSON
	Dropped       // the connection, before any header; Go's client asks again by itself on a connection that it keeps
	Hang          // no answer until the client gives up, or Close
	RedirectHost  // 302 to another host, which answers correctly
	RedirectPath  // 302 to another path, which answers correctly
	RedirectLogin // 302 to a login page of the same host
	RedirectHTTP  // 302 to http on the same host, which answers correctly where there is no TLS
	RedirectLoop  // 302 to itself

	// HTTP that does not end, or that goes on behind its end. They send a piece a
	// second, or keep the connection, until the client gives up, or Close.
	SwitchingProtocols // 101, and the connection stays open
	DripInterim        // 103 again and again
	DripHeader         // a header that goes on and on
	DripBody           // 200 with spaces ahead of a row that does not come
	DripError          // 500 with a page that does not end
	DripMissing        // 404 with a body that does not end
	DripExtension      // a chunk's extension that goes on and on
	DripTrailer        // trailers behind the body
	DripGzip           // compressed, in pieces that become nothing
	ShortLength        // a Content-Length that is too small: the rest of the body is behind it

	// An answer that is somehow wrong, or merely unusual.
	PHPWarning    // PHP's warning ahead of the correct JSON
	ByteOrderMark // ahead of the correct JSON
	PaddedMessage // spaces in msg
	UnknownFields // with nested values, beside the known ones
	DataObject    // data is {"0": {...}, "1": {...}}
	GzipUnasked   // compressed though nobody asked
	SlowBody      // dribbled over Config.SlowBody
	CutBody       // ends in the middle, as if complete
	CutConnection // ends in the middle: the connection is dropped
	NoDate        // without a Date header
	Unasked       // correct, and behind it on the same connection a response that no request has asked for
	HugeBody      // space behind the rows makes it larger than Config.HugeBody
	BadRows       // between the good ones: strings, numbers, null, arrays
	BadFields     // records with objects and arrays for values
	BadDates      // records with malformed dates
	BadDurations  // records with malformed, negative, absurd durations
	BadNumbers    // records with malformed, negative, absurd numbers
	LongValue     // a record with a customer_name of Config.LongValue bytes
	LongConnID    // a record with a conn_id as long
	DeepRow       // Config.DeepRow arrays, one in the other, in a record and in place of one
	faultsListed

	// Answers that look as if nothing was found and are not the API's saying so:
	// see ForeignNotFound.
	NotFoundText  // 404 page not found, a proxy's
	NotFoundJSON  // 404, a gateway's JSON
	NotFoundEmpty // 404 without a body
	NotFoundAPI   // 404 THE API YOU WANT TO CONSULT DOES NOT EXIST, for a report that the server does not have

	// More around the correct JSON: see Surroundings.
	PHPWarningBehind
	NULsBehind
	ByteOrderMarks // two of them
	faultsAltogether
)

// AllFaults are all but None, those of ForeignNotFound and of Surroundings.
func AllFaults() []Fault { return faultsBetween(None, faultsListed) }

// ForeignNotFound are the faults of a proxy, a gateway or the API that a reader
// must not take for an empty report. PageMissing is another.
func ForeignNotFound() []Fault { return faultsBetween(faultsListed, PHPWarningBehind) }

// Surroundings are faults that add something behind or before a correct answer,
// which can be read all the same. PHPWarning and ByteOrderMark are others.
func Surroundings() []Fault { return faultsBetween(NotFoundAPI, faultsAltogether) }

// faultsBetween are the faults after one and before another.
func faultsBetween(after, before Fault) []Fault {
	var all []Fault
	for f := after + 1; f < before; f++ {
		all = append(all, f)
	}
	return all
}

// String is the fault's name, in words with hyphens.
func (f Fault) String() string {
	if name := specOf(f).name; name != "" {
		return name
	}
	return "fault-" + strconv.Itoa(int(f))
}

// faultSpec is what a fault does: it answers by itself, or bends an answer.
type faultSpec struct {
	name  string
	serve func(*call)
	shape shape
}

func specOf(f Fault) faultSpec {
	if f < 0 || f >= faultsAltogether {
		return faultSpec{}
	}
	return faultSpecs[f]
}

const (
	msgMaintenance = "THE SERVER IS UNDER MAINTENANCE, BACKUP IN PROGRESS"
	msgServerError = "INTERNAL SERVER ERROR"
	msgTooMany     = "TOO MANY REQUESTS"

	textWarning = "<br />\n<b>Warning</b>:  Undefined array key \"asa\" in <b>/var/www/html/api/v2/reports_manager.php</b> on line <b>412</b><br />\n"
	textFatal   = "<br />\n<b>Fatal error</b>:  Allowed memory size of 268435456 bytes exhausted (tried to allocate 4096 bytes) in <b>/var/www/html/api/v2/reports_manager.php</b> on line <b>97</b><br />\n"

	pageNotFound    = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>404 Not Found</title>\n</head><body>\n<h1>Not Found</h1>\n<p>The requested URL was not found on this server.</p>\n</body></html>\n"
	pageForbidden   = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>403 Forbidden</title>\n</head><body>\n<h1>Forbidden</h1>\n<p>You don't have permission to access this resource.</p>\n</body></html>\n"
	pageGateway     = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	pageUnavailable = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	pageLogin       = "<!DOCTYPE html>\n<html lang=\"es\">\n<head><meta charset=\"utf-8\"><title>Iniciar sesión</title></head>\n<body><form method=\"post\" action=\"/login.php\"><input name=\"user\"><input name=\"password\" type=\"password\"><button>Entrar</button></form></body>\n</html>\n"
)

var faultSpecs = [faultsAltogether]faultSpec{
	None: {name: "none"},

	NoSuchAPI:      refusing("no-such-api", 400, msgNoSuchAPI),
	ParamsMissing:  refusing("params-missing", 400, msgParameters),
	TokenMissing:   refusing("token-missing", 401, msgNoToken),
	TokenRejected:  refusing("token-rejected", 403, msgToken),
	TokenPadded:    refusing("token-padded", 403, " \t"+strings.ReplaceAll(msgToken, " ", "  ")+" \r\n"),
	QuotaExceeded:  refusing("quota-exceeded", 403, msgQuota),
	TokenBusy:      refusing("token-busy", 403, msgBusy),
	Maintenance:    refusing("maintenance", 403, msgMaintenance),
	ForbiddenPage:  paging("forbidden-page", 403, pageForbidden),
	PageMissing:    paging("page-missing", 404, pageNotFound),
	RateLimited:    {name: "rate-limited", serve: func(c *call) { c.retryAfter(false); c.refuse(429, msgTooMany) }},
	RateLimitedAt:  {name: "rate-limited-at", serve: func(c *call) { c.retryAfter(true); c.refuse(429, msgTooMany) }},
	ServerError:    paging("server-error", 500, ""),
	BadGateway:     paging("bad-gateway", 502, pageGateway),
	Unavailable:    paging("unavailable", 503, pageUnavailable),
	UnavailableFor: {name: "unavailable-for", serve: func(c *call) { c.retryAfter(false); c.page(503, pageUnavailable) }},

	CodeNoSuchAPI:     coding("code-no-such-api", 400, msgNoSuchAPI),
	CodeParamsMissing: coding("code-params-missing", 400, msgParameters),
	CodeTokenMissing:  coding("code-token-missing", 401, msgNoToken),
	CodeTokenRejected: coding("code-token-rejected", 403, msgToken),
	CodeQuotaExceeded: coding("code-quota-exceeded", 403, msgQuota),
	CodeTokenBusy:     coding("code-token-busy", 403, msgBusy),
	CodeMaintenance:   coding("code-maintenance", 403, msgMaintenance),
	CodeServerError:   coding("code-server-error", 500, msgServerError),

	LoginPage:     paging("login-page", 200, pageLogin),
	EmptyBody:     paging("empty-body", 200, ""),
	PHPFatal:      paging("php-fatal", 200, textFatal),
	Dropped:       {name: "dropped", serve: func(*call) { panic(http.ErrAbortHandler) }},
	Hang:          {name: "hang"}, // it meets the request before there is anybody to serve it
	RedirectHost:  {name: "redirect-host", serve: func(c *call) { c.redirect("http://" + otherHost(c.r.Host) + elsewherePath + c.r.URL.RequestURI()) }},
	RedirectPath:  {name: "redirect-path", serve: func(c *call) { c.redirect(movedPath + c.r.URL.RequestURI()) }},
	RedirectLogin: {name: "redirect-login", serve: func(c *call) { c.redirect(loginPath) }},
	RedirectHTTP:  {name: "redirect-http", serve: func(c *call) { c.redirect("http://" + c.r.Host + movedPath + c.r.URL.RequestURI()) }},
	RedirectLoop:  {name: "redirect-loop", serve: func(c *call) { c.redirect(c.r.URL.RequestURI()) }},

	SwitchingProtocols: saying("switching-protocols", 101, head(101, "Connection: Upgrade", "Upgrade: wolkvox")),
	DripInterim:        dripping("drip-interim", 103, head(103, "Link: </style.css>; rel=preload"), head(103, "Link: </style.css>; rel=preload")),
	DripHeader:         dripping("drip-header", 200, "HTTP/1.1 200 OK\r\nX-Long: ", "x"),
	DripBody:           dripping("drip-body", 200, head(200, asJSON, chunked)+chunk(begun), chunk(" ")),
	DripError:          dripping("drip-error", 500, head(500, "Content-Type: text/html", chunked), chunk("<p>")),
	DripMissing:        dripping("drip-missing", 404, head(404, asJSON, chunked), chunk(" ")),
	DripExtension:      dripping("drip-extension", 200, head(200, asJSON, chunked)+"1;extension=", "x"),
	DripTrailer:        dripping("drip-trailer", 200, head(200, asJSON, chunked, "Trailer: X-End")+chunk(begun)+"0\r\n", "X-End: x\r\n"),
	DripGzip:           dripGzip("drip-gzip"),
	ShortLength:        saying("short-length", 200, head(200, asJSON, "Content-Length: 40")+begun+textUnasked),

	PHPWarning:    {name: "php-warning", shape: shape{ahead: textWarning}},
	ByteOrderMark: {name: "byte-order-mark", shape: shape{ahead: "\ufeff"}},
	PaddedMessage: {name: "padded-message", shape: shape{padded: true}},
	UnknownFields: {name: "unknown-fields", shape: shape{novel: true}},
	DataObject:    {name: "data-object", shape: shape{data: DataKeyed}},
	GzipUnasked:   {name: "gzip-unasked", shape: shape{gzipped: true}},
	SlowBody:      {name: "slow-body", shape: shape{slow: true}},
	CutBody:       {name: "cut-body", shape: shape{cut: true}},
	CutConnection: {name: "cut-connection", shape: shape{cut: true, drop: true}},
	NoDate:        {name: "no-date", shape: shape{undated: true}},
	Unasked:       {name: "unasked", shape: shape{unasked: textUnasked}},
	HugeBody:      {name: "huge-body", shape: shape{huge: true}},
	BadRows:       {name: "bad-rows", shape: shape{bad: badTypes}},
	BadFields:     {name: "bad-fields", shape: shape{bad: badFields}},
	BadDates:      {name: "bad-dates", shape: shape{bad: badDates}},
	BadDurations:  {name: "bad-durations", shape: shape{bad: badDurations}},
	BadNumbers:    {name: "bad-numbers", shape: shape{bad: badNumbers}},
	LongValue:     {name: "long-value", shape: shape{bad: longValue}},
	LongConnID:    {name: "long-conn-id", shape: shape{bad: longConnID}},
	DeepRow:       {name: "deep-row", shape: shape{bad: deepRow}},

	NotFoundText: {name: "not-found-text", serve: func(c *call) {
		c.body(404, "text/plain; charset=utf-8", []byte("404 page not found\n"))
	}},
	NotFoundJSON: {name: "not-found-json", serve: func(c *call) {
		c.body(404, "application/json", []byte(`{"message":"no Route matched with those values"}`+"\n"))
	}},
	NotFoundEmpty: paging("not-found-empty", 404, ""),
	NotFoundAPI:   refusing("not-found-api", 404, msgNoSuchAPI),

	PHPWarningBehind: {name: "php-warning-behind", shape: shape{behind: textWarning}},
	NULsBehind:       {name: "nuls-behind", shape: shape{behind: "\x00\x00\n"}},
	ByteOrderMarks:   {name: "byte-order-marks", shape: shape{ahead: "\ufeff\ufeff"}},
}

func refusing(name string, status int, msg string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) { c.refuse(status, msg) }}
}

func coding(name string, code int, msg string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) { c.answer(http.StatusOK, code, msg) }}
}

func paging(name string, status int, html string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) { c.page(status, html) }}
}

func (c *call) retryAfter(asDate bool) {
	value := strconv.Itoa(int((c.cfg.RetryAfter + time.Second - 1) / time.Second))
	if asDate {
		value = c.now.Add(c.cfg.RetryAfter).UTC().Format(http.TimeFormat)
	}
	c.w.Header().Set("Retry-After", value)
}

func (c *call) redirect(location string) {
	c.w.Header().Set("Location", location)
	c.page(http.StatusFound, "")
}

// otherHost is another name under which the same server is reached.
func otherHost(host string) string {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		return "elsewhere." + host
	}
	if net.ParseIP(name) != nil {
		return net.JoinHostPort("localhost", port)
	}
	return net.JoinHostPort("elsewhere."+name, port)
}
