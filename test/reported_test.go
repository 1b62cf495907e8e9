package test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// reportedInput is an input that users of this API, or of a similar one, have reported, with
// the expected figures.
type reportedInput struct {
	rows []string // their ends are a second apart
	// body is the response with the rows of a window; nil stands for an ordinary one.
	body   func(rows []string) string
	status int // of all responses, instead of 200

	chats, unreadable float64
	down              bool
	missing           string // a key that the report is said to lack
	fieldErrors       []string
	outcome           string // of rows that are not counted
	result            string // of requests
}

// reportedRow is a row as the API documents it, with placeholders for the dates.
const reportedRow = `{"conn_id": "1000072", "session_id": "573000000072_1", "times_chatted": "7", "start_date": "<START>", "end_date": "<END>", ` +
	`"time_on_chatbot": "00:01:05", "rp_id": "1101", "channel": "whatsapp", "go_to_agent": "yes", "customer_phone": "573001112233", ` +
	`"customer_name": "Pepe", "customer_id": "1", "customer_email": "a@b.co", "agent_id": "2001", "agent_name": "Ana", ` +
	`"time_with_agent": "00:00:50", "total_time": "00:02:20", "customer_chars": "120", "agent_chars": "80", "total_chars": "200", ` +
	`"asa": "00:00:25", "last_sender": "agent"}`

// changeRow returns reportedRow with some text replaced.
func changeRow(oldnew ...string) string { return strings.NewReplacer(oldnew...).Replace(reportedRow) }

// wrapRows puts rows between two texts.
func wrapRows(before, after string) func([]string) string {
	return func(rows []string) string { return before + strings.Join(rows, ", ") + after }
}

func envelopeWith(code, behind string) func([]string) string {
	return wrapRows(`{"code": `+code+`, "error": null, "msg": "records were found", "data": [`, `]}`+behind)
}

var (
	row       = []string{reportedRow}
	threeRows = func(second string) []string { return []string{reportedRow, second, reportedRow} }
)

// reportedInputs returns the inputs by name.
func reportedInputs() map[string]reportedInput {
	upper := reportedRow
	for _, key := range []string{
		"conn_id", "session_id", "times_chatted", "start_date", "end_date", "time_on_chatbot", "rp_id", "channel", "go_to_agent", "agent_id",
		"time_with_agent", "total_time", "customer_chars", "agent_chars", "total_chars", "asa", "last_sender",
	} {
		upper = strings.Replace(upper, `"`+key+`"`, `"`+strings.ToUpper(key)+`"`, 1)
	}
	return map[string]reportedInput{
		"ordinary":             {rows: row, chats: 1},
		"asa_renamed":          {rows: []string{changeRow(`"asa"`, `"first_response_time"`)}, chats: 1, missing: "asa"},
		"end_date_renamed":     {rows: []string{changeRow(`"end_date"`, `"date_close"`)}, missing: "end_date", outcome: "unfinished"},
		"keys_upper":           {rows: []string{upper}, chats: 1},
		"code_null":            {rows: row, body: envelopeWith("null", ""), chats: 1},
		"code_space":           {rows: row, body: envelopeWith(`" "`, ""), chats: 1},
		"data_empty_object":    {rows: row, body: func([]string) string { return `{"code":200,"error":null,"msg":"0 records were found","data":{}}` }, result: "empty"},
		"data_object_keyed":    {rows: row, body: wrapRows(`{"code": 200, "error": null, "msg": "0 records were found", "data": {"0": `, `}}`), chats: 1},
		"data_single_object":   {rows: row, body: wrapRows(`{"code": 200, "error": null, "msg": "1 records were found", "data": `, `}`), chats: 1},
		"date_fraction":        {rows: []string{changeRow("<START>", "<START>.123456", "<END>", "<END>.000")}, chats: 1},
		"gateway_404":          {rows: row, body: func([]string) string { return `{"message":"no Route matched with those values"}` }, status: 404, down: true, result: "bad_request"},
		"nan":                  {rows: []string{changeRow(`"00:00:25"`, "NaN")}, chats: 1, fieldErrors: []string{"asa"}},
		"val_bool_asa":         {rows: []string{changeRow(`"00:00:25"`, "false", `"7"`, "true")}, chats: 1, fieldErrors: []string{"asa", "times_chatted"}},
		"raw_quote_in_name":    {rows: threeRows(changeRow(`"Pepe"`, `"Pe"pe""`)), chats: 2, unreadable: 1, result: "malformed"},
		"raw_tab_one_of_three": {rows: threeRows(changeRow(`"Pepe"`, "\"Pe\tpe\"")), chats: 3},
		"trailing_nul":         {rows: row, body: envelopeWith("200", "\x00"), chats: 1},
		"no_utf8_empties_all": {rows: threeRows(changeRow("Pepe", "UNREADABLE")), body: func(rows []string) string {
			if slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, "UNREADABLE") }) {
				return ""
			}
			return envelopeWith("200", "")(rows)
		}, chats: 2, unreadable: 1, result: "malformed"},
	}
}

// responses answers with the rows of a window. first is the end of the first row, which is
// set later.
func (r *reportedInput) responses(first *atomic.Pointer[time.Time]) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		const layout = "20060102150405"
		query := request.URL.Query()
		var rows []string
		for i, row := range r.rows {
			at := first.Load()
			if at == nil {
				break
			}
			end := at.Add(time.Duration(i) * time.Second)
			if at := end.Format(layout); query.Get("date_ini") <= at && at <= query.Get("date_end") && !time.Now().Before(end) {
				start := end.Add(-140 * time.Second)
				rows = append(rows, strings.NewReplacer(
					"<START>", start.Format(time.DateTime), "<END>", end.Format(time.DateTime), "1000072", fmt.Sprint(1000072+i),
				).Replace(row))
			}
		}
		body := `{"code":200,"error":null,"msg":"0 records were found","data":[]}`
		switch {
		case len(rows) == 0 && r.status == 0:
		case r.body != nil:
			body = r.body(rows)
		default:
			body = envelopeWith("200", "")(rows)
		}
		w.Header().Set("Content-Type", "application/json")
		if r.status != 0 {
			w.WriteHeader(r.status)
		}
		_, _ = io.WriteString(w, body) // The client may have gone.
	}
}

func TestServe_ReadsReportedInputs(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("America/Bogota")
	if err != nil {
		t.Fatal(err)
	}
	inputs := reportedInputs()
	names := slices.Sorted(maps.Keys(inputs))
	var first atomic.Pointer[time.Time]
	mux := http.NewServeMux()
	var operations []string
	for _, name := range names {
		input := inputs[name]
		mux.Handle("/"+name+"/api/v2/reports_manager.php", input.responses(&first))
		operations = append(operations, "- name: "+name+"\n  url: SERVER/"+name+"\n  token: token-of-"+name+
			"\n  poll: {interval: 1s, overlap: 20s, initial_window: 1s, reconcile_interval: 0s}\n")
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for i := range operations {
		operations[i] = strings.ReplaceAll(operations[i], "SERVER", server.URL)
	}
	e := newProgram(t, operations...).start(t)
	// What had ended before an operation's first poll is not counted.
	e.await("a poll of each", func(s samples) bool {
		return len(s.byLabel("wolkvox_api_requests_total", "operation")) == len(names) && s.sum("wolkvox_up") >= float64(len(names)-1)
	})
	ends := time.Now().In(zone).Truncate(time.Second).Add(time.Second)
	first.Store(&ends)
	for _, name := range names {
		input := inputs[name]
		of := func(s samples, metric string) (found samples) {
			found = samples{}
			for series, value := range s.of(metric) {
				if strings.Contains(series, `operation="`+name+`"`) {
					found[series] = value
				}
			}
			return found
		}
		sum := func(s samples, metric string) float64 { return of(s, metric).sum(metric) }
		wrong := func(s samples) (wrong []string) {
			want := func(what string, right bool) {
				if !right {
					wrong = append(wrong, what)
				}
			}
			missing := of(s, "wolkvox_report_field_missing").byLabel("wolkvox_report_field_missing", "field")
			for field, is := range missing {
				want("missing keys", (is == 1) == (field == input.missing))
			}
			want("missing keys", input.missing == "" || missing[input.missing] == 1)
			errors := of(s, "wolkvox_exporter_field_errors_total").byLabel("wolkvox_exporter_field_errors_total", "field")
			for field, n := range errors {
				want("field errors", (n > 0) == slices.Contains(input.fieldErrors, field))
			}
			outcomes := of(s, "wolkvox_exporter_records_total").byLabel("wolkvox_exporter_records_total", "outcome")
			results := of(s, "wolkvox_api_requests_total").byLabel("wolkvox_api_requests_total", "result")
			want("chats", sum(s, "wolkvox_chat_interactions_total") == input.chats)
			want("counted records", outcomes["counted"] == input.chats)
			want("outcome", input.outcome == "" || outcomes[input.outcome] > 0)
			want("result", input.result == "" || results[input.result] > 0)
			want("unreadable seconds", sum(s, "wolkvox_exporter_unreadable_seconds_total") == input.unreadable)
			want("up", (sum(s, "wolkvox_up") == 0) == input.down)
			return wrong
		}
		var last samples
		var still []string
		t.Cleanup(func() {
			if len(still) > 0 {
				t.Logf("%s: have wrong %v:\n%v", name, still, of(last, "wolkvox_exporter_records_total"))
			}
		})
		pollUntil(t, waitLimit, 100*time.Millisecond, name, func() bool {
			last = e.scrape()
			still = wrong(last)
			return len(still) == 0 && time.Since(ends) > 4*time.Second
		})
		t.Logf("%s: %v chats, %v unreadable seconds", name, sum(last, "wolkvox_chat_interactions_total"), sum(last, "wolkvox_exporter_unreadable_seconds_total"))
	}
}
