package wolkvox

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestChats_ReadRow(t *testing.T) {
	have := decodeOneRow(t, rowWith())
	all := Fields(1<<LastSenderField<<1 - 1)
	want := Chat{
		ID: have.ID, FallbackID: have.FallbackID,
		Start: parseTime(t, "2026-01-18 19:34:31"), End: parseTime(t, "2026-01-18 19:52:07"),
		RoutingPoint: "12601", Channel: "whatsapp", HandedOff: true, LastSender: Agent, Agent: "5544",
		Numbers: [NumericFieldCount]float64{
			TimeOnChatbot: 65, ASA: 42, TimeWithAgent: 850, TotalTime: 1056, TimesChatted: 14, CustomerChars: 312, AgentChars: 845,
		},
		Present: all, Keys: 1<<allKeys - 1,
	}
	if have != want {
		t.Errorf("have %+v\nwant %+v", have, want)
	}
	if have.ID == 0 || have.FallbackID == 0 || have.ID == have.FallbackID {
		t.Errorf("have the ids %x and %x", have.ID, have.FallbackID)
	}
	if !have.Ended() {
		t.Error("want it ended")
	}
}

func TestChats_AbsentValues(t *testing.T) {
	for _, absent := range []string{`"-"`, `""`, `null`, `" "`, `" - "`, `"\u002d"`, `"null"`, `"NULL"`, `"N/A"`, `" n/a "`, ``} {
		var changes []string
		for _, field := range sample {
			if field[0] != "conn_id" {
				changes = append(changes, field[0], absent)
			}
		}
		have := decodeOneRow(t, rowWith(changes...))
		want := Chat{ID: have.ID, RoutingPoint: "-", Channel: "-", Keys: 1<<allKeys - 1}
		if absent == `` {
			want.Keys = 1 << ConnIDField
		}
		if have != want {
			t.Errorf("%s: have %+v, want %+v", absent, have, want)
		}
		if have.Ended() || have.ID == 0 {
			t.Errorf("%s: have ended %v, id %x", absent, have.Ended(), have.ID)
		}
	}
}

// wrongTypes are values that only a flag can have.
var wrongTypes = []string{`{}`, `[]`, `[[1], {"a": "b"}]`, `true`, `false`, `NaN`, `-Infinity`, `undefined`}

// The rows before and after a bad row are read.
func TestChats_BadRowCostsNoOther(t *testing.T) {
	good := rowWith()
	bad := []string{
		`"a string"`, `17`, `null`, `true`, `[]`, `[{"conn_id": "1"}]`, `{}`, `""`,
		rowWith("conn_id", `"-"`, "start_date", `""`),
		rowWith("conn_id", `""`, "start_date", `"0000-00-00 00:00:00"`),
		rowWith("end_date", `{"date": "2026-01-18 19:52:07"}`),
		rowWith("conn_id", `["1"]`),
	}
	for _, field := range requiredFields {
		for _, value := range wrongTypes {
			bad = append(bad, rowWith(field.String(), value))
		}
	}
	var rows []string
	for _, b := range bad {
		rows = append(rows, good, b)
	}
	have := decodeBody(t, report(append(rows, good)...))
	if len(have.chats) != len(bad)+1 || have.badRows != len(bad) || have.err != nil {
		t.Fatalf("have %d chats, %d bad rows, %v, want %d, %d", len(have.chats), have.badRows, have.err, len(bad)+1, len(bad))
	}
	want := decodeOneRow(t, good)
	for _, chat := range have.chats {
		if chat != want {
			t.Errorf("have %+v, want %+v", chat, want)
		}
	}
	for _, b := range bad {
		if one := decodeBody(t, report(b)); one.badRows != 1 || one.err != nil || one.request.Result != OK {
			t.Errorf("have %d bad rows, %v from %s", one.badRows, one.err, b)
		}
	}
}

func TestChats_IgnoreUnknownFields(t *testing.T) {
	want := decodeOneRow(t, rowWith())
	for _, value := range []string{`"x"`, `1e400`, `true`, `null`, `[]`, `{"conn_id": "other", "a": [{"end_date": "x"}]}`, `"\ud800 \u0000"`, "\"\xff\""} {
		if have := decodeOneRow(t, rowWith("novelty", value, "asa_total", value, "", value)); have != want {
			t.Errorf("%s: have %+v, want %+v", value, have, want)
		}
	}
}

func TestChats_ReadEscapes(t *testing.T) {
	row := rowWith("channel", `"web/chat"`)
	want := decodeOneRow(t, row)
	for _, c := range [][2]string{
		{`"conn_id"`, `"conn\u005fid"`},
		{`"go_to_agent"`, `"\u0067o_to_agent"`},
		{`1768782871.5521`, `1768782871\u002E5521`},
		{`2026-01-18 19:34:31`, `2026\u002d01-18\u002019:34:31`},
		{`web/chat`, `web\/chat`},
		{`00:14:10`, `00\u003a14:10`},
		{`"yes"`, `"y\u0065s"`},
	} {
		escaped := strings.Replace(row, c[0], c[1], 1)
		if escaped == row {
			t.Fatalf("%s is not there", c[0])
		}
		if have := decodeOneRow(t, escaped); have != want {
			t.Errorf("%s: have %+v, want %+v", c[1], have, want)
		}
	}
}

func TestChats_LastOfDuplicateNamesCounts(t *testing.T) {
	for _, c := range []struct {
		first, last string
		want        Chat
	}{
		{`"asa": "5"`, `"asa": "7"`, Chat{Numbers: [NumericFieldCount]float64{ASA: 7}, Present: 1 << ASA}},
		{`"asa": "5"`, `"asa": "soon"`, Chat{Numbers: [NumericFieldCount]float64{ASA: 5}, Malformed: 1 << ASA}},
		{`"asa": "soon"`, `"asa": "7"`, Chat{Numbers: [NumericFieldCount]float64{ASA: 7}, Present: 1 << ASA}},
		{`"go_to_agent": "yes"`, `"go_to_agent": "no"`, Chat{Present: 1 << GoToAgent}},
		{`"go_to_agent": "yes"`, `"go_to_agent": "maybe"`, Chat{Malformed: 1 << GoToAgent}},
		{`"end_date": "20260118193431"`, `"end_date": "later"`, Chat{Malformed: 1 << EndDate}},
		{`"start_date": "later"`, `"start_date": "20260118193431"`, Chat{Start: 1768764871}},
		{`"asa": "5"`, `"ASA ": "7"`, Chat{Numbers: [NumericFieldCount]float64{ASA: 7}, Present: 1 << ASA}},
		{`"asa": "5"`, `"asa": []`, Chat{Numbers: [NumericFieldCount]float64{ASA: 5}, Malformed: 1 << ASA}},
		{`"asa": false`, `"asa": "7"`, Chat{Numbers: [NumericFieldCount]float64{ASA: 7}, Present: 1 << ASA}},
	} {
		c.want.RoutingPoint, c.want.Channel = "-", "-"
		have := decodeOneRow(t, `{"conn_id": "1", `+c.first+`, `+c.last+`}`)
		have.ID, have.Keys = 0, 0
		if have != c.want {
			t.Errorf("%s, %s: have %+v, want %+v", c.first, c.last, have, c.want)
		}
	}
	if have, want := decodeOneRow(t, `{"conn_id": "1", "conn_id": "2"}`), decodeOneRow(t, `{"conn_id": "2"}`); have != want {
		t.Errorf("have the id %x, want %x", have.ID, want.ID)
	}
}

func TestParseYes_EverySpelling(t *testing.T) {
	for _, c := range []struct {
		spellings []string
		want      bool
	}{
		{[]string{`"yes"`, `"YES"`, `"Yes"`, `" yes "`, `"si"`, `"SI"`, `"Si"`, `"sí"`, `"SÍ"`, `"Sí"`, `"s\u00ed"`, `"S\u00CD"`, `"1"`, `1`, `"true"`, `"TRUE"`, `true`}, true},
		{[]string{`"no"`, `"NO"`, `"No"`, `"0"`, `0`, `"false"`, `"False"`, `false`}, false},
	} {
		for _, spelling := range c.spellings {
			have := decodeOneRow(t, rowWith("go_to_agent", spelling))
			if have.HandedOff != c.want || !have.Present.Has(GoToAgent) || have.Malformed != 0 {
				t.Errorf("%s: have %v, stated %v, malformed %v, want %v", spelling, have.HandedOff, have.Present.Has(GoToAgent), have.Malformed, c.want)
			}
		}
	}
	for _, spelling := range []string{`"maybe"`, `"y"`, `"2"`, `2`, `10`, `"yes!"`, `"sino"`, "\"s\xed\""} {
		have := decodeOneRow(t, rowWith("go_to_agent", spelling))
		if have.HandedOff || have.Present.Has(GoToAgent) || have.Malformed != 1<<GoToAgent {
			t.Errorf("%s: have %+v, want it malformed", spelling, have)
		}
	}
}

func TestParseLastSender(t *testing.T) {
	for spelling, want := range map[string]LastSender{
		`"agent"`: Agent, `"Agent"`: Agent, `"chat_bot"`: ChatBot, `"CHAT_BOT"`: ChatBot, `"customer"`: Customer, `" customer "`: Customer,
		`"unknown"`: UnknownSender, `"supervisor"`: UnknownSender, `7`: UnknownSender,
	} {
		have := decodeOneRow(t, rowWith("last_sender", spelling))
		if have.LastSender != want || !have.Present.Has(LastSenderField) || have.Malformed != 0 {
			t.Errorf("%s: have %v, malformed %v, want %v", spelling, have.LastSender, have.Malformed, want)
		}
	}
	if have := decodeOneRow(t, rowWith("last_sender", `"-"`)); have.Present.Has(LastSenderField) {
		t.Error("an absent sender is stated")
	}
}

func TestChats_Dates(t *testing.T) {
	for _, zero := range []string{`"0000-00-00 00:00:00"`, `"0000-00-00T00:00:00"`, `"00000000000000"`, `"0000-00-00"`} {
		have := decodeOneRow(t, rowWith("end_date", zero, "start_date", zero))
		if have.Ended() || have.Start != 0 || have.Malformed != 0 {
			t.Errorf("%s: have %+v, want no dates", zero, have)
		}
	}
	for _, malformed := range []string{`"soon"`, `"2026-02-30 00:00:00"`, `20260118`, `"1970-01-01 00:00:00"`, `"9999-12-31 23:59:59"`} {
		have := decodeOneRow(t, rowWith("end_date", malformed, "start_date", malformed))
		if have.Ended() || have.Start != 0 || have.Malformed != 1<<EndDate|1<<StartDate {
			t.Errorf("%s: have %+v, want both dates malformed", malformed, have)
		}
	}
	if have := decodeOneRow(t, rowWith("end_date", `20260118195207`)); have.End != parseTime(t, "2026-01-18 19:52:07") {
		t.Errorf("have %v from a JSON number", have.End)
	}
}

func TestChats_ColumnsInAnyOrder(t *testing.T) {
	want := decodeOneRow(t, rowWith())
	random := rand.New(rand.NewPCG(1, 0))
	for range 200 {
		members := []string{`"novel": "1"`}
		for _, field := range sample {
			name := field[0]
			if random.IntN(4) == 0 {
				name = strings.Replace(name, "_", `\u005f`, 1)
			}
			members = append(members, `"`+name+`": `+field[1])
		}
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		if row := "{" + strings.Join(members, ", ") + "}"; decodeOneRow(t, row) != want {
			t.Fatalf("have %+v, want %+v from %s", decodeOneRow(t, row), want, row)
		}
	}
}

// The fast search for a column expects the documented order.
func TestColumnNames_InDocumentedOrder(t *testing.T) {
	var have []string
	for _, field := range sample {
		have = append(have, field[0])
	}
	if !slices.Equal(have, columnNames[:]) {
		t.Errorf("have %q, want %q", columnNames, have)
	}
}

func TestField_HasNameOfAPI(t *testing.T) {
	known := map[string]bool{}
	for _, f := range Keys() {
		if i, documented := columnIndexes[f.String()]; !documented || columnFields[i] != f {
			t.Errorf("have %q for %d", f, f)
		}
		known[f.String()] = true
	}
	if len(known) != allKeys || ConnIDField != FieldCount || FieldCount > 16 {
		t.Errorf("have %d keys and %d fields, want %d and at most 16, which the ledger has room for", len(known), FieldCount, allKeys)
	}
	for s, want := range map[LastSender]string{UnknownSender: "unknown", Agent: "agent", ChatBot: "chat_bot", Customer: "customer"} {
		if s.String() != want {
			t.Errorf("have %q, want %q", s, want)
		}
	}
}

// Every malformed field is reported, and the others are read.
func TestChats_MalformedFieldSpoilsNoOther(t *testing.T) {
	want := decodeOneRow(t, rowWith())
	for f := range EndDate + 1 {
		if f == LastSenderField {
			continue
		}
		have := decodeOneRow(t, rowWith(f.String(), `"??"`))
		if have.Malformed != 1<<f || have.Present.Has(f) {
			t.Errorf("%s: have malformed %b, stated %b", f, have.Malformed, have.Present)
		}
		if f < NumericFieldCount && have.Numbers[f] != 0 {
			t.Errorf("%s: have %v", f, have.Numbers[f])
		}
		if others := want.Present &^ (1 << f); have.Present != others {
			t.Errorf("%s: have stated %b, want %b", f, have.Present, others)
		}
	}
}

// A value of the wrong type is unreadable, and the chat still counts.
func TestDecode_WrongTypeIsFieldError(t *testing.T) {
	named := rowOptions{agentNames: true}
	full := decodeWithOptions(t, rowWith(), named)
	for f := range Field(FieldCount) {
		for _, value := range slices.Concat(wrongTypes, []string{`"` + strings.Repeat("x", maxTokenLen) + `"`}) {
			if f == GoToAgent && (value == "true" || value == "false") || f == StartDate || f == EndDate {
				continue
			}
			have := decodeWithOptions(t, rowWith(f.String(), value), named)
			if have.Malformed != 1<<f || have.Present != full.Present&^(1<<f) || have.ID != full.ID || have.End != full.End || have.Keys != full.Keys {
				t.Errorf("%s %.20s: have %+v", f, value, have)
			}
			for g := range Field(NumericFieldCount) {
				if g != f && have.Numbers[g] != full.Numbers[g] {
					t.Errorf("%s %.20s: have %v for %s", f, value, have.Numbers[g], g)
				}
			}
			if unset := map[Field]string{RoutingPointField: have.RoutingPoint, ChannelField: have.Channel, AgentField: have.Agent, AgentNameField: have.AgentName}[f]; unset != "" && unset != "-" {
				t.Errorf("%s %.20s: have the label %q", f, value, unset)
			}
		}
	}
}

// Names are compared without case and surrounding space.
func TestDecode_KeysInAnyCase(t *testing.T) {
	want := decodeOneRow(t, rowWith())
	for name, change := range map[string]func(string) string{
		"capitals": strings.ToUpper, "space": func(name string) string { return " " + name + " " }, "a tab": func(name string) string { return name + `\t` },
		"titles": func(name string) string { return strings.ToUpper(name[:1]) + name[1:] },
	} {
		row := "{"
		for i, field := range sample {
			if i > 0 {
				row += ", "
			}
			row += `"` + change(field[0]) + `": ` + field[1]
		}
		if have := decodeOneRow(t, row+"}"); have != want {
			t.Errorf("%s: have %+v, want %+v", name, have, want)
		}
	}
}

func TestChat_KeysAreThoseOfRow(t *testing.T) {
	const all = 1<<allKeys - 1
	for _, f := range Keys() {
		for _, c := range []struct {
			row  string
			want Fields
		}{
			{rowWith(f.String(), ``), all &^ (1 << f)},
			{strings.Replace(rowWith(), `"`+f.String()+`"`, `"renamed"`, 1), all &^ (1 << f)},
			{rowWith(f.String(), `null`), all},
			{rowWith(f.String(), `[]`), all},
		} {
			decoded := Chat{}
			_, err := decode(strings.NewReader(report(c.row)), rowOptions{}, func(chat Chat, _ error) bool { decoded = chat; return true })
			if err != nil || decoded.Keys != c.want {
				t.Errorf("%s: have %b, %v, want %b from %s", f, decoded.Keys, err, c.want, c.row)
			}
		}
	}
	have := Chat{Keys: 1}
	if _, err := decode(strings.NewReader(report(`"x"`)), rowOptions{}, func(chat Chat, _ error) bool { have = chat; return true }); err != nil || have.Keys != 0 {
		t.Errorf("have %b, %v of what is no object", have.Keys, err)
	}
}

func TestChat_HasNoFieldForPersonalData(t *testing.T) {
	allowed := map[string]bool{"RoutingPoint": true, "Channel": true, "Agent": true}
	onRequest := map[string]bool{"AgentName": true, "ConnID": true}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Chat]()) {
		switch kind := field.Type.Kind(); kind {
		case reflect.Uint64, reflect.Int64, reflect.Bool, reflect.Uint8, reflect.Uint32:
		case reflect.Array:
			if field.Type.Elem().Kind() != reflect.Float64 {
				t.Errorf("%s could hold text", field.Name)
			}
		default:
			if kind != reflect.String || !allowed[field.Name] && !onRequest[field.Name] {
				t.Errorf("%s, a %v, could hold a name", field.Name, kind)
			}
		}
	}
	chat := decodeOneRow(t, rowWith())
	for name := range onRequest {
		if have := reflect.ValueOf(chat).FieldByName(name).String(); have != "" {
			t.Errorf("have %s %q, want it empty", name, have)
		}
	}
	for _, canary := range personalValues {
		if strings.Contains(chat.RoutingPoint+chat.Channel+chat.Agent, canary) {
			t.Errorf("have %q in %+v", canary, chat)
		}
	}
}
