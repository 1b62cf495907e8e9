package wolkvoxtest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// newFaulty sends a request that meets the fault to a new server with three chats.
func newFaulty(t *testing.T, f wolkvoxtest.Fault, headers ...string) (*wolkvoxtest.Server, response) {
	t.Helper()
	s := newServer(t, wolkvoxtest.Config{
		Location: bogota, Now: clockAt(noon.Add(24 * time.Hour)),
		RetryAfter: 90 * time.Second, SlowBody: 200 * time.Millisecond, LongValue: 200_000, DeepRow: 5_000, HugeBody: 300_000,
	})
	s.Add(answered(1, noon), botOnly(2, noon.Add(time.Minute)), answered(3, noon.Add(2*time.Minute)))
	s.FailNext(f)
	return s, get(t, s, dayReport(), headers...)
}

func TestFault_VendorErrors(t *testing.T) {
	for _, test := range []struct {
		fault  wolkvoxtest.Fault
		status int
		msg    string
	}{
		{wolkvoxtest.NoSuchAPI, 400, "THE API YOU WANT TO CONSULT DOES NOT EXIST"},
		{wolkvoxtest.ParamsMissing, 400, "SOME PARAMETERS ARE REQUIRED"},
		{wolkvoxtest.TokenMissing, 401, "PLEASE ENTER THE WOLKVOX-TOKEN"},
		{wolkvoxtest.TokenRejected, 403, "PLEASE VALIDATE TOKEN"},
		{wolkvoxtest.TokenPadded, 403, " \tPLEASE  VALIDATE  TOKEN \r\n"},
		{wolkvoxtest.QuotaExceeded, 403, "TOKEN LIMIT EXCEEDED"},
		{wolkvoxtest.TokenBusy, 403, "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"},
		{wolkvoxtest.Maintenance, 403, "THE SERVER IS UNDER MAINTENANCE, BACKUP IN PROGRESS"},
		{wolkvoxtest.RateLimited, 429, "TOO MANY REQUESTS"},
		{wolkvoxtest.RateLimitedAt, 429, "TOO MANY REQUESTS"},
	} {
		s, have := newFaulty(t, test.fault)
		d := have.document(t)
		if have.status != test.status || d.Msg != test.msg || d.Error != test.msg || d.Code != json.Number(strconv.Itoa(test.status)) {
			t.Errorf("%v: have %d %+v", test.fault, have.status, d)
		}
		if log := s.Requests()[0]; log.Status != test.status || log.Fault != test.fault || !log.TokenOK {
			t.Errorf("%v: log %+v", test.fault, log)
		}
	}
}

func TestFault_CodeInsideStatus200(t *testing.T) {
	for _, test := range []struct {
		fault wolkvoxtest.Fault
		code  json.Number
		msg   string
	}{
		{wolkvoxtest.CodeNoSuchAPI, "400", "THE API YOU WANT TO CONSULT DOES NOT EXIST"},
		{wolkvoxtest.CodeParamsMissing, "400", "SOME PARAMETERS ARE REQUIRED"},
		{wolkvoxtest.CodeTokenMissing, "401", "PLEASE ENTER THE WOLKVOX-TOKEN"},
		{wolkvoxtest.CodeTokenRejected, "403", "PLEASE VALIDATE TOKEN"},
		{wolkvoxtest.CodeQuotaExceeded, "403", "TOKEN LIMIT EXCEEDED"},
		{wolkvoxtest.CodeTokenBusy, "403", "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"},
		{wolkvoxtest.CodeMaintenance, "403", "THE SERVER IS UNDER MAINTENANCE, BACKUP IN PROGRESS"},
		{wolkvoxtest.CodeServerError, "500", "INTERNAL SERVER ERROR"},
	} {
		_, have := newFaulty(t, test.fault)
		if d := have.document(t); have.status != 200 || d.Code != test.code || d.Msg != test.msg || len(d.Data) != 0 {
			t.Errorf("%v: have %d %+v", test.fault, have.status, d)
		}
	}
}

func TestFault_WebServerErrors(t *testing.T) {
	for _, test := range []struct {
		fault  wolkvoxtest.Fault
		status int
		text   string // "" means no body
	}{
		{wolkvoxtest.ForbiddenPage, 403, "<h1>Forbidden</h1>"},
		{wolkvoxtest.PageMissing, 404, "<h1>Not Found</h1>"},
		{wolkvoxtest.ServerError, 500, ""},
		{wolkvoxtest.BadGateway, 502, "nginx"},
		{wolkvoxtest.Unavailable, 503, "nginx"},
		{wolkvoxtest.UnavailableFor, 503, "nginx"},
		{wolkvoxtest.LoginPage, 200, "password"},
		{wolkvoxtest.EmptyBody, 200, ""},
		{wolkvoxtest.PHPFatal, 200, "<b>Fatal error</b>"},
	} {
		_, have := newFaulty(t, test.fault)
		if have.err != nil || have.status != test.status || !strings.Contains(have.body, test.text) || (test.text == "") != (have.body == "") {
			t.Errorf("%v: have %+v", test.fault, have)
		}
		if !strings.HasPrefix(have.header.Get("Content-Type"), "text/html") {
			t.Errorf("%v: have type %q", test.fault, have.header.Get("Content-Type"))
		}
	}
}

func TestFault_RetryAfter(t *testing.T) {
	for fault, want := range map[wolkvoxtest.Fault]string{
		wolkvoxtest.RateLimited:    "90",
		wolkvoxtest.RateLimitedAt:  "Wed, 11 Mar 2026 17:01:30 GMT",
		wolkvoxtest.Unavailable:    "",
		wolkvoxtest.UnavailableFor: "90",
	} {
		if _, have := newFaulty(t, fault); have.header.Get("Retry-After") != want {
			t.Errorf("%v: want %q, have %q", fault, want, have.header.Get("Retry-After"))
		}
	}
}

func TestFault_KeepsRowsWhole(t *testing.T) {
	for _, test := range []struct {
		fault wolkvoxtest.Fault
		check func(response) bool
	}{
		{wolkvoxtest.None, func(r response) bool { return strings.HasPrefix(r.body, `{"code":200,`) }},
		{wolkvoxtest.PHPWarning, func(r response) bool { return strings.HasPrefix(r.body, "<br />\n<b>Warning</b>") }},
		{wolkvoxtest.ByteOrderMark, func(r response) bool { return strings.HasPrefix(r.body, "\xef\xbb\xbf{") }},
		{wolkvoxtest.PaddedMessage, func(r response) bool { return strings.Contains(r.body, `"msg":"  3  records  were  found \u000a"`) }},
		{wolkvoxtest.UnknownFields, func(r response) bool {
			return strings.Count(r.body, `"intents":{"conn_id"`) == 3 && strings.Contains(r.body, `"paging":{`)
		}},
		{wolkvoxtest.SlowBody, func(response) bool { return true }},
		{wolkvoxtest.NoDate, func(r response) bool { return r.header["Date"] == nil }},
		{wolkvoxtest.HugeBody, func(r response) bool { return len(r.body) > 300_000 }},
		{wolkvoxtest.GzipUnasked, func(r response) bool { return r.header.Get("Content-Encoding") == "gzip" }},
	} {
		s, have := newFaulty(t, test.fault)
		if have.err != nil || have.status != 200 || !test.check(have) {
			t.Errorf("%v: have %+v", test.fault, have)
		}
		if have.header.Get("Content-Encoding") == "gzip" {
			have.body = gunzip(t, have.body)
		}
		have.body = have.body[max(0, strings.Index(have.body, "{")):]
		wantColumn(t, have.document(t), "conn_id", "1001", "1002", "1003")
		if log := s.Requests()[0]; log.Rows != 3 || log.Status != 200 || log.Fault != test.fault {
			t.Errorf("%v: log %+v", test.fault, log)
		}
	}
}

func gunzip(t *testing.T, s string) string {
	t.Helper()
	zip, err := gzip.NewReader(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(zip); err != nil {
		t.Fatal(err)
	}
	return plain.String()
}

func TestFault_DataObject(t *testing.T) {
	_, have := newFaulty(t, wolkvoxtest.DataObject)
	var d struct {
		Data map[string]map[string]string
	}
	if err := json.Unmarshal([]byte(have.body), &d); err != nil {
		t.Fatal(err)
	}
	if len(d.Data) != 3 || d.Data["2"]["conn_id"] != "1003" {
		t.Errorf("have %v", d.Data)
	}
}

func TestFault_BadRowsAreBetweenGoodOnes(t *testing.T) {
	for _, fault := range []wolkvoxtest.Fault{
		wolkvoxtest.BadRows, wolkvoxtest.BadFields, wolkvoxtest.BadDates, wolkvoxtest.BadDurations, wolkvoxtest.BadNumbers,
	} {
		s, have := newFaulty(t, fault)
		if !json.Valid([]byte(have.body)) {
			t.Errorf("%v: not JSON: %s", fault, have.body)
			continue
		}
		var d struct{ Data []json.RawMessage }
		if err := json.Unmarshal([]byte(have.body), &d); err != nil {
			t.Fatal(err)
		}
		var order []string
		for _, raw := range d.Data {
			var row map[string]any
			switch {
			case json.Unmarshal(raw, &row) != nil || row["rp_id"] == nil:
				order = append(order, "bad")
			case row["rp_id"] == wolkvoxtest.BadRoutingPoint:
				order = append(order, "bad")
			default:
				order = append(order, row["conn_id"].(string))
			}
		}
		if fault == wolkvoxtest.BadNumbers && strings.Count(have.body, `"start_date":"2026-03-10 12:00:00"`) != len(order)-2 {
			t.Errorf("the bad rows have other dates than the first good one: %s", have.body)
		}
		log := s.Requests()[0]
		if !slices.Equal(order[:6], []string{"bad", "1001", "bad", "1002", "bad", "1003"}) ||
			log.Rows != 3 || log.BadRows != len(order)-3 || log.BadRows < 5 {
			t.Errorf("%v: have %v, log %+v", fault, order, log)
		}
	}
}

func TestFault_BadFieldsAreDocumented(t *testing.T) {
	for fault, wants := range map[wolkvoxtest.Fault][]string{
		wolkvoxtest.BadRows:      {`["Array",7,null,true,["1",["2",{}]],[],{},`},
		wolkvoxtest.BadFields:    {`"total_time":{"h":1,"m":["2"]}`, `"times_chatted":["4"]`, `"go_to_agent":{}`, `"start_date":{"date"`},
		wolkvoxtest.BadDates:     {`"start_date":"2026-13-45 99:99:99"`, `"end_date":"yesterday"`, `"end_date":"0000-00-00 00:00:00"`},
		wolkvoxtest.BadDurations: {`"total_time":"1h 5m"`, `"total_time":"-5"`, `"total_time":"99999999:00:00"`, `"asa":"soon"`},
		wolkvoxtest.BadNumbers:   {`"times_chatted":"many"`, `"times_chatted":-3`, `"times_chatted":"99999999999999999999"`, `"agent_chars":"Infinity"`},
	} {
		s := newServer(t, wolkvoxtest.Config{Location: bogota})
		s.FailNext(fault)
		body := get(t, s, dayReport()).body
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%v: want %s in %s", fault, want, body)
			}
		}
	}
}

func TestFault_LongAndDeepRowsAreBetweenGoodOnes(t *testing.T) {
	for fault, test := range map[wolkvoxtest.Fault]struct {
		order []string
		check func(bad map[string]string, body string) bool
	}{
		wolkvoxtest.LongValue: {[]string{"666", "1001", "1002", "1003"}, func(bad map[string]string, _ string) bool {
			return len(bad["customer_name"]) == 200_000 && bad["conn_id"] != ""
		}},
		wolkvoxtest.LongConnID: {[]string{"666", "1001", "1002", "1003"}, func(bad map[string]string, _ string) bool {
			return len(bad["conn_id"]) == 200_000 && bad["customer_name"] != ""
		}},
		wolkvoxtest.DeepRow: {[]string{"666", "1001", "array", "1002", "1003"}, func(bad map[string]string, body string) bool {
			arrays := strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000)
			return bad["conn_id"] != "" && bad["customer_name"] != "" && strings.Count(body, arrays) == 2
		}},
	} {
		s, have := newFaulty(t, fault)
		var d struct{ Data []json.RawMessage }
		if err := json.Unmarshal([]byte(have.body), &d); err != nil {
			t.Errorf("%v: %v", fault, err)
			continue
		}
		var order []string
		for _, raw := range d.Data {
			row := map[string]string{}
			var text any
			for name, value := range fields(raw) {
				if json.Unmarshal(value, &text) == nil {
					row[name], _ = text.(string)
				}
			}
			switch {
			case len(row) == 0:
				order = append(order, "array")
			case row["rp_id"] == wolkvoxtest.BadRoutingPoint:
				order = append(order, "666")
				if row["end_date"] != "2026-03-10 12:00:00" || !test.check(row, have.body) {
					t.Errorf("%v: have %.1000s", fault, raw)
				}
			default:
				order = append(order, row["conn_id"])
			}
		}
		if log := s.Requests()[0]; !slices.Equal(order, test.order) || log.Rows != 3 || log.BadRows != len(order)-3 {
			t.Errorf("%v: have %v, log %+v", fault, order, log)
		}
	}
}

// fields returns the fields of a row, if it is an object.
func fields(row json.RawMessage) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	_ = json.Unmarshal(row, &all)
	return all
}

func TestFault_CutBody(t *testing.T) {
	s, have := newFaulty(t, wolkvoxtest.CutBody)
	if have.err != nil || json.Valid([]byte(have.body)) || !strings.Contains(have.body, `"1001"`) || strings.Contains(have.body, `"1003"`) {
		t.Errorf("cut body: have %+v", have)
	}
	if log := s.Requests()[0]; log.Rows != 1 || log.Status != 200 {
		t.Errorf("log %+v", log)
	}
	_, have = newFaulty(t, wolkvoxtest.CutConnection)
	if !errors.Is(have.err, io.ErrUnexpectedEOF) || have.status != 200 || !strings.Contains(have.body, `"1001"`) {
		t.Errorf("cut connection: have %+v", have)
	}
}

func TestFault_CutBodyWithoutRows(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	s.FailNext(wolkvoxtest.CutBody)
	if have := get(t, s, dayReport()); have.err != nil || have.body == "" || json.Valid([]byte(have.body)) {
		t.Errorf("have %+v", have)
	}
}

func TestFault_Dropped(t *testing.T) {
	s, have := newFaulty(t, wolkvoxtest.Dropped)
	if !errors.Is(have.err, io.EOF) {
		t.Errorf("have %+v", have)
	}
	if log := s.Requests(); len(log) != 1 || log[0].Status != 0 {
		t.Errorf("log %+v", log)
	}
}

func TestFault_HangLastsUntilClientEnds(t *testing.T) {
	s := newServer(t, wolkvoxtest.Config{})
	s.FailNext(wolkvoxtest.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+dayReport(), nil)
	req.Header.Set("wolkvox-token", "secret")
	if have := do(s, req); !errors.Is(have.err, context.DeadlineExceeded) {
		t.Errorf("have %+v", have)
	}
	if s.MaxInFlight() != 0 {
		t.Error("a request that hangs counts as one in flight")
	}
}

func TestFault_SlowBody(t *testing.T) {
	begin := time.Now()
	newFaulty(t, wolkvoxtest.SlowBody)
	if took := time.Since(begin); took < 190*time.Millisecond || took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestFault_Redirects(t *testing.T) {
	for fault, want := range map[wolkvoxtest.Fault]string{
		wolkvoxtest.RedirectHost:  "http://localhost:",
		wolkvoxtest.RedirectPath:  "/moved/api/v2/reports_manager.php?api=chat_8&",
		wolkvoxtest.RedirectLogin: "/login.php",
		wolkvoxtest.RedirectHTTP:  "http://127.0.0.1:",
	} {
		s, have := newFaulty(t, fault)
		location := have.header.Get("Location")
		if have.status != http.StatusFound || !strings.HasPrefix(location, want) {
			t.Errorf("%v: have %d %q", fault, have.status, location)
		}
		s.FailAlways(wolkvoxtest.ServerError)
		location = strings.Replace(location, "localhost", "127.0.0.1", 1)
		followed := get(t, s, "/"+strings.TrimPrefix(strings.TrimPrefix(location, s.URL()), "/"))
		if fault == wolkvoxtest.RedirectLogin {
			if followed.status != 200 || !strings.Contains(followed.body, "password") {
				t.Errorf("%v: have %+v", fault, followed)
			}
			continue
		}
		wantColumn(t, followed.document(t), "conn_id", "1001", "1002", "1003")
		if log := s.Requests()[1]; !log.TokenOK || log.Path == reports {
			t.Errorf("%v: log %+v", fault, log)
		}
	}
}

func TestFault_RedirectHostOfPipe(t *testing.T) {
	s := wolkvoxtest.NewPipeServer(wolkvoxtest.Config{})
	defer s.Close()
	s.FailNext(wolkvoxtest.RedirectHost)
	if have := get(t, s, dayReport()).header.Get("Location"); !strings.HasPrefix(have, "http://elsewhere.wolkvox.test/elsewhere/api/") {
		t.Errorf("have %q", have)
	}
}

func TestFault_EachHasNameAndEffect(t *testing.T) {
	names := map[string]bool{"none": true}
	for _, f := range wolkvoxtest.AllFaults() {
		if names[f.String()] || strings.HasPrefix(f.String(), "fault-") {
			t.Errorf("name %q", f)
		}
		names[f.String()] = true
		if f == wolkvoxtest.Hang || slices.Contains(endlessFaults, f) || f == wolkvoxtest.Unasked {
			continue // They have tests of their own.
		}
		_, good := newFaulty(t, wolkvoxtest.None)
		_, have := newFaulty(t, f)
		if have.status == good.status && have.body == good.body && have.err == nil &&
			have.header.Get("Date") == good.header.Get("Date") && f != wolkvoxtest.SlowBody {
			t.Errorf("%v changes nothing", f)
		}
	}
	if wolkvoxtest.None.String() != "none" || wolkvoxtest.Fault(-1).String() != "fault--1" || wolkvoxtest.Fault(1000).String() != "fault-1000" {
		t.Error("names")
	}
}
