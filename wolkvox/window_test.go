package wolkvox

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWindows(t *testing.T) {
	for _, c := range []struct {
		name, zone, from, to string
		want                 []string
	}{
		{
			"an ordinary poll reaches a second further back",
			"America/Bogota", "2026-01-18T10:00:00-05:00", "2026-01-18T10:35:00-05:00",
			[]string{"2026-01-18 09:59:59 to 2026-01-18 10:35:00"},
		},
		{
			"fractions of a second are cut",
			"America/Bogota", "2026-01-18T10:00:00.9-05:00", "2026-01-18T10:35:00.9-05:00",
			[]string{"2026-01-18 09:59:59 to 2026-01-18 10:35:00"},
		},
		{
			"less than a second is still asked for",
			"America/Bogota", "2026-01-18T10:00:00.1-05:00", "2026-01-18T10:00:00.2-05:00",
			[]string{"2026-01-18 09:59:59 to 2026-01-18 10:00:00"},
		},
		{
			"nothing",
			"America/Bogota", "2026-01-18T10:00:00-05:00", "2026-01-18T10:00:00-05:00",
			nil,
		},
		{
			"backwards",
			"America/Bogota", "2026-01-18T10:00:01-05:00", "2026-01-18T10:00:00-05:00",
			nil,
		},
		{
			"a month's end is a window's end",
			"America/Bogota", "2026-01-31T23:40:00-05:00", "2026-02-01T00:10:00-05:00",
			[]string{"2026-01-31 23:39:59 to 2026-01-31 23:59:59", "2026-02-01 00:00:00 to 2026-02-01 00:10:00"},
		},
		{
			"a week's catch-up over a month's end",
			"America/Bogota", "2026-03-28T12:00:00-05:00", "2026-04-04T12:00:00-05:00",
			[]string{"2026-03-28 11:59:59 to 2026-03-31 23:59:59", "2026-04-01 00:00:00 to 2026-04-04 12:00:00"},
		},
		{
			"February of a leap year",
			"America/Bogota", "2028-02-01T00:00:00-05:00", "2028-03-01T00:00:01-05:00",
			[]string{"2028-02-01 00:00:00 to 2028-02-29 23:59:59", "2028-03-01 00:00:00 to 2028-03-01 00:00:01"},
		},
		{
			"a year's end",
			"America/Bogota", "2025-12-31T23:59:58-05:00", "2026-01-01T00:00:02-05:00",
			[]string{"2025-12-31 23:59:57 to 2025-12-31 23:59:59", "2026-01-01 00:00:00 to 2026-01-01 00:00:02"},
		},
		{
			"whole months need no window of a single second",
			"America/Bogota", "2026-01-01T00:00:00-05:00", "2026-03-01T00:00:00-05:00",
			[]string{"2026-01-01 00:00:00 to 2026-01-31 23:59:59", "2026-02-01 00:00:00 to 2026-02-28 23:59:59"},
		},
		{
			"5:45 ahead of UTC the month ends earlier",
			"Asia/Kathmandu", "2026-01-31T18:00:00Z", "2026-01-31T18:30:00Z",
			[]string{"2026-01-31 23:44:59 to 2026-01-31 23:59:59", "2026-02-01 00:00:00 to 2026-02-01 00:15:00"},
		},
		{
			"Santiago's clocks go back at midnight: 23:00 to 24:00 exists twice",
			"America/Santiago", "2024-04-06T23:50:00-03:00", "2024-04-06T23:20:00-04:00",
			[]string{"2024-04-06 23:49:59 to 2024-04-07 00:00:00", "2024-04-06 22:59:59 to 2024-04-06 23:20:00"},
		},
		{
			"Santiago's clocks go forward at midnight: 0:00 to 1:00 is asked for though it never was",
			"America/Santiago", "2024-09-07T23:50:00-04:00", "2024-09-08T01:20:00-03:00",
			[]string{"2024-09-07 23:49:59 to 2024-09-08 01:20:00"},
		},
		{
			"Madrid's clocks go back",
			"Europe/Madrid", "2025-10-26T02:30:00+02:00", "2025-10-26T03:30:00+01:00",
			[]string{"2025-10-26 02:29:59 to 2025-10-26 03:00:00", "2025-10-26 01:59:59 to 2025-10-26 03:30:00"},
		},
		{
			"Madrid's clocks go forward",
			"Europe/Madrid", "2025-03-30T01:30:00+01:00", "2025-03-30T03:30:00+02:00",
			[]string{"2025-03-30 01:29:59 to 2025-03-30 03:30:00"},
		},
		{
			"Mexico City's clocks went back in 2021",
			"America/Mexico_City", "2021-10-31T01:30:00-05:00", "2021-10-31T01:10:00-06:00",
			[]string{"2021-10-31 01:29:59 to 2021-10-31 02:00:00", "2021-10-31 00:59:59 to 2021-10-31 01:10:00"},
		},
		{
			"Mexico City's clocks went forward in 2022, for the last time",
			"America/Mexico_City", "2022-04-03T01:30:00-06:00", "2022-04-03T03:30:00-05:00",
			[]string{"2022-04-03 01:29:59 to 2022-04-03 03:30:00"},
		},
		{
			"the end is the very second when clocks go back",
			"America/Santiago", "2024-04-06T23:50:00-03:00", "2024-04-07T00:00:00-03:00",
			[]string{"2024-04-06 23:49:59 to 2024-04-07 00:00:00"},
		},
		{
			"the start is the very second when clocks go back",
			"America/Santiago", "2024-04-06T23:00:00-04:00", "2024-04-06T23:10:00-04:00",
			[]string{"2024-04-06 22:59:59 to 2024-04-06 23:10:00"},
		},
		{
			"the end is a second after clocks went back",
			"America/Santiago", "2024-04-06T23:50:00-03:00", "2024-04-06T23:00:01-04:00",
			[]string{"2024-04-06 23:49:59 to 2024-04-07 00:00:00", "2024-04-06 22:59:59 to 2024-04-06 23:00:01"},
		},
		{
			"the end is half a second after clocks went back",
			"America/Santiago", "2024-04-06T23:50:00-03:00", "2024-04-06T23:00:00.5-04:00",
			[]string{"2024-04-06 23:49:59 to 2024-04-07 00:00:00"},
		},
		{
			"Lisbon's clocks got another name in 1996 and showed the same",
			"Europe/Lisbon", "1996-03-31T01:30:00+01:00", "1996-03-31T02:30:00+01:00",
			[]string{"1996-03-31 01:29:59 to 1996-03-31 02:30:00"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var have []string
			for _, w := range Windows(parseInstant(t, c.from), parseInstant(t, c.to), loadZone(t, c.zone)) {
				have = append(have, w.String())
			}
			if !slices.Equal(have, c.want) {
				t.Errorf("have\n\t%s\nwant\n\t%s", strings.Join(have, "\n\t"), strings.Join(c.want, "\n\t"))
			}
		})
	}
}

// newRuleZone returns a zone that has only rules and no table of changes, as many systems
// have for future years.
func newRuleZone(t *testing.T, posix string) *time.Location {
	t.Helper()
	header := "TZif2" + strings.Repeat("\x00", 15) + strings.Repeat("\x00", 4*4) + "\x00\x00\x00\x01" + "\x00\x00\x00\x04"
	block := header + "\x00\x00\x00\x00\x00\x00" + "LMT\x00"
	loc, err := time.LoadLocationFromTZData("rules", []byte(block+block+"\n"+posix+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// On the last day of a leap year, Go returns zone bounds that are in the past
// (golang/go#81583).
func TestWindows_LastDayOfLeapYear(t *testing.T) {
	for _, loc := range []*time.Location{
		newRuleZone(t, "<-04>4<-03>,M9.1.6/24,M4.1.6/24"), newRuleZone(t, "CET-1CEST,M3.5.0,M10.5.0/3"), loadZone(t, "America/Santiago"), loadZone(t, "Europe/Madrid"),
	} {
		for _, year := range []int{2027, 2028, 2040} {
			from, to := time.Date(year, 12, 29, 12, 30, 0, 0, loc), time.Date(year+1, 1, 2, 12, 0, 0, 0, loc)
			for at := from; at.Before(to); at = at.Add(6 * time.Hour) {
				if have := Windows(at, to, loc); len(have) == 0 || len(have) > 2 || have[0].From != ToLocalTime(at)-1 || have[len(have)-1].To != ToLocalTime(to) {
					t.Errorf("from %v in %v: have %v", at, loc, have)
				}
			}
		}
		// The rules apply to all years: Madrid's and Santiago's clocks change twice a year.
		from := time.Date(2040, 1, 1, 0, 0, 0, 0, loc)
		if have := Windows(from, from.AddDate(3, 0, 0), loc); len(have) != 36+3 {
			t.Errorf("three years in %v: have %d windows, want 39", loc, len(have))
		}
	}
}

func parseInstant(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func TestWindows_OfYear(t *testing.T) {
	madrid := loadZone(t, "Europe/Madrid")
	windows := Windows(time.Date(2025, 1, 1, 0, 0, 0, 0, madrid), time.Date(2026, 1, 1, 0, 0, 0, 0, madrid), madrid)
	if len(windows) != 13 {
		t.Fatalf("have %d windows, want 13: %v", len(windows), windows)
	}
}

func TestWindows_IgnoreOffsetOfInstants(t *testing.T) {
	santiago := loadZone(t, "America/Santiago")
	from, to := time.Date(2024, 4, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 4, 9, 0, 0, 0, 0, time.UTC)
	want := Windows(from, to, santiago)
	if have := Windows(from.In(loadZone(t, "Asia/Kathmandu")), to.In(santiago), santiago); !slices.Equal(have, want) {
		t.Errorf("have %v, want %v", have, want)
	}
}
