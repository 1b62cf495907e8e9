package wolkvox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The personal data of the sample row, which must not appear anywhere.
const (
	samplePhone   = "573001112233"
	canarySession = samplePhone + "@whatsapp-7"
	sampleName    = "Canary Customer"
	sampleID      = "CC-CANARY-80012"
	sampleEmail   = "canary@example.com"
	sampleAgent   = "Canary Agent"
	sampleToken   = "canary-token-3f9a"
)

var personalValues = []string{samplePhone, sampleName, sampleID, sampleEmail, sampleAgent, sampleToken}

// sample is a row as documented, in JSON.
var sample = [][2]string{
	{"conn_id", `"1768782871.5521"`},
	{"session_id", `"` + canarySession + `"`},
	{"times_chatted", `"14"`},
	{"start_date", `"2026-01-18 19:34:31"`},
	{"end_date", `"2026-01-18 19:52:07"`},
	{"time_on_chatbot", `"00:01:05"`},
	{"rp_id", `"12601"`},
	{"channel", `"whatsapp"`},
	{"go_to_agent", `"yes"`},
	{"customer_phone", `"` + samplePhone + `"`},
	{"customer_name", `"` + sampleName + `"`},
	{"customer_id", `"` + sampleID + `"`},
	{"customer_email", `"` + sampleEmail + `"`},
	{"agent_id", `"5544"`},
	{"agent_name", `"` + sampleAgent + `"`},
	{"time_with_agent", `"00:14:10"`},
	{"total_time", `"00:17:36"`},
	{"customer_chars", `"312"`},
	{"agent_chars", `"845"`},
	{"total_chars", `"1157"`},
	{"asa", `"00:00:42"`},
	{"last_sender", `"agent"`},
}

// rowWith returns the sample row with other JSON for some fields. An empty value removes
// the field. A field that the sample lacks is put first.
func rowWith(changes ...string) string {
	var members []string
	change := map[string]string{}
	for i := 0; i < len(changes); i += 2 {
		change[changes[i]] = changes[i+1]
	}
	for _, field := range sample {
		value, changed := change[field[0]]
		delete(change, field[0])
		if !changed {
			value = field[1]
		}
		if value != "" {
			members = append(members, `"`+field[0]+`": `+value)
		}
	}
	for name, value := range change {
		members = append([]string{`"` + name + `": ` + value}, members...)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func report(rows ...string) string {
	return `{"code": "200", "error": null, "msg": " records  were found ", "data": [` + strings.Join(rows, ",\n") + `]}`
}

// answer is the result of a request.
type answer struct {
	chats    []Chat
	badRows  int
	err      error
	request  Request // as the observer was told
	requests int     // how many times it was told
	response Response
}

func (a answer) rows() int { return len(a.chats) + a.badRows }

// failure returns the result of the error, or "" without one.
func (a answer) failure() Result {
	if a.err == nil {
		return ""
	}
	return a.request.Result
}

// roundTrip answers requests without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// newResponder answers every request with the same response.
func newResponder(status int, body string, headers ...string) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		response := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
		for i := 0; i < len(headers); i += 2 {
			response.Header.Set(headers[i], headers[i+1])
		}
		return response, nil
	}
}

var (
	anyBase   = &url.URL{Scheme: "https", Host: "wv0042.wolkvox.com"}
	anyWindow = Window{From: 1768782871, To: 1768784527}
)

// ask sends a request through rt and reads the whole response.
func ask(t testing.TB, rt http.RoundTripper, options ...Option) answer {
	t.Helper()
	have := askAt(t.Context(), t, anyBase, rt, options...)
	if have.requests != 1 {
		t.Fatalf("the observer was told of %d requests, want 1", have.requests)
	}
	return have
}

func askAt(ctx context.Context, t testing.TB, base *url.URL, rt http.RoundTripper, options ...Option) answer {
	t.Helper()
	return askWindow(ctx, t, base, anyWindow, rt, options...)
}

func askWindow(ctx context.Context, t testing.TB, base *url.URL, window Window, rt http.RoundTripper, options ...Option) answer {
	t.Helper()
	var have answer
	options = append(options, WithTransport(rt), WithObserver(func(r Request) { have.request = r; have.requests++ }))
	client := NewClient(base, StaticToken(sampleToken), options...)
	for chat, err := range client.Chats(ctx, window) {
		switch {
		case have.err != nil:
			t.Fatal("something after the error")
		case err == nil:
			have.chats = append(have.chats, chat)
		case errors.Is(err, ErrBadRow):
			have.badRows++
		default:
			have.err = err
		}
	}
	have.response = client.LastResponse()
	return have
}

// decodeBody returns the client's result for a body with status 200.
func decodeBody(t testing.TB, body string) answer {
	t.Helper()
	return ask(t, newResponder(http.StatusOK, body))
}

// decodeOneRow returns the chat of a report of one row.
func decodeOneRow(t testing.TB, row string) Chat {
	t.Helper()
	have := decodeBody(t, report(row))
	if have.err != nil || len(have.chats) != 1 || have.badRows != 0 {
		t.Fatalf("have %d chats, %d bad rows, %v from %s", len(have.chats), have.badRows, have.err, row)
	}
	return have.chats[0]
}

// decode decodes a report of chats.
func decode(body io.Reader, options rowOptions, yield func(Chat, error) bool) (rows int, err error) {
	d := newDecoder(body, options)
	err = decodeRows(d, (*decoder).chat, yield)
	return d.rows, err
}

func decodeRoutingPoints(body io.Reader, yield func(RoutingPoint, error) bool) (rows int, err error) {
	d := newDecoder(body, rowOptions{})
	err = decodeRows(d, (*decoder).routingPoint, yield)
	return d.rows, err
}

func decodeTokenInfo(body io.Reader, yield func(TokenInfo, error) bool) (rows int, err error) {
	d := newDecoder(body, rowOptions{})
	err = decodeRows(d, (*decoder).tokenInfo, yield)
	return d.rows, err
}
