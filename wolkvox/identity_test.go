package wolkvox

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestID_IndependentOfSpelling(t *testing.T) {
	want := decodeOneRow(t, rowWith())
	for _, row := range []string{
		rowWith("start_date", `"2026-01-18T19:34:31"`),
		rowWith("start_date", `"20260118193431"`),
		rowWith("start_date", `20260118193431`),
		rowWith("start_date", `" 2026-01-18 19:34:31 "`),
		rowWith("conn_id", `1768782871.5521`),
		rowWith("conn_id", `" 1768782871.5521 "`),
		rowWith("session_id", `"573001112233\u0040whatsapp-7"`),
		rowWith("end_date", `"-"`, "go_to_agent", `"no"`, "agent_id", `""`, "asa", `null`, "channel", `"web"`, "rp_id", `"1"`),
	} {
		if have := decodeOneRow(t, row); have.ID != want.ID || have.FallbackID != want.FallbackID {
			t.Errorf("have %x, %x, want %x, %x from %s", have.ID, have.FallbackID, want.ID, want.FallbackID, row)
		}
	}
}

// The ids are saved in the state, so they must be the same in each release.
func TestID_NeverChanges(t *testing.T) {
	for _, c := range []struct {
		row           string
		id, anonymous ID
	}{
		{rowWith(), 0x3b131bb0e53f7e24, 0xb3d050bc9678e556},
		{rowWith("conn_id", `"-"`), 0xb3d050bc9678e556, 0},
		{rowWith("session_id", `"-"`), 0x4ba94f7fbd689f42, 0},
		{rowWith("start_date", `"-"`), 0x03f659ef5dcf1fd6, 0},
	} {
		if have := decodeOneRow(t, c.row); have.ID != c.id || have.FallbackID != c.anonymous {
			t.Errorf("have %#x, %#x, want %#x, %#x from %s", have.ID, have.FallbackID, c.id, c.anonymous, c.row)
		}
	}
}

func TestID_WithoutConnIDIsFallbackID(t *testing.T) {
	named := decodeOneRow(t, rowWith())
	for _, absent := range []string{`"-"`, `""`, `null`, ``} {
		have := decodeOneRow(t, rowWith("conn_id", absent))
		if have.ID != named.FallbackID || have.FallbackID != 0 {
			t.Errorf("%s: have %x, %x, want %x, 0", absent, have.ID, have.FallbackID, named.FallbackID)
		}
	}
}

// A conn_id of "-" with only a session or only a start may be several chats, so it
// identifies none.
func TestFallbackID_NeedsSessionAndStart(t *testing.T) {
	for _, field := range []string{"session_id", "start_date"} {
		if have := decodeOneRow(t, rowWith(field, `"-"`)); have.FallbackID != 0 || have.ID == 0 {
			t.Errorf("without %s: have %x, %x", field, have.ID, have.FallbackID)
		}
	}
	if have := decodeOneRow(t, rowWith("start_date", `"0000-00-00 00:00:00"`)); have.FallbackID != 0 {
		t.Errorf("with the zero date: have %x", have.FallbackID)
	}
}

func TestID_MissingIsBadRow(t *testing.T) {
	for _, row := range []string{
		`{}`, `{"session_id": "` + canarySession + `", "end_date": "2026-01-18 19:52:07"}`,
		rowWith("conn_id", ``, "start_date", ``), rowWith("conn_id", `null`, "start_date", `"0000-00-00T00:00:00"`),
	} {
		if have := decodeBody(t, report(row)); have.badRows != 1 || len(have.chats) != 0 {
			t.Errorf("have %d chats, %d bad rows from %s", len(have.chats), have.badRows, row)
		}
	}
}

func TestID_UsesMalformedStart(t *testing.T) {
	ids := map[ID]bool{}
	for _, start := range []string{`"18/01/2026 19:34:31"`, `"18/01/2026 19:34:32"`, `"2026-01-18 19:34:31"`, `"-"`} {
		ids[decodeOneRow(t, rowWith("start_date", start)).ID] = true
	}
	if len(ids) != 4 {
		t.Errorf("have %d ids, want 4", len(ids))
	}
}

func TestID_DiffersBetweenChats(t *testing.T) {
	type key struct {
		conn, session string
		start         LocalTime
	}
	seen := map[ID]key{}
	anonymous := map[ID]key{}
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[0-9a-f]{1,3}[0-9a@.-]{0,3}`)
		k := key{text.Draw(rt, "conn_id"), text.Draw(rt, "session_id"), LocalTime(rapid.Int64Range(1, 300).Draw(rt, "start"))}
		row := `{"conn_id": ` + strconv.Quote(k.conn) + `, "session_id": ` + strconv.Quote(k.session) + `, "start_date": "` + k.start.String() + `"}`
		have := decodeOneRow(t, row)
		if have.ID == 0 || have.FallbackID == 0 || have.ID == have.FallbackID {
			rt.Fatalf("have %x, %x", have.ID, have.FallbackID)
		}
		if other, ok := seen[have.ID]; ok && other != k {
			rt.Fatalf("%+v and %+v have one id", k, other)
		}
		seen[have.ID] = k
		k.conn = ""
		if other, ok := anonymous[have.FallbackID]; ok && other != k {
			rt.Fatalf("%+v and %+v have one anonymous id", k, other)
		}
		anonymous[have.FallbackID] = k
	})
}

// The parts of an identity must be separated.
func TestID_SeparatesItsParts(t *testing.T) {
	ids := map[ID]bool{}
	rows := []string{
		`{"conn_id": "ab", "session_id": "c", "start_date": "20260118193431"}`,
		`{"conn_id": "a", "session_id": "bc", "start_date": "20260118193431"}`,
		`{"conn_id": "abc", "start_date": "20260118193431"}`,
		`{"session_id": "abc", "start_date": "20260118193431"}`,
		`{"conn_id": "a\u0001b", "session_id": "c", "start_date": "20260118193431"}`,
		`{"conn_id": "a", "session_id": "b\u0001c", "start_date": "20260118193431"}`,
		`{"conn_id": "a", "session_id": "b"}`,
		`{"conn_id": "ab"}`,
		`{"conn_id": "a", "start_date": "b"}`,
	}
	for _, row := range rows {
		ids[decodeOneRow(t, row).ID] = true
	}
	if len(ids) != len(rows) {
		t.Errorf("have %d ids, want %d", len(ids), len(rows))
	}
}
