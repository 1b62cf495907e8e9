package wolkvox

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
)

// vendorErrors are the statuses and messages of the vendor's table, and of web servers.
var vendorErrors = []struct {
	status int
	msg    string
	want   Result
}{
	{400, "THE API YOU WANT TO CONSULT DOES NOT EXIST", BadRequest},
	{400, "SOME PARAMETERS ARE REQUIRED", BadRequest},
	{401, "PLEASE ENTER THE WOLKVOX-TOKEN", Unauthorized},
	{401, "", Unauthorized},
	{403, "PLEASE VALIDATE TOKEN", TokenRejected},
	{403, "  please   validate\ttoken ", TokenRejected},
	{403, "TOKEN LIMIT EXCEEDED", QuotaExceeded},
	{403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)", TokenBusy},
	{403, "Exceeds the limit of simultaneous requests per token (3)", TokenBusy},
	{403, "BACKUP IN PROGRESS", Unavailable},
	{403, "", Unavailable},
	{402, "", BadRequest},
	{405, "", BadRequest},
	{408, "", BadRequest},
	{418, "", BadRequest},
	{429, "", RateLimited},
	{500, "", ServerError},
	{502, "TOKEN LIMIT EXCEEDED", ServerError},
	{503, "", ServerError},
	{504, "", ServerError},
	{599, "", ServerError},
	{206, "", Malformed},
	{302, "", Redirected},
	{599, "PLEASE VALIDATE TOKEN", ServerError},
}

func TestClassify_StatusAndMessage(t *testing.T) {
	for _, c := range vendorErrors {
		for _, body := range []string{
			fmt.Sprintf(`{"code": %d, "error": %q, "msg": "x", "data": []}`, c.status, c.msg),
			fmt.Sprintf(`{"data": null, "msg": %q, "error": null, "code": "%d"}`, c.msg, c.status),
		} {
			for name, rt := range map[string]roundTrip{
				"status": newResponder(c.status, body), "code": newResponder(http.StatusOK, body), "gibberish after": newResponder(c.status, body+sampleName),
			} {
				want := c.want
				if name == "gibberish after" && c.status == http.StatusOK {
					want = Malformed
				}
				have := ask(t, rt)
				var failure *Error
				if have.failure() != want || !errors.As(have.err, &failure) || failure.Result != want || failure.Status != c.status {
					t.Errorf("%s %d, %q: have %s (%v), want %s", name, c.status, c.msg, have.request.Result, have.err, want)
				}
			}
		}
	}
}

// With an error page instead of the envelope, the status decides.
func TestClassify_StatusAlone(t *testing.T) {
	for status, want := range map[int]Result{401: Unauthorized, 403: Unavailable, 400: BadRequest, 429: RateLimited, 500: ServerError, 503: ServerError} {
		for _, body := range []string{"", "<html>" + sampleName, "{", `{"msg": 7}`, "[]", strings.Repeat("[", 100_000), `{"msg": "` + strings.Repeat("x", 200_000) + `"}`} {
			if have := ask(t, newResponder(status, body)); have.failure() != want {
				t.Errorf("%d with %.20q: have %v, want %s", status, body, have.err, want)
			}
		}
	}
}

func TestClient_NothingFound(t *testing.T) {
	for name, rt := range map[string]roundTrip{
		"an empty array":       newResponder(200, report()),
		"null":                 newResponder(200, `{"code": 200, "data": null}`),
		"no data":              newResponder(200, `{"code": 200, "msg": "0 records were found"}`),
		"code 404":             newResponder(200, `{"code": "404", "error": "x", "msg": "0 records were found"}`),
		"only an array":        newResponder(200, `[]`),
		"204":                  newResponder(204, ""),
		"404 with an envelope": newResponder(404, `{"code": 404, "error": "x", "msg": "0 records were found", "data": []}`),
		"404 with code 200":    newResponder(404, `{"code": "200", "error": null, "msg": "", "data": []}`),
		"404 without a code":   newResponder(404, `{"error": "x", "data": null}`),
		"404 with a message":   newResponder(404, `{"Code": 404, "Msg": "NO RESULTS"}`),
		"404 with an object":   newResponder(404, `{"code": 404, "data": {}}`),
		"404 behind a warning": newResponder(404, phpWarning+`{"code": 404, "error": "x", "msg": "0 records were found", "data": false}`),
	} {
		if have := ask(t, rt); have.err != nil || have.rows() != 0 || have.request.Result != Empty {
			t.Errorf("%s: have %d rows, %s, %v", name, have.rows(), have.request.Result, have.err)
		}
	}
}

// A 404 of another server, or with another meaning, means that the URL is wrong. As "nothing found" it would hide every chat.
func TestClient_ForeignNotFoundIsNoEmptyReport(t *testing.T) {
	for _, body := range []string{
		"", " ", "404 page not found\n", "0 records were found", "null", "[]", "{}", `{"message":"no Route matched with those values"}`,
		`{"timestamp":"2026-11-26T19:26:09","status":404,"error":"Not Found","path":"/api/v2/reports_manager.php"}`,
		`{"code":404,"error":"Not Found"}`, `{"code":404}`, `{"msg":"no such route"}`, `{"code":404,"message":"Not Found","data":null}`,
		`{"code":404,"error":"x","msg":"THE API YOU WANT TO CONSULT DOES NOT EXIST","data":[]}`, `{"code":404,"msg":"SOME PARAMETERS ARE REQUIRED","data":[]}`,
		`{"code":500,"error":"x","msg":"0 records were found","data":[]}`, `{"code":404,"msg":"0 records were found","data":[`,
		`{"code":404,"msg":"0 records were found","data":[` + rowWith() + `]}`, `{"code":200,"data":[` + rowWith() + `]}`, `[` + rowWith() + `]`,
		"<html><script>" + `{"code":404,"msg":"0 records were found","data":[]}`,
	} {
		have := ask(t, newResponder(404, body))
		var failure *Error
		if have.failure() != BadRequest || !errors.As(have.err, &failure) || failure.Status != 404 || have.rows() != 0 {
			t.Errorf("%q: have %d rows, %s (%v)", body, have.rows(), have.request.Result, have.err)
		}
	}
}

// A 404 of the web server means that the URL is wrong. As "nothing found" it would hide
// every chat.
func TestClient_PageWith404IsBadRequest(t *testing.T) {
	for _, page := range []string{"<html>", "\n <!DOCTYPE HTML>", "\ufeff\r\n<?xml version='1.0'?>"} {
		have := ask(t, newResponder(404, page))
		var failure *Error
		if have.failure() != BadRequest || !errors.As(have.err, &failure) || failure.Status != 404 {
			t.Errorf("%q: have %v", page, have.err)
		}
	}
}

func TestResults_EachReachedAndExplained(t *testing.T) {
	reached := map[Result]string{}
	note := func(have answer) { reached[have.request.Result] = fmt.Sprint(have.err) }
	for _, c := range vendorErrors {
		note(ask(t, newResponder(c.status, `{"msg": "`+c.msg+`"}`)))
	}
	note(ask(t, newResponder(200, report(rowWith()))))
	note(ask(t, newResponder(200, report())))
	note(ask(t, newResponder(200, report(rowWith())), withMaxBody(20)))
	for _, err := range []error{os.ErrDeadlineExceeded, &net.OpError{Op: "dial", Err: errors.New("refused")}} {
		note(ask(t, roundTrip(func(*http.Request) (*http.Response, error) { return nil, err })))
	}
	if len(reached) != len(Results()) {
		t.Errorf("have %d results reached, want %d", len(reached), len(Results()))
	}
	said := map[string]Result{}
	for _, result := range Results() {
		text, ok := reached[result]
		if !ok {
			t.Errorf("%s is not reached", result)
		}
		if failed := result != OK && result != Empty; failed && (explanations[result] == "" || !strings.HasPrefix(text, explanations[result])) {
			t.Errorf("%s says %q", result, text)
		}
		if other, twice := said[text]; twice && text != "<nil>" {
			t.Errorf("%s and %s say the same: %q", result, other, text)
		}
		said[text] = result
	}
}

func withMaxBody(limit int64) Option { return func(c *Client) { c.maxBody = limit } }

func TestClient_TooLargeBeyondLimit(t *testing.T) {
	body := report(rowWith(), rowWith(), rowWith())
	for _, c := range []struct {
		limit int
		want  Result
		least int // rows that come anyway
	}{
		{len(body), "", 3},
		{len(body) + 1, "", 3},
		{len(body) - 1, TooLarge, 0},
		{len(body) / 2, TooLarge, 0},
		{1, TooLarge, 0},
		{0, TooLarge, 0},
	} {
		have := ask(t, newResponder(200, body), withMaxBody(int64(c.limit)))
		if have.failure() != c.want || len(have.chats) < c.least {
			t.Errorf("%d bytes of %d: have %d chats, %v, want %s", c.limit, len(body), len(have.chats), have.err, c.want)
		}
	}
	space := body + strings.Repeat(" ", 100_000)
	if have := ask(t, newResponder(200, space), withMaxBody(int64(len(body)))); have.failure() != TooLarge {
		t.Errorf("with space behind: have %v", have.err)
	}
}

func TestError_IsOneLine(t *testing.T) {
	for _, c := range []struct {
		err  Error
		want string
	}{
		{Error{Result: TokenRejected, Status: 403}, "the API refuses the token: it is wrong, expired or of another operation (status 403)"},
		{Error{Result: Timeout}, "no complete response within the time limit"},
		{Error{Result: Malformed, Status: 200, Err: errors.New("why")}, "the response is not the expected JSON: why"},
		{Error{Result: Network, Err: io.EOF}, "the connection failed: EOF"},
	} {
		if have := c.err.Error(); have != c.want {
			t.Errorf("have %q, want %q", have, c.want)
		}
	}
	if !errors.Is(&Error{Result: Network, Err: io.EOF}, io.EOF) {
		t.Error("the cause cannot be found")
	}
}
