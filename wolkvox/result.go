package wolkvox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Result is how a request ended: a value of the label result of wolkvox_api_requests_total.
type Result string

// The results of requests. All but OK and Empty are failures.
const (
	OK            Result = "ok"             // there are rows
	Empty         Result = "empty"          // nothing found
	Unauthorized  Result = "unauthorized"   // 401: no token arrived
	TokenRejected Result = "token_rejected" // 403: wrong, expired or another operation's token
	TokenBusy     Result = "token_busy"     // 403: another program uses the token now
	QuotaExceeded Result = "quota_exceeded" // 403: the day's requests are used up
	Unavailable   Result = "unavailable"    // 403 with any other text: most likely maintenance
	BadRequest    Result = "bad_request"    // 400, and any other 4xx
	RateLimited   Result = "rate_limited"   // 429
	ServerError   Result = "server_error"   // 5xx
	Malformed     Result = "malformed"      // not the JSON that was asked for
	TooLarge      Result = "too_large"      // over the vendor's limit of 256 MB
	Redirected    Result = "redirected"     // to another host or scheme, or in a loop: refused
	Timeout       Result = "timeout"        // not finished within the time limit
	Network       Result = "network"        // no connection, or it broke; or a proxy refused
)

// Results returns all results, so that each can be shown before it occurs.
func Results() []Result {
	return []Result{
		OK, Empty, Unauthorized, TokenRejected, TokenBusy, QuotaExceeded, Unavailable, BadRequest,
		RateLimited, ServerError, Malformed, TooLarge, Redirected, Timeout, Network,
	}
}

// explanations are the texts of errors. They do not quote the API's msg, which can contain
// personal data.
var explanations = map[Result]string{
	Unauthorized:  "the API saw no token",
	TokenRejected: "the API refuses the token: it is wrong, expired or of another operation",
	TokenBusy:     "another program uses the same token at this moment",
	QuotaExceeded: "the operation's requests of the day are spent",
	Unavailable:   "the API is switched off, most likely for maintenance",
	BadRequest:    "the API does not understand the request: check server and URL",
	RateLimited:   "the API asks for fewer requests",
	ServerError:   "the API failed",
	Malformed:     "the response is not the expected JSON",
	TooLarge:      "the response is larger than 256 MiB",
	Redirected:    "refused a redirect to another host or scheme, or in a loop",
	Timeout:       "no complete response within the time limit",
	Network:       "the connection failed",
}

// Error is a failed request.
type Error struct {
	Result     Result
	Status     int           // HTTP status or the envelope's code; 0 if no response came
	RetryAfter time.Duration // what the API asks for; 0 if nothing
	Err        error         // the cause, without any text of the response; may be nil
}

// Error returns one line for a person. It quotes nothing of the response.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(explanations[e.Result])
	if e.Status != 0 && e.Status != http.StatusOK {
		fmt.Fprintf(&b, " (status %d)", e.Status)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// refusals are texts by which the API says why it refuses a request.
var refusals = []struct {
	text   string
	result Result
}{
	{"VALIDATE TOKEN", TokenRejected},
	{"TOKEN LIMIT EXCEEDED", QuotaExceeded},
	{"SIMULTANEOUS REQUESTS", TokenBusy},
	{"ENTER THE WOLKVOX-TOKEN", Unauthorized},
	{"DOES NOT EXIST", BadRequest},
	{"NO EXISTE", BadRequest},
	{"PARAMETER", BadRequest},
	{"PARAMETRO", BadRequest},
	{"PARÁMETRO", BadRequest},
}

// forbidding is how many of refusals have status 403.
const forbidding = 3

// refusalIn returns what a message with a status of success refuses; empty if nothing.
func refusalIn(message string) Result {
	message = strings.ReplaceAll(message, "NO EXISTEN", "") // as in "no existen registros"
	for _, refusal := range refusals {
		if strings.Contains(message, refusal.text) {
			return refusal.result
		}
	}
	return ""
}

// saysNothingFound reports whether a message says that there are no rows.
func saysNothingFound(message string) bool {
	return slices.ContainsFunc([]string{
		"NOT FOUND", "NO RECORD", "NO RESULT", "NO DATA", "NO ROWS", "SIN RESULTADOS", "SIN REGISTROS", "SIN DATOS",
		"NO SE ENCONTR", "NO HAY", "NO EXISTEN",
	}, func(text string) bool { return strings.Contains(message, text) })
}

// normalizeMessage returns a message in capitals with single spaces.
func normalizeMessage(message string) string {
	return strings.ToUpper(strings.Join(strings.Fields(message), " "))
}

// classify returns the result of a failing status, HTTP's or the envelope's code, and the
// API's message, by the vendor's page of response codes.
func classify(status int, message string) Result {
	switch {
	case status == http.StatusUnauthorized:
		return Unauthorized
	case status == http.StatusForbidden:
		message = normalizeMessage(message)
		for _, refusal := range refusals[:forbidding] {
			if strings.Contains(message, refusal.text) {
				return refusal.result
			}
		}
		return Unavailable
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status >= 500 && status <= 599:
		return ServerError
	case status >= 300 && status <= 399:
		return Redirected
	case status >= 400 && status <= 499:
		return BadRequest
	default:
		return Malformed
	}
}
