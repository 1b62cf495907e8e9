package wolkvoxtest_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

type readings = wolkvoxtest.Readings

// reportRows returns the report of chats with readings, requested at now. from and to are
// included.
func reportRows(t *testing.T, r readings, now, from, to time.Time, chats ...wolkvoxtest.Chat) document {
	t.Helper()
	s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: r, Now: clockAt(now)})
	s.Add(chats...)
	return get(t, s, chat8(from, to)).document(t)
}

func wantColumn(t *testing.T, d document, field string, want ...any) {
	t.Helper()
	if have := d.column(field); len(have) != len(want) || len(want) > 0 && !reflect.DeepEqual(have, want) {
		t.Errorf("%s: want %#v, have %#v", field, want, have)
	}
}

func TestReadings_OrdinaryRow(t *testing.T) {
	d := reportRows(t, readings{}, noon.Add(time.Hour), noon, noon.Add(time.Hour), answered(1, noon), botOnly(2, noon.Add(time.Second)))
	if want := (document{Code: json.Number("200"), Msg: "2 records were found", Data: []map[string]any{{
		"conn_id": "1001", "session_id": "573005551001_whatsapp", "times_chatted": "12",
		"start_date": "2026-03-10 12:00:00", "end_date": "2026-03-10 12:10:00", "time_on_chatbot": "00:00:30",
		"rp_id": "77", "channel": "WhatsApp", "go_to_agent": "yes",
		"customer_phone": "573005551001", "customer_name": "Ana Núñez", "customer_id": "1000000001", "customer_email": "ana@example.com",
		"agent_id": "1201", "agent_name": "Darío Monsalve", "time_with_agent": "00:08:00", "total_time": "00:10:00",
		"customer_chars": "210", "agent_chars": "480", "total_chars": "690", "asa": "00:01:30", "last_sender": "agent",
	}, {
		"conn_id": "1002", "session_id": "573005551002_whatsapp", "times_chatted": "12",
		"start_date": "2026-03-10 12:00:01", "end_date": "2026-03-10 12:01:01", "time_on_chatbot": "00:01:00",
		"rp_id": "77", "channel": "WhatsApp", "go_to_agent": "no",
		"customer_phone": "573005551002", "customer_name": "Ana Núñez", "customer_id": "1000000001", "customer_email": "ana@example.com",
		"agent_id": "-", "agent_name": "-", "time_with_agent": "-", "total_time": "00:01:00",
		"customer_chars": "210", "agent_chars": "-", "total_chars": "210", "asa": "-", "last_sender": "chat_bot",
	}}}); !reflect.DeepEqual(want, d) {
		t.Errorf("want %v\nhave %v", want, d)
	}
}

func TestReadings_U1RangeSelectsOnStartOrEnd(t *testing.T) {
	early, late := answered(1, noon.Add(-5*time.Minute)), answered(2, noon.Add(5*time.Minute))
	later := noon.Add(time.Hour)
	to := noon.Add(10 * time.Minute)
	wantColumn(t, reportRows(t, readings{}, later, noon, to, early, late), "conn_id", "1002")
	wantColumn(t, reportRows(t, readings{SelectOn: wolkvoxtest.End}, later, noon, to, early, late), "conn_id", "1001")
}

func TestReport_IsSortedBySelectedDate(t *testing.T) {
	long, short := answered(1, noon), botOnly(2, noon.Add(time.Minute))
	later := noon.Add(time.Hour)
	wantColumn(t, reportRows(t, readings{}, later, noon, later, short, long), "conn_id", "1001", "1002")
	wantColumn(t, reportRows(t, readings{SelectOn: wolkvoxtest.End}, later, noon, later, long, short), "conn_id", "1002", "1001")
}

func TestReport_IgnoresOrderOfAdd(t *testing.T) {
	var chats []wolkvoxtest.Chat
	for _, i := range []int{3, 0, 6, 1, 5, 2, 4} {
		chats = append(chats, botOnly(i, noon.Add(time.Duration(i)*time.Minute)))
	}
	later := noon.Add(time.Hour)
	d := reportRows(t, readings{}, later, noon.Add(2*time.Minute), noon.Add(4*time.Minute), chats...)
	wantColumn(t, d, "conn_id", "1002", "1003", "1004")
	d = reportRows(t, readings{SelectOn: wolkvoxtest.End}, later, noon.Add(2*time.Minute), noon.Add(4*time.Minute), chats...)
	wantColumn(t, d, "conn_id", "1001", "1002", "1003")
}

func TestReadings_U2EndsOfRange(t *testing.T) {
	to := noon.Add(2 * time.Second)
	for _, test := range []struct {
		ends wolkvoxtest.Ends
		want []any
	}{
		{wolkvoxtest.BothInclusive, []any{"1001", "1002", "1003"}},
		{wolkvoxtest.StartInclusive, []any{"1001", "1002"}},
		{wolkvoxtest.BothExclusive, []any{"1002"}},
	} {
		for _, on := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
			chats := []wolkvoxtest.Chat{botOnly(1, noon), botOnly(2, noon.Add(time.Second+300*time.Millisecond)), botOnly(3, to)}
			if on == wolkvoxtest.End {
				for i := range chats {
					chats[i].Start, chats[i].End = chats[i].Start.Add(-time.Minute), chats[i].Start
				}
			}
			d := reportRows(t, readings{Ends: test.ends, SelectOn: on}, noon.Add(time.Hour), noon, to, chats...)
			wantColumn(t, d, "conn_id", test.want...)
		}
	}
}

func TestReadings_U3OpenChats(t *testing.T) {
	ongoing, endless, future := answered(1, noon.Add(-5*time.Minute)), answered(2, noon.Add(-time.Second)), answered(3, noon.Add(time.Second))
	endless.End = time.Time{}
	for _, on := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
		list := func(open wolkvoxtest.ListOpen) document {
			return reportRows(t, readings{SelectOn: on, ListOpen: open}, noon, noon.Add(-time.Hour), noon.Add(time.Hour), ongoing, endless, future)
		}
		wantColumn(t, list(wolkvoxtest.NotListed), "conn_id")
		d := list(wolkvoxtest.EmptyEnd)
		wantColumn(t, d, "conn_id", "1001", "1002")
		wantColumn(t, d, "end_date", "", "")
		wantColumn(t, d, "go_to_agent", "yes", "no")
		wantColumn(t, d, "asa", "00:01:30", "-")
		wantColumn(t, d, "total_time", "-", "-")
		wantColumn(t, d, "time_on_chatbot", "00:00:30", "00:00:01")
		wantColumn(t, d, "times_chatted", "6", "6")
		wantColumn(t, list(wolkvoxtest.DashEnd), "end_date", "-", "-")
	}
}

func TestReadings_OpenChatEndsAtItsEnd(t *testing.T) {
	c := answered(1, noon)
	d := reportRows(t, readings{ListOpen: wolkvoxtest.EmptyEnd}, c.End.Add(-1), noon, noon, c)
	wantColumn(t, d, "end_date", "")
	d = reportRows(t, readings{ListOpen: wolkvoxtest.EmptyEnd}, c.End, noon, noon, c)
	wantColumn(t, d, "end_date", "2026-03-10 12:10:00")
}

func TestReadings_U4AgentFieldsArriveLater(t *testing.T) {
	c := answered(1, noon)
	r := readings{FillDelay: 7 * time.Minute}
	before := reportRows(t, r, c.End.Add(7*time.Minute-1), noon, noon, c)
	wantColumn(t, before, "go_to_agent", "no")
	for _, field := range []string{"asa", "time_with_agent", "agent_id", "agent_name", "agent_chars"} {
		wantColumn(t, before, field, "-")
	}
	wantColumn(t, before, "total_time", "00:10:00")
	wantColumn(t, before, "conn_id", "1001")
	after := reportRows(t, r, c.End.Add(7*time.Minute), noon, noon, c)
	wantColumn(t, after, "go_to_agent", "yes")
	wantColumn(t, after, "asa", "00:01:30")
	wantColumn(t, after, "agent_chars", "480")
}

func TestReadings_U5FinishedChatsAppearLate(t *testing.T) {
	slow, quick := answered(1, noon), answered(2, noon)
	lateness := func(c wolkvoxtest.Chat) time.Duration {
		if c.ConnID == slow.ConnID {
			return 3 * time.Hour
		}
		return 0
	}
	r := readings{Lateness: lateness}
	wantColumn(t, reportRows(t, r, slow.End.Add(3*time.Hour-1), noon, noon, slow, quick), "conn_id", "1002")
	wantColumn(t, reportRows(t, r, slow.End.Add(3*time.Hour), noon, noon, slow, quick), "conn_id", "1001", "1002")
	r.ListOpen = wolkvoxtest.EmptyEnd
	wantColumn(t, reportRows(t, r, slow.End.Add(time.Hour), noon, noon, slow, quick), "end_date", "", "2026-03-10 12:10:00")
}

func TestReadings_U6NothingFound(t *testing.T) {
	for _, test := range []struct {
		empty  wolkvoxtest.Empty
		status int
		body   string
	}{
		{wolkvoxtest.EmptyArray, 200, `{"code":200,"error":null,"msg":"0 records were found","data":[]}`},
		{wolkvoxtest.NullData, 200, `{"code":200,"error":null,"msg":"0 records were found","data":null}`},
		{wolkvoxtest.Status404, 404, `{"code":404,"error":"0 records were found","msg":"0 records were found","data":[]}`},
		{wolkvoxtest.Status204, 204, ``},
		{wolkvoxtest.Code404, 200, `{"code":404,"error":"0 records were found","msg":"0 records were found","data":[]}`},
	} {
		s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: readings{Empty: test.empty}})
		have := get(t, s, dayReport())
		if have.err != nil || have.status != test.status || have.body != test.body {
			t.Errorf("want %d %q, have %v", test.status, test.body, have)
		}
	}
}

func TestReadings_U7RepeatedHourHasSameTimes(t *testing.T) {
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Skip(err)
	}
	summer := time.Date(2025, 10, 26, 0, 30, 0, 0, time.UTC) // 02:30 CEST
	winter := summer.Add(time.Hour)                          // 02:30 CET
	before, after := summer.Add(-time.Hour), winter.Add(time.Hour)
	s := newServer(t, wolkvoxtest.Config{Location: madrid})
	s.Add(botOnly(1, before), botOnly(2, winter), botOnly(3, summer), botOnly(4, after))
	path := reports + "?api=chat_8&date_ini=20251026023000&date_end=20251026023000"
	wantColumn(t, get(t, s, path).document(t), "conn_id", "1002", "1003")
	wantColumn(t, get(t, s, path).document(t), "start_date", "2025-10-26 02:30:00", "2025-10-26 02:30:00")

	// 02:00 to 03:00 does not exist in the night of spring.
	path = reports + "?api=chat_8&date_ini=20260329020000&date_end=20260329025959"
	s.Add(botOnly(5, time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC)), botOnly(6, time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC)))
	wantColumn(t, get(t, s, path).document(t), "conn_id")
}

func TestReadings_U8DurationsAndNumbers(t *testing.T) {
	long := answered(1, noon)
	long.Total = 27*time.Hour + 3*time.Minute + 9*time.Second + 900*time.Millisecond
	one := func(r readings) document { return reportRows(t, r, noon.Add(48*time.Hour), noon, noon, long) }
	number := func(s string) any { return json.Number(s) }

	wantColumn(t, one(readings{}), "total_time", "27:03:09")
	wantColumn(t, one(readings{Durations: wolkvoxtest.SecondsString}), "total_time", "97389")
	wantColumn(t, one(readings{Durations: wolkvoxtest.SecondsNumber}), "total_time", number("97389"))

	d := one(readings{NumbersAsJSON: true})
	wantColumn(t, d, "total_time", "27:03:09")
	wantColumn(t, d, "times_chatted", number("12"))
	wantColumn(t, d, "conn_id", number("1001"))
	wantColumn(t, d, "session_id", "573005551001_whatsapp")
	wantColumn(t, one(readings{NumbersAsJSON: true, Durations: wolkvoxtest.SecondsString}), "total_time", number("97389"))
}

func TestReadings_LeadingZerosStayStrings(t *testing.T) {
	c := answered(1, noon)
	c.ConnID, c.RoutingPoint, c.AgentID = "0042", "0", "12345678901234567890"
	d := reportRows(t, readings{NumbersAsJSON: true}, noon.Add(time.Hour), noon, noon, c)
	wantColumn(t, d, "conn_id", "0042")
	wantColumn(t, d, "rp_id", json.Number("0"))
	wantColumn(t, d, "agent_id", "12345678901234567890")
}

func TestReadings_U9Yes(t *testing.T) {
	for _, test := range []struct {
		yes     wolkvoxtest.Yes
		numbers bool
		want    []any
	}{
		{wolkvoxtest.YesNo, false, []any{"yes", "no"}},
		{wolkvoxtest.YesUpper, false, []any{"YES", "NO"}},
		{wolkvoxtest.YesSi, false, []any{"si", "no"}},
		{wolkvoxtest.YesAccent, false, []any{"sí", "no"}},
		{wolkvoxtest.YesOne, false, []any{"1", "0"}},
		{wolkvoxtest.YesOne, true, []any{json.Number("1"), json.Number("0")}},
		{wolkvoxtest.YesTrue, false, []any{"true", "false"}},
		{wolkvoxtest.YesBool, false, []any{true, false}},
	} {
		d := reportRows(t, readings{Yes: test.yes, NumbersAsJSON: test.numbers}, noon.Add(time.Hour), noon, noon, answered(1, noon), botOnly(2, noon))
		wantColumn(t, d, "go_to_agent", test.want...)
	}
}

func TestReadings_U10BotOnlyConnID(t *testing.T) {
	r := readings{BotConnID: wolkvoxtest.Dash, FillDelay: 24 * time.Hour}
	d := reportRows(t, r, noon.Add(time.Hour), noon, noon, answered(1, noon), botOnly(2, noon))
	wantColumn(t, d, "conn_id", "1001", "-")
}

func TestReadings_U11RowsAfterCut(t *testing.T) {
	var chats []wolkvoxtest.Chat
	for i := range 9 {
		chats = append(chats, botOnly(8-i, noon.Add(time.Duration(8-i)*time.Second)))
	}
	for cut, want := range map[wolkvoxtest.Cut][]any{
		wolkvoxtest.First: {"1000", "1001", "1002", "1003"},
		wolkvoxtest.Last:  {"1005", "1006", "1007", "1008"},
	} {
		s := newServer(t, wolkvoxtest.Config{
			Location: bogota, Readings: readings{Cut: cut}, Limits: wolkvoxtest.Limits{Rows: 4},
		})
		s.Add(chats...)
		d := get(t, s, dayReport()).document(t)
		wantColumn(t, d, "conn_id", want...)
		if d.Msg != "4 records were found" {
			t.Errorf("the cut is not silent: %q", d.Msg)
		}
		if log := s.Requests(); !log[0].Cut || log[0].Rows != 4 {
			t.Errorf("log: %+v", log[0])
		}
	}
}

func TestReadings_AbsentValues(t *testing.T) {
	one := func(a wolkvoxtest.AbsentAs) document {
		return reportRows(t, readings{Absent: a, Durations: wolkvoxtest.SecondsNumber}, noon.Add(time.Hour), noon, noon, botOnly(1, noon))
	}
	for _, field := range []string{"asa", "agent_chars", "agent_name"} {
		wantColumn(t, one(wolkvoxtest.AbsentDash), field, "-")
		wantColumn(t, one(wolkvoxtest.AbsentEmpty), field, "")
		wantColumn(t, one(wolkvoxtest.AbsentNull), field, nil)
	}
}

func TestReadings_CodeAndDates(t *testing.T) {
	d := reportRows(t, readings{CodeAsString: true, DateStyle: wolkvoxtest.DateT}, noon.Add(time.Hour), noon, noon, answered(1, noon))
	if d.Code != "200" {
		t.Errorf("code %#v", d.Code)
	}
	wantColumn(t, d, "end_date", "2026-03-10T12:10:00")
	d = reportRows(t, readings{DateStyle: wolkvoxtest.DateCompact}, noon.Add(time.Hour), noon, noon, answered(1, noon))
	wantColumn(t, d, "start_date", "20260310120000")
}

func TestReadings_TextIsEscapedAsByPHP(t *testing.T) {
	c := answered(1, noon)
	c.Customer.Name = "Sí/\"😀\"\\\x01"
	s := newServer(t, wolkvoxtest.Config{Location: bogota})
	s.Add(c)
	r := get(t, s, dayReport())
	wantColumn(t, r.document(t), "customer_name", c.Customer.Name)
	if !strings.Contains(r.body, `"S\u00ed\/\"\ud83d\ude00\"\\\u0001"`) {
		t.Errorf("have %s", r.body)
	}
}

func TestEveryReading_ServesAllChats(t *testing.T) {
	names := map[string]bool{}
	for name, r := range wolkvoxtest.EveryReading() {
		if names[name] {
			t.Errorf("%s twice", name)
		}
		names[name] = true
		t.Run(name, func(t *testing.T) {
			s := newServer(t, wolkvoxtest.Config{Location: bogota, Readings: r, Now: clockAt(noon.Add(24 * time.Hour))})
			s.Add(answered(1, noon), botOnly(2, noon))
			have := get(t, s, dayReport())
			if d := have.document(t); have.status != http.StatusOK || len(d.Data) != 2 {
				t.Errorf("have %d %s", have.status, have.body)
			}
		})
	}
}
