package wolkvox

import (
	"net/http"
	"strings"
	"testing"
)

// Inputs that users of this API, or of a similar one, have reported, each with its result.
func TestClient_ReportedInputs(t *testing.T) {
	row := rowWith()
	whole := func(row string) string {
		return `{"code": 200, "error": null, "msg": "1 records were found", "data": [` + row + `]}`
	}
	renamed := func(from, to string) string { return strings.Replace(row, `"`+from+`"`, `"`+to+`"`, 1) }
	allButASA := Fields(1<<allKeys-1) &^ (1 << ASA)
	for _, c := range []struct {
		name, body        string
		status            int
		chats             int
		want              Result
		malformed, absent Fields // of each chat: unreadable fields, keys that are not there
	}{
		{"asa_renamed", whole(renamed("asa", "first_response_time")), 200, 1, OK, 0, 1 << ASA},
		{"code_null", `{"code": null, "error": null, "msg": "1 records were found", "data": [` + row + `]}`, 200, 1, OK, 0, 0},
		{"code_space", `{"code": " ", "error": null, "msg": "1 records were found", "data": [` + row + `]}`, 200, 1, OK, 0, 0},
		{"data_empty_object", `{"code":200,"error":null,"msg":"0 records were found","data":{}}`, 200, 0, Empty, 0, 0},
		{"data_object_keyed", `{"code": 200, "error": null, "msg": "0 records were found", "data": {"0": ` + row + `, "1": ` + row + `, "3": ` + row + `}}`, 200, 3, OK, 0, 0},
		{"data_single_object", `{"code": 200, "error": null, "msg": "1 records were found", "data": ` + row + `}`, 200, 1, OK, 0, 0},
		{"date_frac", whole(rowWith("start_date", `"2026-11-26 19:26:09.123456"`, "end_date", `"2026-11-26 19:28:29.000"`)), 200, 1, OK, 0, 0},
		{"end_date_renamed", whole(renamed("end_date", "date_close")), 200, 1, OK, 0, 1 << EndDate},
		{"http404_kong", `{"message":"no Route matched with those values"}`, 404, 0, BadRequest, 0, 0},
		{"keys_upper", whole(strings.NewReplacer(upperKeys()...).Replace(row)), 200, 1, OK, 0, 0},
		{"nan", whole(rowWith("asa", `NaN`)), 200, 1, OK, 1 << ASA, 0},
		{"raw_quote_in_name", whole(row + ", " + rowWith("customer_name", `"Pe"pe""`) + ", " + row), 200, 1, Malformed, 0, 0},
		{"raw_tab_one_of_three", whole(row + ", " + rowWith("customer_name", "\"Pe\tpe\"") + ", " + row), 200, 3, OK, 0, 0},
		{"trailing_nul", whole(row) + "\x00", 200, 1, OK, 0, 0},
		{"val_bool_asa", whole(rowWith("asa", `false`, "times_chatted", `true`)), 200, 1, OK, 1<<ASA | 1<<TimesChatted, 0},
		{"an empty body", "", 200, 0, Malformed, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			have := ask(t, newResponder(c.status, c.body))
			if len(have.chats) != c.chats || have.badRows != 0 || have.request.Result != c.want || have.request.ExtraText {
				t.Fatalf("have %d chats, %d bad rows, %s (%v)", len(have.chats), have.badRows, have.request.Result, have.err)
			}
			whole := decodeOneRow(t, row)
			for _, chat := range have.chats {
				if chat.Malformed != c.malformed || chat.Keys != (1<<allKeys-1)&^c.absent || chat.Ended() == c.absent.Has(EndDate) {
					t.Errorf("have %+v", chat)
				}
				if stated := whole.Present &^ c.malformed &^ c.absent; chat.Present != stated || chat.Agent != whole.Agent || chat.HandedOff != whole.HandedOff {
					t.Errorf("have stated %b, want %b of %+v", chat.Present, stated, chat)
				}
			}
		})
	}
	if have := decodeOneRow(t, renamed("asa", "first_response_time")).Keys; have != allButASA {
		t.Errorf("have keys %b, want %b", have, allButASA)
	}
	wantNoPersonalData(t, ask(t, newResponder(http.StatusOK, whole(rowWith("customer_name", `"Pe"pe""`)))).err)
}

// upperKeys returns the keys of a row, each followed by its upper-case form.
func upperKeys() (pairs []string) {
	for _, name := range columnNames {
		pairs = append(pairs, `"`+name+`"`, `"`+strings.ToUpper(name)+`"`)
	}
	return pairs
}
