package wolkvoxtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestForeignNotFound_Responses(t *testing.T) {
	for _, test := range []struct {
		fault       wolkvoxtest.Fault
		contentType string
		body        string
	}{
		{wolkvoxtest.NotFoundText, "text/plain; charset=utf-8", "404 page not found\n"},
		{wolkvoxtest.NotFoundJSON, "application/json", `{"message":"no Route matched with those values"}` + "\n"},
		{wolkvoxtest.NotFoundEmpty, "text/html; charset=UTF-8", ""},
		{wolkvoxtest.NotFoundAPI, "application/json", `{"code":404,"error":"THE API YOU WANT TO CONSULT DOES NOT EXIST","msg":"THE API YOU WANT TO CONSULT DOES NOT EXIST","data":[]}`},
	} {
		_, have := newFaulty(t, test.fault)
		if have.err != nil || have.status != 404 || have.body != test.body || have.header.Get("Content-Type") != test.contentType {
			t.Errorf("%v: have %+v", test.fault, have)
		}
		if !slices.Contains(wolkvoxtest.ForeignNotFound(), test.fault) {
			t.Errorf("%v is not listed", test.fault)
		}
	}
}

func TestSurroundings_KeepRowsWhole(t *testing.T) {
	for _, test := range []struct {
		fault  wolkvoxtest.Fault
		ahead  string
		behind string
	}{
		{wolkvoxtest.PHPWarningBehind, "", "<br />\n<b>Warning</b>"},
		{wolkvoxtest.NULsBehind, "", "\x00\x00\n"},
		{wolkvoxtest.ByteOrderMarks, "\xef\xbb\xbf\xef\xbb\xbf", ""},
	} {
		s, have := newFaulty(t, test.fault)
		body, ok := strings.CutPrefix(have.body, test.ahead+`{"code"`)
		end := strings.LastIndex(body, "]}") + len("]}")
		if !ok || have.status != 200 || !strings.HasPrefix(body[end:], test.behind) || (body[end:] == "") != (test.behind == "") {
			t.Errorf("%v: have %q", test.fault, have.body)
			continue
		}
		have.body = `{"code"` + body[:end]
		wantColumn(t, have.document(t), "conn_id", "1001", "1002", "1003")
		if log := s.Requests()[0]; log.Rows != 3 || log.Fault != test.fault {
			t.Errorf("%v: log %+v", test.fault, log)
		}
		if !slices.Contains(wolkvoxtest.Surroundings(), test.fault) {
			t.Errorf("%v is not listed", test.fault)
		}
		s.FailNext(test.fault)
		have = get(t, s, chat8(noon.AddDate(0, 0, -1), noon.AddDate(0, 0, -1)))
		if !strings.HasPrefix(have.body, test.ahead) || !strings.Contains(have.body, `"data":[]}`+test.behind) {
			t.Errorf("%v, without rows: have %q", test.fault, have.body)
		}
	}
}

func TestFault_ListsHaveEachOnce(t *testing.T) {
	names := map[string]bool{"none": true}
	for _, fault := range slices.Concat(wolkvoxtest.AllFaults(), wolkvoxtest.ForeignNotFound(), wolkvoxtest.Surroundings()) {
		if names[fault.String()] || strings.HasPrefix(fault.String(), "fault-") {
			t.Errorf("have %v twice, or without a name", fault)
		}
		names[fault.String()] = true
	}
	if len(wolkvoxtest.ForeignNotFound()) != 4 || len(wolkvoxtest.Surroundings()) != 3 {
		t.Errorf("have %v and %v", wolkvoxtest.ForeignNotFound(), wolkvoxtest.Surroundings())
	}
}
