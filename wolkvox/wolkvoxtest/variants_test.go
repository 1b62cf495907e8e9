package wolkvoxtest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// parseLeniently returns the rows of a response in any envelope and spelling of keys, or
// nil if there are none.
func parseLeniently(t *testing.T, have response) []map[string]any {
	t.Helper()
	var body any
	decoder := json.NewDecoder(strings.NewReader(have.body))
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil {
		t.Fatalf("%v in %q", err, have.body)
	}
	if envelope, ok := body.(map[string]any); ok {
		body = envelope["data"]
	}
	var held []any
	switch data := body.(type) {
	case []any:
		held = data
	case map[string]any:
		if isRow(data) {
			held = []any{data}
			break
		}
		for i := range 2 * len(data) {
			if row, ok := data[strconv.Itoa(i)]; ok {
				held = append(held, row)
			}
		}
	default:
	}
	var rows []map[string]any
	for _, row := range held {
		plain := map[string]any{}
		for key, value := range row.(map[string]any) {
			plain[strings.ToLower(strings.TrimSpace(key))] = value
		}
		rows = append(rows, plain)
	}
	return rows
}

func isRow(data map[string]any) bool {
	for key := range data {
		if strings.EqualFold(strings.TrimSpace(key), "end_date") {
			return true
		}
	}
	return false
}

// readable reports whether a reader may count a value.
func readable(value any) bool {
	switch v := value.(type) {
	case string:
		return v != "" && v != "-" && v != "N/A" && v != "NULL"
	case json.Number:
		return true
	default:
		return false
	}
}

// reportBody returns the body of the report of chats with readings, requested on the next day.
func reportBody(t *testing.T, r readings, chats ...wolkvoxtest.Chat) string {
	t.Helper()
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: r, Now: clockAt(noon.Add(24 * time.Hour))})
	s.Add(chats...)
	have := get(t, s, dayReport())
	if have.err != nil || have.status != http.StatusOK {
		t.Fatalf("have %+v", have)
	}
	return have.body
}

func wantText(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("want %s in %s", text, body)
		}
	}
}

func TestReadings_HandoffsOnly(t *testing.T) {
	handed, bot := answered(1, noon), botOnly(2, noon.Add(time.Second))
	r := readings{HandoffsOnly: true, ListOpen: wolkvoxtest.EmptyEnd, FillDelay: 20 * time.Minute}
	for _, test := range []struct {
		after time.Duration
		ends  []any
	}{
		{29 * time.Second, nil}, // still with the bot
		{30 * time.Second, []any{""}},
		{10*time.Minute - 1, []any{""}},
		{10 * time.Minute, nil}, // go_to_agent would be no
		{30*time.Minute - 1, nil},
		{30 * time.Minute, []any{"2026-03-10 12:10:00"}},
	} {
		d := reportRows(t, r, noon.Add(test.after), noon, noon.Add(time.Hour), handed, bot)
		wantColumn(t, d, "end_date", test.ends...)
		for _, yes := range d.column("go_to_agent") {
			if yes != "yes" {
				t.Errorf("%v: have a row whose go_to_agent is %v", test.after, yes)
			}
		}
	}
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: r})
	s.Add(handed, bot)
	for after, want := range map[time.Duration]int{30*time.Minute - 1: 0, 30 * time.Minute: 1} {
		if have := s.Truth(noon.Add(after)).Total; have.Interactions != want || have.Handoffs != want {
			t.Errorf("%v: have %+v, want %d", after, have, want)
		}
	}
}

func TestReadings_MessageOfCutReport(t *testing.T) {
	var chats []wolkvoxtest.Chat
	for i := range 7 {
		chats = append(chats, botOnly(i, noon.Add(time.Duration(i)*time.Second)))
	}
	for message, want := range map[wolkvoxtest.Message]string{
		wolkvoxtest.MessageReturned: "5 records were found", wolkvoxtest.MessageFound: "7 records were found",
		wolkvoxtest.MessageSilent: "OK", wolkvoxtest.MessageSpanish: "5 registros encontrados",
	} {
		s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: readings{Message: message}, Limits: wolkvoxtest.Limits{Rows: 5}})
		s.Add(chats...)
		if d := get(t, s, dayReport()).document(t); d.Msg != want || len(d.Data) != 5 {
			t.Errorf("have %q with %d rows, want %q", d.Msg, len(d.Data), want)
		}
		s.SetRowLimit(3)
		if d := get(t, s, dayReport()).document(t); len(d.Data) != 3 {
			t.Errorf("with another limit: have %d rows", len(d.Data))
		}
		s.SetRowLimit(0)
		if d := get(t, s, dayReport()).document(t); len(d.Data) != 7 || s.Requests()[2].Cut || !s.Requests()[1].Cut {
			t.Errorf("with the vendor's limit: have %d rows", len(d.Data))
		}
	}
}

func TestReadings_Envelopes(t *testing.T) {
	first, second := answered(1, noon), botOnly(2, noon.Add(time.Second))
	for _, test := range []struct {
		r     readings
		texts []string
	}{
		{readings{Code: wolkvoxtest.CodeNull}, []string{`{"code":null,"error":null,"msg":"2 records were found","data":[{"conn_id"`}},
		{readings{Code: wolkvoxtest.CodeEmpty}, []string{`{"code":"",`}},
		{readings{Code: wolkvoxtest.CodeBlank}, []string{`{"code":" ",`}},
		{readings{Code: wolkvoxtest.CodeZero}, []string{`{"code":"0",`}},
		{readings{Code: wolkvoxtest.CodeDecimal}, []string{`{"code":"200.0",`}},
		{readings{Code: wolkvoxtest.CodeCreated}, []string{`{"code":201,`}},
		{readings{Code: wolkvoxtest.CodeAccepted, CodeAsString: true}, []string{`{"code":"202",`}},
		{readings{Code: wolkvoxtest.CodeMissing}, []string{`{"error":null,"msg"`}},
		{readings{Error: wolkvoxtest.ErrorNullText}, []string{`"error":"null",`}},
		{readings{Error: wolkvoxtest.ErrorEmpty}, []string{`"error":"",`}},
		{readings{Error: wolkvoxtest.ErrorBlank}, []string{`"error":" ",`}},
		{readings{Data: wolkvoxtest.DataKeyed}, []string{`"data":{"0":{"conn_id":"1001"`, `},"1":{"conn_id":"1002"`, `}}}`}},
		{readings{Data: wolkvoxtest.DataHoles}, []string{`"data":{"0":{"conn_id":"1001"`, `},"2":{"conn_id":"1002"`, `}}}`}},
		{readings{Data: wolkvoxtest.DataSingle}, []string{`"data":[{"conn_id":"1001"`, `}]}`}},
		{readings{Data: wolkvoxtest.DataBare}, []string{`[{"conn_id":"1001"`, `},{"conn_id":"1002"`, `}]`}},
		{readings{Decimals: true}, []string{`"times_chatted":"12.00"`, `"total_time":"00:10:00"`, `"conn_id":"1001"`}},
		{readings{Decimals: true, NumbersAsJSON: true}, []string{`"times_chatted":12.00`}},
		{readings{Decimals: true, Durations: wolkvoxtest.SecondsString}, []string{`"asa":"90.00"`}},
		{readings{Decimals: true, Durations: wolkvoxtest.SecondsNumber}, []string{`"asa":90.00`}},
		{readings{Durations: wolkvoxtest.ShortClock}, []string{`"asa":"1:30"`, `"time_on_chatbot":"0:30"`, `"total_time":"10:00"`}},
		{readings{Absent: wolkvoxtest.AbsentNA}, []string{`"asa":"N\/A"`, `"agent_name":"N\/A"`}},
		{readings{Absent: wolkvoxtest.AbsentNullText}, []string{`"asa":"NULL"`}},
		{readings{DateStyle: wolkvoxtest.DateFraction}, []string{`"start_date":"2026-03-10 12:00:00.000000"`}},
		{readings{DateStyle: wolkvoxtest.DateOffset}, []string{`"end_date":"2026-03-10T12:10:00-05:00"`}},
	} {
		body := reportBody(t, test.r, first, second)
		wantText(t, body, test.texts...)
		if d := parseLeniently(t, response{body: body}); len(d) != 2 || !json.Valid([]byte(body)) {
			t.Errorf("%+v: have %d rows in %s", test.r, len(d), body)
		}
		if head := test.texts[0]; strings.HasPrefix(head, "{") || strings.HasPrefix(head, "[") {
			if !strings.HasPrefix(body, head) {
				t.Errorf("want %s first in %s", head, body)
			}
		}
	}
	long := answered(3, noon)
	long.Total = time.Hour + 3*time.Minute + 4*time.Second
	wantText(t, reportBody(t, readings{Durations: wolkvoxtest.ShortClock}, long), `"total_time":"1:03:04"`)
	wantText(t, reportBody(t, readings{Data: wolkvoxtest.DataSingle}, first), `"data":{"conn_id":"1001"`, `"agent"}}`)
	if body := reportBody(t, readings{Data: wolkvoxtest.DataBare}); body != "[]" {
		t.Errorf("without rows or an envelope: have %s", body)
	}
	for empty, want := range map[wolkvoxtest.Empty]string{
		wolkvoxtest.EmptyObject: `"data":{}}`, wolkvoxtest.EmptyText: `"data":""}`, wolkvoxtest.FalseData: `"data":false}`,
	} {
		wantText(t, reportBody(t, readings{Empty: empty, Code: wolkvoxtest.CodeNull}), `{"code":null,`, want)
	}
}

func TestReadings_WrongTypesAreFieldErrors(t *testing.T) {
	c := answered(1, noon)
	whole := newServer(t, wolkvoxtest.Config{Location: bogota})
	whole.Add(c)
	before := whole.Truth(c.End)
	for _, field := range wolkvoxtest.Fields() {
		if slices.Contains([]string{"conn_id", "session_id", "start_date", "end_date"}, field) {
			continue
		}
		for _, value := range []string{"false", "[]", `["5"]`} {
			r := readings{WrongType: func(wolkvoxtest.Chat) (string, string) { return field, value }}
			wantText(t, reportBody(t, r, c), `"`+field+`":`+value)
			s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: r})
			s.Add(c)
			have := s.Truth(c.End)
			if want := map[string]int{field: 1}; !maps.Equal(have.FieldErrors, want) || have.Total.Interactions != 1 {
				t.Errorf("%s: have %+v", field, have)
			}
			figureless := strings.HasPrefix(field, "customer_") && field != "customer_chars" || field == "agent_name" || field == "total_chars"
			have.FieldErrors = nil
			if reflect.DeepEqual(before, have) != figureless {
				t.Errorf("%s: the truth is %+v, it was %+v", field, have, before)
			}
		}
	}
}

func TestEveryVariant_MatchesTruth(t *testing.T) {
	names := map[string]bool{}
	for name := range wolkvoxtest.EveryReading() {
		names[name] = true
	}
	i := -1
	for name, r := range wolkvoxtest.EveryVariant() {
		if names[name] {
			t.Errorf("%s twice", name)
		}
		names[name] = true
		if i++; !isSampled(i) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s := newServer(t, wolkvoxtest.Config{
				Location: bogota, Readings: r, Now: clockAt(noon), Source: wolkvoxtest.Day(wolkvoxtest.DayConfig{Location: bogota, Seed: 3}),
			})
			from := noon.Add(-40 * time.Minute)
			if strings.HasPrefix(name, "U13") {
				from = noon.Add(-4 * time.Hour)
			}
			s.Add(answered(1, from), botOnly(2, noon.Add(-30*time.Minute)))
			interactions, answers := 0, 0
			for _, row := range parseLeniently(t, get(t, s, chat8(from, noon))) {
				if !readable(row["end_date"]) {
					continue
				}
				interactions++
				if readable(row["asa"]) {
					answers++
				}
			}
			have := s.TruthBetween(from, noon).Total
			if have.Interactions != interactions || have.SpeedOfAnswer.Count != answers || interactions < 100 {
				t.Errorf("%d rows of ended chats, %d with asa; account %+v", interactions, answers, have)
			}
			if have := parseLeniently(t, get(t, s, chat8(noon.Add(time.Hour), noon.Add(2*time.Hour)))); len(have) != 0 {
				t.Errorf("nothing found: have %v", have)
			}
		})
	}
}
