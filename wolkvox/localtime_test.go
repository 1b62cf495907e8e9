package wolkvox

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestThreeSpellingsOfADateAreOneDate(t *testing.T) {
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

func TestWhatIsNoDateIsRefused(t *testing.T) {
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

func TestDatesFitIn32Bits(t *testing.T) {
	for _, text := range []string{"1970-01-01 00:00:01", "2106-02-07 06:28:15", "2028-02-29 23:59:59"} {
		have, ok := parseLocalTime([]byte(text))
		if !ok || have.String() != text || LocalTime(uint32(have)) != have {
			t.Errorf("%q: have %v, %v", text, have, ok)
		}
	}
}

func TestEveryDateSurvivesItsSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := LocalTime(rapid.Int64Range(1, maxLocalTime).Draw(t, "date"))
		for _, text := range []string{want.String(), want.param()} {
			if have, ok := parseLocalTime([]byte(text)); !ok || have != want {
				t.Fatalf("%q: have %v, %v", text, have, ok)
			}
		}
	})
}

func TestLocalTimeIsWhatTheWallClockShows(t *testing.T) {
	instant := time.Date(2026, 1, 18, 19, 34, 31, 999, time.UTC)
	for name, want := range map[string]string{
		"UTC":              "2026-01-18 19:34:31",
		"America/Bogota":   "2026-01-18 14:34:31",
		"America/Santiago": "2026-01-18 16:34:31",
		"Asia/Kathmandu":   "2026-01-19 01:19:31",
	} {
		if have := LocalTimeOf(instant.In(zone(t, name))).String(); have != want {
			t.Errorf("%s: have %s, want %s", name, have, want)
		}
	}
	if have := LocalTimeOf(time.Unix(-1, 1).UTC()); have != -1 {
		t.Errorf("before 1970: have %d, want -1", have)
	}
}

func TestATimeThatTheClocksShowTwiceIsTakenForTheLaterOne(t *testing.T) {
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
		if have := local.LastIn(zone(t, test.zone)).UTC().Format(time.RFC3339); !ok || have != test.want {
			t.Errorf("%s in %s: have %s, want %s", test.local, test.zone, have, test.want)
		}
	}
}
