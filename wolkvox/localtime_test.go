package wolkvox

import (
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseLocalTime_ThreeSpellings(t *testing.T) {
	want := LocalTime(time.Date(2026, 1, 18, 19, 34, 31, 0, time.UTC).Unix())
	for _, text := range []string{"2026-01-18 19:34:31", "2026-01-18T19:34:31", "20260118193431"} {
		if have, ok := parseLocalTime([]byte(text)); !ok || have != want {
			t.Errorf("%q: have %v, %v, want %v", text, have, ok, want)
		}
	}
	if have := want.String(); have != "2026-01-18 19:34:31" {
		t.Errorf("have %q in a log", have)
	}
	if have := want.param(); have != "20260118193431" {
		t.Errorf("have %q as a parameter", have)
	}
}

func TestParseLocalTime_RefusesInvalidDate(t *testing.T) {
	for _, text := range []string{
		"2026-04-31 00:00:00", "2026-02-29 00:00:00", "2026-13-01 00:00:00", "2026-00-01 00:00:00", "2026-01-00 00:00:00",
		"2026-01-18 24:00:00", "2026-01-18 19:60:00", "2026-01-18 19:34:60", "20260118246060",
		"2026/01/18 19:34:31", "18-01-2026 19:34:31", "2026-01-18_19:34:31", "2026-01-18 19.34.31", "2026-01-18 19:34-31",
		"2026-01-18 19:34", "2026-01-18", "2026-01-18 19:34:31Z", "2026-01-18 19:34:31.5", " 2026-01-18 19:34:31",
		"2026-01-18 19:34:3x", "+0260118193431", "2026011819343x", "yesterday", "",
		"1970-01-01 00:00:00", "1969-12-31 23:59:59", "0000-00-00 00:00:00", "2106-02-07 06:28:16", "9999-12-31 23:59:59",
	} {
		if have, ok := parseLocalTime([]byte(text)); ok {
			t.Errorf("%q: have %v, want none", text, have)
		}
	}
}

func TestParseDate_FractionsAndOffsets(t *testing.T) {
	santiago := loadZone(t, "America/Santiago")
	for _, c := range []struct{ text, written, inZone string }{
		{"2026-11-26 19:26:09.123456", "2026-11-26 19:26:09", "2026-11-26 19:26:09"},
		{"2026-11-26T19:26:09.9", "2026-11-26 19:26:09", "2026-11-26 19:26:09"},
		{"2026-11-26 19:26:09-05:00", "2026-11-26 19:26:09", "2026-11-26 21:26:09"},
		{"2026-11-26T19:26:09Z", "2026-11-26 19:26:09", "2026-11-26 16:26:09"},
		{"2026-11-26 19:26:09 +0000", "2026-11-26 19:26:09", "2026-11-26 16:26:09"},
		{"2026-07-26 19:26:09.000+02", "2026-07-26 19:26:09", "2026-07-26 13:26:09"},
		{"2026-07-26 19:26:09 -0430", "2026-07-26 19:26:09", "2026-07-26 19:56:09"},
		{"20261126192609", "2026-11-26 19:26:09", "2026-11-26 19:26:09"},
		{"0000-00-00 00:00:00.000000", "", ""},
		{"0000-00-00 00:00:00Z", "", ""},
	} {
		for _, place := range []*time.Location{nil, santiago} {
			want := c.written
			if place != nil {
				want = c.inZone
			}
			have, ok := parseDate([]byte(c.text), place)
			if !ok || (have == 0) != (want == "") || want != "" && have.String() != want {
				t.Errorf("%q in %v: have %v, %v, want %q", c.text, place, have, ok, want)
			}
		}
	}
	for _, text := range []string{
		"2026-11-26 19:26:09.", "2026-11-26 19:26:09.x", "2026-11-26 19:26:09 ", "2026-11-26 19:26:09 UTC", "2026-11-26 19:26:09+1", "2026-11-26 19:26:09+1:00",
		"2026-11-26 19:26:09+05:0", "2026-11-26 19:26:09+16:00", "2026-11-26 19:26:09+05:00:00", "2026-11-26 19:26:09+05:", "2026-11-26 19:26:09.5.5",
		"2026-11-26 19:26:09z5", "2026-11-26 19:26:60Z", "20261126192609Z", "20261126192609.5", "1970-01-01 00:00:01+01:00",
	} {
		if have, ok := parseDate([]byte(text), time.UTC); ok {
			t.Errorf("%q: have %v, want none", text, have)
		}
	}
}

// The chat is the same with each notation of its dates.
func TestClient_WithZoneConvertsInstants(t *testing.T) {
	bogota := loadZone(t, "America/Bogota")
	dated := func(start, end string) string { return rowWith("start_date", `"`+start+`"`, "end_date", `"`+end+`"`) }
	want := decodeOneRow(t, dated("2026-11-26 19:26:09", "2026-11-26 19:28:29"))
	for _, row := range []string{
		dated("2026-11-26 19:26:09.123456", "2026-11-26 19:28:29.000"), dated("2026-11-26 19:26:09-05:00", "2026-11-26T19:28:29-0500"),
		dated("2026-11-27 00:26:09 +0000", "2026-11-27T00:28:29Z"),
	} {
		have := ask(t, newResponder(http.StatusOK, report(row)), WithZone(bogota))
		if have.err != nil || len(have.chats) != 1 || have.chats[0] != want {
			t.Errorf("have %+v, %v, want %+v", have.chats, have.err, want)
		}
	}
}

func TestParseLocalTime_Fits32Bits(t *testing.T) {
	for _, text := range []string{"1970-01-01 00:00:01", "2106-02-07 06:28:15", "2028-02-29 23:59:59"} {
		have, ok := parseLocalTime([]byte(text))
		if !ok || have.String() != text || LocalTime(uint32(have)) != have {
			t.Errorf("%q: have %v, %v", text, have, ok)
		}
	}
}

func TestLocalTime_ParsesItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := LocalTime(rapid.Int64Range(1, maxLocalTime).Draw(t, "date"))
		for _, text := range []string{want.String(), want.param()} {
			if have, ok := parseLocalTime([]byte(text)); !ok || have != want {
				t.Fatalf("%q: have %v, %v", text, have, ok)
			}
		}
	})
}

func TestToLocalTime_ReturnsWallClock(t *testing.T) {
	instant := time.Date(2026, 1, 18, 19, 34, 31, 999, time.UTC)
	for name, want := range map[string]string{
		"UTC":              "2026-01-18 19:34:31",
		"America/Bogota":   "2026-01-18 14:34:31",
		"America/Santiago": "2026-01-18 16:34:31",
		"Asia/Kathmandu":   "2026-01-19 01:19:31",
	} {
		if have := ToLocalTime(instant.In(loadZone(t, name))).String(); have != want {
			t.Errorf("%s: have %s, want %s", name, have, want)
		}
	}
	if have := ToLocalTime(time.Unix(-1, 1).UTC()); have != -1 {
		t.Errorf("before 1970: have %d, want -1", have)
	}
}

func TestLocalTime_LastInReturnsLaterOfTwo(t *testing.T) {
	for _, test := range []struct{ zone, local, want string }{
		{"Europe/Madrid", "2025-10-26 01:59:59", "2025-10-25T23:59:59Z"},
		{"Europe/Madrid", "2025-10-26 02:00:00", "2025-10-26T01:00:00Z"},
		{"Europe/Madrid", "2025-10-26 02:59:59", "2025-10-26T01:59:59Z"},
		{"Europe/Madrid", "2025-10-26 03:00:00", "2025-10-26T02:00:00Z"},
		{"America/Santiago", "2025-04-05 23:30:00", "2025-04-06T03:30:00Z"},
		{"Australia/Lord_Howe", "2026-04-05 01:45:00", "2026-04-04T15:15:00Z"},
		{"America/Bogota", "2026-01-18 14:34:31", "2026-01-18T19:34:31Z"},
		{"UTC", "2026-01-18 14:34:31", "2026-01-18T14:34:31Z"},
	} {
		local, ok := parseLocalTime([]byte(test.local))
		if have := local.LastIn(loadZone(t, test.zone)).UTC().Format(time.RFC3339); !ok || have != test.want {
			t.Errorf("%s in %s: have %s, want %s", test.local, test.zone, have, test.want)
		}
	}
}
