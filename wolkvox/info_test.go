package wolkvox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// routingPointList is the result of a request for routing points.
type routingPointList struct {
	points  []RoutingPoint
	badRows int
	err     error
}

func list(ctx context.Context, client *Client) (have routingPointList) {
	for point, err := range client.RoutingPoints(ctx) {
		switch {
		case err == nil:
			have.points = append(have.points, point)
		case errors.Is(err, ErrBadRow):
			have.badRows++
		default:
			have.err = err
		}
	}
	return have
}

// newBodyClient returns a client that gets the same body for each request.
func newBodyClient(status int, body string, observe func(Request)) *Client {
	return NewClient(anyBase, StaticToken(sampleToken), WithTransport(newResponder(status, body)), WithObserver(observe))
}

func TestRoutingPoints_Read(t *testing.T) {
	long := strings.Repeat("ñ", 100)
	for name, c := range map[string]struct {
		row  string
		want RoutingPoint
	}{
		"as documented":    {`{"rp_id": 1101, "rp_name": "Ventas", "ivr_active": "no", "chat_active": "yes", "last_use": "2026-01-18 19:34:31"}`, RoutingPoint{"1101", "Ventas"}},
		"id as string":     {`{"rp_name": "Ventas", "rp_id": "1101"}`, RoutingPoint{"1101", "Ventas"}},
		"name as number":   {`{"rp_id": "x8", "rp_name": 7}`, RoutingPoint{"x8", "7"}},
		"space":            {`{"rp_id": " 1101 ", "rp_name": "\tVentas \n"}`, RoutingPoint{"1101", "Ventas"}},
		"no name":          {`{"rp_id": "1101"}`, RoutingPoint{"1101", "-"}},
		"capitals":         {`{"RP_ID": "1101", " Rp_Name ": "Ventas"}`, RoutingPoint{"1101", "Ventas"}},
		"absent name":      {`{"rp_id": "1101", "rp_name": "-"}`, RoutingPoint{"1101", "-"}},
		"empty name":       {`{"rp_id": "1101", "rp_name": ""}`, RoutingPoint{"1101", "-"}},
		"null name":        {`{"rp_id": "1101", "rp_name": null}`, RoutingPoint{"1101", "-"}},
		"name of two":      {`{"rp_id": "1101", "rp_name": ["Ventas", {"rp_id": "7"}]}`, RoutingPoint{"1101", "-"}},
		"two names":        {`{"rp_id": "1101", "rp_name": "Ventas", "rp_name": "Sales"}`, RoutingPoint{"1101", "Sales"}},
		"escapes":          {`{"rp\u005fid": "110\u0031", "rp_name": "Soporte t\u00e9cnico \ud83d\ude00"}`, RoutingPoint{"1101", "Soporte técnico 😀"}},
		"no UTF-8":         {"{\"rp_id\": \"1101\", \"rp_name\": \"Facturaci\xf3n\"}", RoutingPoint{"1101", "Facturaci�n"}},
		"control":          {`{"rp_id": "11\u000001", "rp_name": "a\nb"}`, RoutingPoint{"11�01", "a�b"}},
		"long":             {`{"rp_id": "` + long + `", "rp_name": "` + long + `"}`, RoutingPoint{long[:128], long[:128]}},
		"too long to read": {`{"rp_id": "1101", "rp_name": "` + strings.Repeat("x", 100_000) + `"}`, RoutingPoint{"1101", "-"}},
		"unknown fields":   {`{"extra": {"rp_id": 7, "data": [{}]}, "rp_id": 1101, "rp_name": "Ventas", "x": [[]]}`, RoutingPoint{"1101", "Ventas"}},
	} {
		t.Run(name, func(t *testing.T) {
			good := `{"rp_id": 1, "rp_name": "good"}`
			have := list(t.Context(), newBodyClient(http.StatusOK, report(good, c.row, good), func(Request) {}))
			if want := []RoutingPoint{{"1", "good"}, c.want, {"1", "good"}}; have.err != nil || have.badRows != 0 || !slices.Equal(have.points, want) {
				t.Errorf("have %+v, want %+v", have, want)
			}
		})
	}
}

func TestRoutingPoints_SkipRowWithoutID(t *testing.T) {
	good := `{"rp_id": 1, "rp_name": "good"}`
	for _, bad := range []string{
		`{}`, `null`, `"1101"`, `1101`, `[]`, `[{"rp_id": 7}]`, `{"rp_name": "Ventas"}`, `{"rp_id": "-"}`, `{"rp_id": ""}`,
		`{"rp_id": null}`, `{"rp_id": {"rp_id": 7}}`, `{"rp_id": "` + strings.Repeat("1", 100_000) + `"}`,
	} {
		have := list(t.Context(), newBodyClient(http.StatusOK, report(good, bad, good), func(Request) {}))
		if have.err != nil || have.badRows != 1 || !slices.Equal(have.points, []RoutingPoint{{"1", "good"}, {"1", "good"}}) {
			t.Errorf("%.40s: have %+v, want one bad row", bad, have)
		}
	}
}

func TestTokenInfo_Read(t *testing.T) {
	const unknown = -1
	for name, c := range map[string]struct {
		row         string
		used, limit float64
	}{
		"as documented":       {`{"description": "exporter", "token_limit": "1000", "token_use_today": "2", "all_token_today": "8", "available_consumption_options": "992"}`, 8, 1000},
		"numbers":             {`{"token_limit": 1000, "all_token_today": 8.0, "available_consumption_options": 992}`, 8, 1000},
		"a limit of its own":  {`{"token_limit": "500", "token_use_today": "100", "all_token_today": "700", "available_consumption_options": "300"}`, 700, 1000},
		"capitals":            {`{"TOKEN_LIMIT": "1000", "all_token_today ": "8", "Available_Consumption_Options": "992"}`, 8, 1000},
		"spent":               {`{"token_limit": "500", "token_use_today": "3", "all_token_today": "1000", "available_consumption_options": "0"}`, 1000, 1000},
		"overspent":           {`{"token_limit": "1000", "all_token_today": "1003", "available_consumption_options": "-3"}`, 1003, 1000},
		"what is left absent": {`{"token_limit": "1000", "all_token_today": "8", "available_consumption_options": "-"}`, 8, 1000},
		"limit absent":        {`{"all_token_today": "8", "available_consumption_options": "992"}`, 8, 1000},
		"use absent":          {`{"token_limit": "1000", "token_use_today": "8", "all_token_today": "", "available_consumption_options": "992"}`, unknown, 1000},
		"only use":            {`{"token_limit": null, "all_token_today": "8"}`, 8, unknown},
		"no limit":            {`{"token_limit": "0", "all_token_today": "8"}`, 8, unknown},
		"words":               {`{"token_limit": "unlimited", "all_token_today": "many", "available_consumption_options": true}`, unknown, unknown},
		"absurd":              {`{"token_limit": "9223372036854775807", "all_token_today": "8", "available_consumption_options": 1e300}`, 8, unknown},
		"wrong types":         {`{"token_limit": ["1000"], "all_token_today": {"all_token_today": "8"}}`, unknown, unknown},
		"nothing":             {`{}`, unknown, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			have, err := newBodyClient(http.StatusOK, report(c.row, `"bad"`), func(Request) {}).TokenInfo(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for what, pair := range map[string]struct {
				have *float64
				want float64
			}{"used": {have.Used, c.used}, "limit": {have.Limit, c.limit}} {
				if (pair.have == nil) != (pair.want == unknown) || pair.have != nil && *pair.have != pair.want {
					t.Errorf("%s: have %v, want %v", what, show(pair.have), pair.want)
				}
			}
		})
	}
}

func show(n *float64) string {
	if n == nil {
		return "none"
	}
	return fmt.Sprint(*n)
}

// The envelope and the results are those of chats.
func TestInformation_HasResultsOfReport(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   Result
	}{
		"rows":           {200, report(`{"rp_id": "1"}`), OK},
		"only bad rows":  {200, report(`7`), OK},
		"no rows":        {200, report(), Empty},
		"null":           {200, `{"code": 200, "data": null}`, Empty},
		"404":            {404, `{"code": 404, "msg": "NO RESULTS"}`, Empty},
		"204":            {204, ``, Empty},
		"page not found": {404, `<html></html>`, BadRequest},
		"no such API":    {400, `{"code": 400, "msg": "THE API YOU WANT TO CONSULT DOES NOT EXIST"}`, BadRequest},
		"as code":        {200, `{"code": "400", "msg": "THE API YOU WANT TO CONSULT DOES NOT EXIST", "data": []}`, BadRequest},
		"quota":          {403, `{"code": 403, "msg": "TOKEN LIMIT EXCEEDED"}`, QuotaExceeded},
		"busy":           {403, `{"code": 403, "msg": "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"}`, TokenBusy},
		"page":           {200, `<html></html>`, Malformed},
		"cut":            {200, report(`{"rp_id": "1"}`)[:60], Malformed},
		"data a list":    {200, `{"data": {"0": {"rp_id": "1"}}}`, OK},
		"data a row":     {200, `{"data": {"RP_ID": "1"}}`, OK},
		"foreign":        {404, `{"message": "no Route matched with those values"}`, BadRequest},
		"a warning":      {200, phpWarning + report(`{"rp_id": "1"}`), OK},
		"server":         {500, ``, ServerError},
	} {
		t.Run(name, func(t *testing.T) {
			var have []Request
			client := newBodyClient(c.status, c.body, func(r Request) { have = append(have, r) })
			points := list(t.Context(), client)
			_, err := client.TokenInfo(t.Context())
			if len(have) != 2 || have[0].API != "routing_points" || have[1].API != "token_info" || have[0].Result != c.want || have[1].Result != c.want {
				t.Fatalf("have %+v, want two that are %s", have, c.want)
			}
			if failed := c.want != OK && c.want != Empty; failed != (points.err != nil) || failed != (err != nil) {
				t.Errorf("have the errors %v and %v", points.err, err)
			}
		})
	}
}

func TestInformation_RequestAsDocumented(t *testing.T) {
	var have []string
	client := NewClient(anyBase, StaticToken(sampleToken), WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
		have = append(have, r.URL.String()+" "+requestToken(r))
		return newResponder(http.StatusNoContent, "")(r)
	})))
	list(t.Context(), client)
	if _, err := client.TokenInfo(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"https://wv0042.wolkvox.com/api/v2/information.php?api=routing_points " + sampleToken,
		"https://wv0042.wolkvox.com/api/v2/information.php?api=token_info " + sampleToken,
	}
	if !slices.Equal(have, want) {
		t.Errorf("have %q\nwant %q", have, want)
	}
}

func newInformationClient(t *testing.T, server *wolkvoxtest.Server, observe func(Request)) *Client {
	t.Helper()
	base, err := url.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(base, StaticToken("t"), WithTransport(server.Transport()), WithObserver(observe))
}

func TestInformation_ReadsEveryReading(t *testing.T) {
	for name, readings := range wolkvoxtest.EveryReading() {
		t.Run(name, func(t *testing.T) {
			server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
				Readings: readings, Limits: wolkvoxtest.Limits{RequestsPerDay: 2000},
				RoutingPoints: []wolkvoxtest.RoutingPoint{{ID: "77", Name: "Retención"}, {ID: "x8"}},
			})
			defer server.Close()
			server.Spend(5)
			client := newInformationClient(t, server, func(Request) {})
			if have, want := list(t.Context(), client), []RoutingPoint{{"77", "Retención"}, {"x8", "-"}}; have.err != nil || !slices.Equal(have.points, want) {
				t.Errorf("have %+v, want %v", have, want)
			}
			info, err := client.TokenInfo(t.Context())
			if err != nil || info.Used == nil || *info.Used != 7 || info.Limit == nil || *info.Limit != 2000 {
				t.Errorf("have used %s, limit %s, %v, want 7 of 2000", show(info.Used), show(info.Limit), err)
			}
		})
	}
}

func TestInformation_EmptyIsUnknown(t *testing.T) {
	for _, empty := range []wolkvoxtest.Empty{wolkvoxtest.EmptyArray, wolkvoxtest.NullData, wolkvoxtest.Status404, wolkvoxtest.Status204, wolkvoxtest.Code404} {
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{
			Readings: wolkvoxtest.Readings{Empty: empty}, Limits: wolkvoxtest.Limits{RequestsPerDay: -1},
		})
		client := newInformationClient(t, server, func(Request) {})
		if have := list(t.Context(), client); have.err != nil || have.points != nil {
			t.Errorf("have %+v, want no routing points", have)
		}
		if info, err := client.TokenInfo(t.Context()); err != nil || info.Limit != nil || info.Used == nil || *info.Used != 2 {
			t.Errorf("have used %s, limit %s, %v, want 2 of none", show(info.Used), show(info.Limit), err)
		}
		server.Close()
	}
}

func TestInformation_ErrorQuotesNothing(t *testing.T) {
	secrets := strings.Join(personalValues, " ")
	for _, client := range []*Client{
		newBodyClient(http.StatusForbidden, `{"code": 403, "msg": "`+secrets+`"}`, func(Request) {}),
		newBodyClient(http.StatusOK, `{"code": 200, "data": [{"description": "`+secrets+`", "rp_id": "1"}, `+secrets, func(Request) {}),
	} {
		_, err := client.TokenInfo(t.Context())
		for _, err := range []error{list(t.Context(), client).err, err} {
			if err == nil {
				t.Fatal("have no error, want one")
			}
			wantNoPersonalData(t, err)
		}
	}
}

func TestInformation_HangingServerIsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
		defer server.Close()
		server.FailInformation(wolkvoxtest.Hang)
		start := time.Now()
		if _, err := newInformationClient(t, server, func(Request) {}).TokenInfo(t.Context()); !isResult(err, Timeout) || time.Since(start) != defaultTimeout {
			t.Errorf("have %v after %v, want a timeout after %v", err, time.Since(start), defaultTimeout)
		}
	})
}

func isResult(err error, result Result) bool {
	var failure *Error
	return errors.As(err, &failure) && failure.Result == result
}

func TestRoutingPoints_CallerCanStop(t *testing.T) {
	var have []Request
	client := newBodyClient(http.StatusOK, report(`{"rp_id": 1}`, `{"rp_id": 2}`), func(r Request) { have = append(have, r) })
	for _, err := range client.RoutingPoints(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if len(have) != 1 || have[0].Result != OK {
		t.Errorf("have %+v, want one request that is ok", have)
	}
}
