package wolkvoxtest

import (
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault is a failure of one response of chat_8.
type Fault int

// The faults. Those of the first four groups replace the response to any request, with
// or without a valid token. Those of the fifth change the response to a valid request.
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

	// Undocumented failures of the web server and the network.
	LoginPage     // 200 HTML
	EmptyBody     // 200 without a byte
	PHPFatal      // 200, PHP's error text and no JSON
	Dropped       // the connection, before any header; Go's client retries on a reused connection
	Hang          // no response until the client closes the connection, or Close
	RedirectHost  // 302 to another host, which answers correctly
	RedirectPath  // 302 to another path, which answers correctly
	RedirectLogin // 302 to a login page of the same host
	RedirectHTTP  // 302 to http on the same host, which answers correctly where there is no TLS
	RedirectLoop  // 302 to itself

	// HTTP that does not end, or that continues after its end. They send a piece a
	// second, or keep the connection, until the client closes it, or Close.
	SwitchingProtocols // 101, and the connection stays open
	DripInterim        // 103 again and again
	DripHeader         // a header that goes on and on
	DripBody           // 200 with spaces ahead of a row that does not come
	DripError          // 500 with a page that does not end
	DripMissing        // 404 with a body that does not end
	DripExtension      // a chunk's extension that goes on and on
	DripTrailer        // trailers behind the body
	DripGzip           // compressed, in pieces that become nothing
	ShortLength        // a Content-Length that is too small for the body

	// A response that is wrong, or only unusual.
	PHPWarning    // PHP's warning ahead of the correct JSON
	ByteOrderMark // ahead of the correct JSON
	PaddedMessage // spaces in msg
	UnknownFields // with nested values, beside the known ones
	DataObject    // data is {"0": {...}, "1": {...}}
	GzipUnasked   // compressed without Accept-Encoding
	SlowBody      // dribbled over Config.SlowBody
	CutBody       // ends in the middle, as if complete
	CutConnection // ends in the middle: the connection is dropped
	NoDate        // without a Date header
	Unasked       // correct, followed by an unsolicited response on the same connection
	HugeBody      // spaces after the rows make it larger than Config.HugeBody
	BadRows       // between the good ones: strings, numbers, null, arrays
	BadFields     // records with objects and arrays for values
	BadDates      // records with malformed dates
	BadDurations  // records with malformed, negative, absurd durations
	BadNumbers    // records with malformed, negative, absurd numbers
	LongValue     // a record with a customer_name of Config.LongValue bytes
	LongConnID    // a record with a conn_id as long
	DeepRow       // Config.DeepRow arrays, one in the other, in a record and in place of one
	endOfAllFaults

	// Responses with status 404 that are not the API's "nothing found": see
	// ForeignNotFound.
	NotFoundText  // 404 page not found, a proxy's
	NotFoundJSON  // 404, a gateway's JSON
	NotFoundEmpty // 404 without a body
	NotFoundAPI   // 404 THE API YOU WANT TO CONSULT DOES NOT EXIST, for a report that the server does not have

	// More around the correct JSON: see Surroundings.
	PHPWarningBehind
	NULsBehind
	ByteOrderMarks // two of them
	endOfFaults
)

// AllFaults returns all faults but None, those of ForeignNotFound and of Surroundings.
func AllFaults() []Fault { return faultsBetween(None, endOfAllFaults) }

// ForeignNotFound returns the faults of a proxy, a gateway or the API that a reader
// must not treat as an empty report. PageMissing is another.
func ForeignNotFound() []Fault { return faultsBetween(endOfAllFaults, PHPWarningBehind) }

// Surroundings returns the faults that add text before or after a correct response, which
// is still readable. PHPWarning and ByteOrderMark are others.
func Surroundings() []Fault { return faultsBetween(NotFoundAPI, endOfFaults) }

// faultsBetween returns the faults after one and before another.
func faultsBetween(after, before Fault) []Fault {
	var all []Fault
	for f := after + 1; f < before; f++ {
		all = append(all, f)
	}
	return all
}

// String returns the fault's name, in words with hyphens.
func (f Fault) String() string {
	if name := findSpec(f).name; name != "" {
		return name
	}
	return "fault-" + strconv.Itoa(int(f))
}

// faultSpec describes a fault: it serves a response itself, or alters the usual one.
type faultSpec struct {
	name       string
	serve      func(*call)
	alteration alteration
}

func findSpec(f Fault) faultSpec {
	if f < 0 || f >= endOfFaults {
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

var faultSpecs = [endOfFaults]faultSpec{
	None: {name: "none"},

	NoSuchAPI:      errorFault("no-such-api", 400, msgNoSuchAPI),
	ParamsMissing:  errorFault("params-missing", 400, msgParameters),
	TokenMissing:   errorFault("token-missing", 401, msgNoToken),
	TokenRejected:  errorFault("token-rejected", 403, msgToken),
	TokenPadded:    errorFault("token-padded", 403, " \t"+strings.ReplaceAll(msgToken, " ", "  ")+" \r\n"),
	QuotaExceeded:  errorFault("quota-exceeded", 403, msgQuota),
	TokenBusy:      errorFault("token-busy", 403, msgBusy),
	Maintenance:    errorFault("maintenance", 403, msgMaintenance),
	ForbiddenPage:  pageFault("forbidden-page", 403, pageForbidden),
	PageMissing:    pageFault("page-missing", 404, pageNotFound),
	RateLimited:    {name: "rate-limited", serve: func(c *call) { c.retryAfter(false); c.refuse(429, msgTooMany) }},
	RateLimitedAt:  {name: "rate-limited-at", serve: func(c *call) { c.retryAfter(true); c.refuse(429, msgTooMany) }},
	ServerError:    pageFault("server-error", 500, ""),
	BadGateway:     pageFault("bad-gateway", 502, pageGateway),
	Unavailable:    pageFault("unavailable", 503, pageUnavailable),
	UnavailableFor: {name: "unavailable-for", serve: func(c *call) { c.retryAfter(false); c.page(503, pageUnavailable) }},

	CodeNoSuchAPI:     codeFault("code-no-such-api", 400, msgNoSuchAPI),
	CodeParamsMissing: codeFault("code-params-missing", 400, msgParameters),
	CodeTokenMissing:  codeFault("code-token-missing", 401, msgNoToken),
	CodeTokenRejected: codeFault("code-token-rejected", 403, msgToken),
	CodeQuotaExceeded: codeFault("code-quota-exceeded", 403, msgQuota),
	CodeTokenBusy:     codeFault("code-token-busy", 403, msgBusy),
	CodeMaintenance:   codeFault("code-maintenance", 403, msgMaintenance),
	CodeServerError:   codeFault("code-server-error", 500, msgServerError),

	LoginPage:     pageFault("login-page", 200, pageLogin),
	EmptyBody:     pageFault("empty-body", 200, ""),
	PHPFatal:      pageFault("php-fatal", 200, textFatal),
	Dropped:       {name: "dropped", serve: func(*call) { panic(http.ErrAbortHandler) }},
	Hang:          {name: "hang"}, // handled before the request is admitted
	RedirectHost:  {name: "redirect-host", serve: func(c *call) { c.redirect("http://" + otherHost(c.r.Host) + elsewherePath + c.r.URL.RequestURI()) }},
	RedirectPath:  {name: "redirect-path", serve: func(c *call) { c.redirect(movedPath + c.r.URL.RequestURI()) }},
	RedirectLogin: {name: "redirect-login", serve: func(c *call) { c.redirect(loginPath) }},
	RedirectHTTP:  {name: "redirect-http", serve: func(c *call) { c.redirect("http://" + c.r.Host + movedPath + c.r.URL.RequestURI()) }},
	RedirectLoop:  {name: "redirect-loop", serve: func(c *call) { c.redirect(c.r.URL.RequestURI()) }},

	SwitchingProtocols: rawFault("switching-protocols", 101, head(101, "Connection: Upgrade", "Upgrade: wolkvox")),
	DripInterim:        dripFault("drip-interim", 103, head(103, "Link: </style.css>; rel=preload"), head(103, "Link: </style.css>; rel=preload")),
	DripHeader:         dripFault("drip-header", 200, "HTTP/1.1 200 OK\r\nX-Long: ", "x"),
	DripBody:           dripFault("drip-body", 200, head(200, asJSON, chunked)+chunk(bodyStart), chunk(" ")),
	DripError:          dripFault("drip-error", 500, head(500, "Content-Type: text/html", chunked), chunk("<p>")),
	DripMissing:        dripFault("drip-missing", 404, head(404, asJSON, chunked), chunk(" ")),
	DripExtension:      dripFault("drip-extension", 200, head(200, asJSON, chunked)+"1;extension=", "x"),
	DripTrailer:        dripFault("drip-trailer", 200, head(200, asJSON, chunked, "Trailer: X-End")+chunk(bodyStart)+"0\r\n", "X-End: x\r\n"),
	DripGzip:           dripGzip("drip-gzip"),
	ShortLength:        rawFault("short-length", 200, head(200, asJSON, "Content-Length: 40")+bodyStart+unsolicitedResponse),

	PHPWarning:    {name: "php-warning", alteration: alteration{ahead: textWarning}},
	ByteOrderMark: {name: "byte-order-mark", alteration: alteration{ahead: "\ufeff"}},
	PaddedMessage: {name: "padded-message", alteration: alteration{padded: true}},
	UnknownFields: {name: "unknown-fields", alteration: alteration{unknownField: true}},
	DataObject:    {name: "data-object", alteration: alteration{data: DataKeyed}},
	GzipUnasked:   {name: "gzip-unasked", alteration: alteration{gzipped: true}},
	SlowBody:      {name: "slow-body", alteration: alteration{slow: true}},
	CutBody:       {name: "cut-body", alteration: alteration{cut: true}},
	CutConnection: {name: "cut-connection", alteration: alteration{cut: true, drop: true}},
	NoDate:        {name: "no-date", alteration: alteration{undated: true}},
	Unasked:       {name: "unasked", alteration: alteration{unsolicited: unsolicitedResponse}},
	HugeBody:      {name: "huge-body", alteration: alteration{huge: true}},
	BadRows:       {name: "bad-rows", alteration: alteration{bad: badTypes}},
	BadFields:     {name: "bad-fields", alteration: alteration{bad: badFields}},
	BadDates:      {name: "bad-dates", alteration: alteration{bad: badDates}},
	BadDurations:  {name: "bad-durations", alteration: alteration{bad: badDurations}},
	BadNumbers:    {name: "bad-numbers", alteration: alteration{bad: badNumbers}},
	LongValue:     {name: "long-value", alteration: alteration{bad: longValue}},
	LongConnID:    {name: "long-conn-id", alteration: alteration{bad: longConnID}},
	DeepRow:       {name: "deep-row", alteration: alteration{bad: deepRow}},

	NotFoundText: {name: "not-found-text", serve: func(c *call) {
		c.respond(404, "text/plain; charset=utf-8", []byte("404 page not found\n"))
	}},
	NotFoundJSON: {name: "not-found-json", serve: func(c *call) {
		c.respond(404, "application/json", []byte(`{"message":"no Route matched with those values"}`+"\n"))
	}},
	NotFoundEmpty: pageFault("not-found-empty", 404, ""),
	NotFoundAPI:   errorFault("not-found-api", 404, msgNoSuchAPI),

	PHPWarningBehind: {name: "php-warning-behind", alteration: alteration{behind: textWarning}},
	NULsBehind:       {name: "nuls-behind", alteration: alteration{behind: "\x00\x00\n"}},
	ByteOrderMarks:   {name: "byte-order-marks", alteration: alteration{ahead: "\ufeff\ufeff"}},
}

func errorFault(name string, status int, msg string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) { c.refuse(status, msg) }}
}

func codeFault(name string, code int, msg string) faultSpec {
	return faultSpec{name: name, serve: func(c *call) { c.respondWithCode(http.StatusOK, code, msg) }}
}

func pageFault(name string, status int, html string) faultSpec {
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

// otherHost returns another host name of the same server.
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
