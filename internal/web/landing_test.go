package web

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/status"
)

func inZone(t *testing.T, s status.Snapshot, name string) status.Snapshot {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	s.Zone = zone
	return s
}

func TestLanding_ShowsOperationsOwnTimeBesideUTC(t *testing.T) {
	zones := map[string]string{
		"America/Bogota": `<time datetime="1999-12-31T23:57:00Z">1999-12-31 18:57:00 -05</time> ` +
			`<time datetime="1999-12-31T23:57:00Z" class="quiet">1999-12-31 23:57:00 UTC</time> <span class="quiet">(3 minutes ago)</span>`,
		"Europe/Madrid": `<time datetime="1999-12-31T23:57:00Z">2000-01-01 00:57:00 CET</time> ` +
			`<time datetime="1999-12-31T23:57:00Z" class="quiet">1999-12-31 23:57:00 UTC</time> <span class="quiet">(3 minutes ago)</span>`,
		"UTC": `<time datetime="1999-12-31T23:57:00Z">1999-12-31 23:57:00 UTC</time> <span class="quiet">(3 minutes ago)</span>`,
	}
	synctest.Test(t, func(t *testing.T) {
		for zone, moment := range zones {
			page := ask(t, handler(inZone(t, with(polled("wv0042"), failing), zone)), "GET", "/").Body.String()
			for _, want := range []string{
				`<th scope="row">wv0042 <span class="quiet">` + zone + `</span></th>`,
				`<td data-label="Last poll that succeeded">` + moment + `</td>`,
				`<td data-label="Complete until">` + moment + `</td>`,
			} {
				if !strings.Contains(page, want) {
					t.Errorf("%s: have %s\nwant in it %s", zone, page, want)
				}
			}
		}
	})
}

// A time that breaks in the middle is hard to read, and the style does not let a <time> break.
func TestLanding_TimesDoNotBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		page := ask(t, handler(inZone(t, with(polled("wv0042"), failing), "America/Bogota")), "GET", "/").Body.String()
		if !regexp.MustCompile(`(?m)^[^{}]*\btime\b[^{}]*\{[^}]*white-space: nowrap`).MatchString(style) {
			t.Errorf("the style lets times break")
		}
		rest := regexp.MustCompile(`<time [^>]*>[^<]*</time>|datetime="[^"]*"`).ReplaceAllString(page, "")
		if found := regexp.MustCompile(`\d{4}-\d\d-\d\d.{0,20}`).FindString(rest); found != "" {
			t.Errorf("%q is in no <time>", found)
		}
	})
}

func TestLanding_LinksSayWhatTheyAre(t *testing.T) {
	page := ask(t, handler(), "GET", "/").Body.String()
	for _, want := range []string{
		`<a href="./metrics">Metrics at /metrics</a> for Prometheus`,
		`<a href="./-/ready">Readiness</a>: whether the first poll of each operation has succeeded`,
		`<a href="./-/healthy">Health</a>: whether the process works`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("have %s\nwant in it %s", page, want)
		}
	}
}
