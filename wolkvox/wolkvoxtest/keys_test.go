package wolkvoxtest_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestFields_MatchRow(t *testing.T) {
	d := reportRows(t, readings{}, noon.Add(time.Hour), noon, noon, answered(1, noon))
	if have := slices.Sorted(maps.Keys(d.Data[0])); !slices.Equal(have, wolkvoxtest.Fields()) {
		t.Errorf("have %v, want %v", have, wolkvoxtest.Fields())
	}
}

func TestKeys_RenameFields(t *testing.T) {
	one := func(names map[string]string) string {
		return reportBody(t, readings{Keys: wolkvoxtest.Keys{Names: names}}, answered(1, noon))
	}
	wantText(t, one(wolkvoxtest.EveryKey(strings.ToUpper)), `{"code":200,`, `"CONN_ID":"1001","SESSION_ID"`, `"END_DATE":"2026`, `"GO_TO_AGENT"`, `"LAST_SENDER"`)
	wantText(t, one(map[string]string{"asa": "asa "}), `"asa ":"00:01:30"`, `"conn_id"`)
	wantText(t, one(map[string]string{"asa": "first_response_time"}), `"first_response_time":"00:01:30"`)
	for _, field := range wolkvoxtest.Fields() {
		body := one(map[string]string{field: ""})
		if strings.Contains(body, `"`+field+`"`) || !json.Valid([]byte(body)) {
			t.Errorf("%s: have %s", field, body)
		}
	}
	open := answered(2, noon)
	open.End = time.Time{}
	body := reportBody(t, readings{ListOpen: wolkvoxtest.EmptyEnd, Keys: wolkvoxtest.Keys{Names: map[string]string{"end_date": ""}}}, answered(1, noon), open)
	wantText(t, body, `"1001"`, `"1002"`)
	if strings.Contains(body, "end_date") || !json.Valid([]byte(body)) {
		t.Errorf("have %s", body)
	}
}

func TestKeys_ChangeWhileServing(t *testing.T) {
	now := noon
	names := map[string]string{"asa": "first_response_time"}
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Now: func() time.Time { return now }, Readings: readings{
		Keys: wolkvoxtest.Keys{Names: names, From: noon.Add(time.Hour), Until: noon.Add(2 * time.Hour)},
	}})
	s.Add(answered(1, noon.Add(-time.Hour)))
	want := func(key string) {
		t.Helper()
		if _, ok := get(t, s, dayReport()).document(t).Data[0][key]; !ok {
			t.Errorf("%v: want the key %s", now, key)
		}
	}
	want("asa")
	now = noon.Add(time.Hour)
	want("first_response_time")
	now = noon.Add(2*time.Hour - 1)
	want("first_response_time")
	now = noon.Add(2 * time.Hour)
	want("asa")
	s.SetKeys(wolkvoxtest.Keys{Names: names})
	want("first_response_time")
	s.SetKeys(wolkvoxtest.Keys{})
	want("asa")
}
