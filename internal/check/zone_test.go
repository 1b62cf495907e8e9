package check

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// The operation is in one zone, the configuration in another; the chats go on.
func TestZone_SuggestsZoneThatFits(t *testing.T) {
	for _, test := range []struct {
		real, configured string
		status           Status
		text, do         string
	}{
		{"America/Bogota", "America/Bogota", OK, "ended 2m ago by the clock of America/Bogota (UTC-05:00)", ""},
		{"America/Bogota", "America/Lima", OK, "ended 2m ago by the clock of America/Lima", ""},
		{"Europe/Madrid", "America/Bogota", Failed, "5h58m ahead of the clock of America/Bogota", "UTC+01:00 fits, such as Europe/Madrid"},
		{"America/Caracas", "America/Bogota", Failed, "58m ahead of", "UTC-04:00 fits, such as America/Santo_Domingo or America/Caracas or America/La_Paz"},
		{"America/Bogota", "Europe/Madrid", Warning, "ended 6h2m ago by the clock of Europe/Madrid", "UTC-05:00 fits, such as America/Bogota or America/Lima or America/Guayaquil"},
		{"America/Mexico_City", "America/Bogota", Warning, "ended 1h2m ago", "UTC-06:00 fits, such as America/Mexico_City or America/Costa_Rica or America/Guatemala"},
		{"Asia/Kolkata", "America/Bogota", Failed, "10h28m ahead of", "UTC+05:30 fits"},
		{"Pacific/Kiritimati", "Etc/GMT+12", Failed, "25h58m ahead of", "UTC+14:00 fits"},
		{"Etc/GMT+12", "Pacific/Kiritimati", Warning, "26h2m ago", "UTC-12:00 fits"},
	} {
		t.Run(test.real+" as "+test.configured, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sleepUntil(noon)
				api := newFakeAPI()
				for ago := 2 * time.Minute; ago < 30*time.Hour; ago += 7 * time.Minute {
					api.ends = append(api.ends, ended(load(t, test.real), ago))
				}
				findings := operation(t, api, test.configured).Findings(t.Context())
				have := findFinding(t, findings, TimeZone)
				if have.Status != test.status || !strings.Contains(have.Text, test.text) || !strings.HasSuffix(have.Advice, test.do) {
					t.Errorf("have %+v, want %s: %s, and %s", have, test.status, test.text, test.do)
				}
				if Passed(findings) != (test.status != Failed) {
					t.Errorf("have %v", findings)
				}
			})
		})
	}
}

func TestZone_IsSkippedWithoutChats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(noon)
		api := newFakeAPI()
		// No clock of the world shows this: it is a fault of the report.
		api.ends = []wolkvox.LocalTime{ended(time.UTC, -15*time.Hour), ended(time.UTC, -10*365*24*time.Hour)}
		have := findFinding(t, operation(t, api, "Europe/Madrid").Findings(t.Context()), TimeZone)
		if have.Status != Skipped {
			t.Errorf("have %+v", have)
		}
	})
}

func TestZone_WarnsIfOtherZonesCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(noon)
		api := newFakeAPI()
		api.ends = []wolkvox.LocalTime{ended(load(t, "America/Bogota"), time.Minute)}
		api.failure = from(2, &wolkvox.Error{Result: wolkvox.BadRequest, Status: 400})
		findings := operation(t, api, "America/Bogota").Findings(t.Context())
		have := findFinding(t, findings, TimeZone)
		if have.Status != Warning || !strings.Contains(have.Text, "ended 1m ago") || !strings.Contains(have.Text, "(status 400)") || !Passed(findings) {
			t.Errorf("have %+v", have)
		}
	})
}

// In the night when clocks go back, those of before show a later time.
func TestZone_AcceptsRepeatedHour(t *testing.T) {
	madrid := load(t, "Europe/Madrid")
	change := time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC)
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(change.Add(10 * time.Minute))
		api := newFakeAPI()
		api.ends = []wolkvox.LocalTime{ended(madrid, 11*time.Minute)}
		if have := findFinding(t, operation(t, api, madrid.String()).Findings(t.Context()), TimeZone); have.Status != OK {
			t.Errorf("have %+v", have)
		}
	})
}
