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

// What a sample row holds of a person. None of it may be seen anywhere.
const (
	canaryPhone   = "573001112233"
	canarySession = canaryPhone + "@whatsapp-7"
	canaryName    = "Canary Customer"
	canaryID      = "CC-CANARY-80012"
	canaryEmail   = "canary@example.com"
	canaryAgent   = "Canary Agent"
	canaryToken   = "canary-token-3f9a"
)

var canaries = []string{canaryPhone, canaryName, canaryID, canaryEmail, canaryAgent, canaryToken}

// sample is a row as the documents describe it, in JSON.
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
	{"customer_phone", `"` + canaryPhone + `"`},
	{"customer_name", `"` + canaryName + `"`},
	{"customer_id", `"` + canaryID + `"`},
	{"customer_email", `"` + canaryEmail + `"`},
	{"agent_id", `"5544"`},
	{"agent_name", `"` + canaryAgent + `"`},
	{"time_with_agent", `"00:14:10"`},
	{"total_time", `"00:17:36"`},
	{"customer_chars", `"312"`},
	{"agent_chars", `"845"`},
	{"total_chars", `"1157"`},
	{"asa", `"00:00:42"`},
	{"last_sender", `"agent"`},
}

// rowWith is the sample row with other JSON for some fields; an empty one leaves
// the field out, a field that the sample does not have comes first.
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

// answer is what a caller of the client sees of a response.
type answer struct {
	chats    []Chat
	badRows  int
	err      error
	request  Request // as the observer was told
	requests int     // how many times it was told
	response Response
}

func (a answer) rows() int { return len(a.chats) + a.badRows }

// failure is the result of the error, or "" without one.
func (a answer) failure() Result {
	if a.err == nil {
		return ""
	}
	return a.request.Result
}

// roundTrip answers requests without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// responding answers every request in the same way.
func responding(status int, body string, headers ...string) roundTrip {
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

// ask makes a request by way of rt and reads all that it answers with.
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
	client := NewClient(base, StaticToken(canaryToken), options...)
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

// decoded is what the client makes of a body with status 200.
func decoded(t testing.TB, body string) answer {
	t.Helper()
	return ask(t, responding(http.StatusOK, body))
}

// only is the chat of a report of one row.
func only(t testing.TB, row string) Chat {
	t.Helper()
	have := decoded(t, report(row))
	if have.err != nil || len(have.chats) != 1 || have.badRows != 0 {
		t.Fatalf("have %d chats, %d bad rows, %v from %s", len(have.chats), have.badRows, have.err, row)
	}
	return have.chats[0]
}

// decode reads a report in the caller's hands.
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
