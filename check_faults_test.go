package main

import (
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/check"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// Which line tells of a fault. Those that are not here cost no request its answer.
func TestACheckNamesEachFault(t *testing.T) {
	t.Parallel()
	type line struct {
		id     check.ID
		status check.Status
		text   string
	}
	failed := func(id check.ID, text string) line { return line{id, check.Failed, text} }
	lines := map[wolkvoxtest.Fault]line{
		wolkvoxtest.NoSuchAPI:      failed(check.Report, "does not understand the request"),
		wolkvoxtest.ParamsMissing:  failed(check.Report, "does not understand the request"),
		wolkvoxtest.TokenMissing:   failed(check.Token, "the API saw no token (status 401)"),
		wolkvoxtest.TokenRejected:  failed(check.Token, "refuses the token: it is wrong, expired or of another operation (status 403)"),
		wolkvoxtest.TokenPadded:    failed(check.Token, "refuses the token"),
		wolkvoxtest.QuotaExceeded:  failed(check.Token, "requests of the day are spent (status 403)"),
		wolkvoxtest.TokenBusy:      failed(check.Token, "another program uses the same token at this moment (status 403)"),
		wolkvoxtest.Maintenance:    failed(check.Token, "switched off, most likely for maintenance (status 403)"),
		wolkvoxtest.ForbiddenPage:  failed(check.Token, "switched off"),
		wolkvoxtest.PageMissing:    failed(check.Report, "(status 404)"),
		wolkvoxtest.RateLimited:    failed(check.Report, "asks for fewer requests"),
		wolkvoxtest.RateLimitedAt:  failed(check.Report, "asks for fewer requests"),
		wolkvoxtest.ServerError:    failed(check.Report, "the API failed (status 500)"),
		wolkvoxtest.BadGateway:     failed(check.Report, "the API failed (status 502)"),
		wolkvoxtest.Unavailable:    failed(check.Report, "the API failed (status 503)"),
		wolkvoxtest.UnavailableFor: failed(check.Report, "the API failed (status 503)"),

		wolkvoxtest.CodeNoSuchAPI:     failed(check.Report, "does not understand the request"),
		wolkvoxtest.CodeParamsMissing: failed(check.Report, "does not understand the request"),
		wolkvoxtest.CodeTokenMissing:  failed(check.Token, "saw no token"),
		wolkvoxtest.CodeTokenRejected: failed(check.Token, "refuses the token"),
		wolkvoxtest.CodeQuotaExceeded: failed(check.Token, "are spent"),
		wolkvoxtest.CodeTokenBusy:     failed(check.Token, "another program"),
		wolkvoxtest.CodeMaintenance:   failed(check.Token, "switched off"),
		wolkvoxtest.CodeServerError:   failed(check.Report, "the API failed"),

		wolkvoxtest.LoginPage:     failed(check.Report, "not the expected JSON"),
		wolkvoxtest.EmptyBody:     failed(check.Report, "not the expected JSON"),
		wolkvoxtest.PHPFatal:      failed(check.Report, "not the expected JSON"),
		wolkvoxtest.Dropped:       failed(check.Report, "closed by the server"),
		wolkvoxtest.Hang:          failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.RedirectHost:  failed(check.Report, "refused a redirect"),
		wolkvoxtest.RedirectLogin: failed(check.Report, "not the expected JSON"),
		wolkvoxtest.RedirectLoop:  failed(check.Report, "refused a redirect to another host or scheme, or in a loop"),

		wolkvoxtest.SwitchingProtocols: failed(check.Report, "not the expected JSON (status 101)"),
		wolkvoxtest.DripInterim:        failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.DripHeader:         failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.DripBody:           failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.DripError:          failed(check.Report, "the API failed (status 500)"),
		wolkvoxtest.DripMissing:        failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.DripExtension:      failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.DripTrailer:        failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.DripGzip:           failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.ShortLength:        failed(check.Report, "not the expected JSON"),

		wolkvoxtest.PHPWarning:    failed(check.Report, "not the expected JSON"),
		wolkvoxtest.DataObject:    failed(check.Report, "not the expected JSON"),
		wolkvoxtest.SlowBody:      failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.CutBody:       failed(check.Report, ""),
		wolkvoxtest.CutConnection: failed(check.Report, ""),

		wolkvoxtest.BadRows:      {check.Fields, check.Look, "cannot be read"},
		wolkvoxtest.BadFields:    {check.Fields, check.Look, "channel has an object or an array"},
		wolkvoxtest.BadDates:     {check.Fields, check.Look, "start_date has digits, colons, slashes and spaces"},
		wolkvoxtest.BadDurations: {check.Fields, check.Look, "total_time has digits and colons, up to 8 characters"},
		wolkvoxtest.BadNumbers:   {check.Fields, check.Look, "customer_chars has digits and commas, up to 8 characters"},
		wolkvoxtest.LongConnID:   {check.Fields, check.Look, "conn_id has more than 64 KiB"},
	}
	for _, fault := range wolkvoxtest.AllFaults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			zone := noonZone()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: load(t, zone), HugeBody: 1 << 20, LongValue: 1 << 20, DeepRow: 1 << 10})
			defer server.Close()
			server.Add(endingSoon(0, 10, time.Now().Add(-2*time.Minute), time.Second)...)
			server.FailAlways(fault)
			have := checking(t, server.URL(), "--wolkvox.timezone="+zone, "--wolkvox.timeout=3s")
			if line, told := lines[fault]; told {
				have.has(line.id, line.status, line.text)
			} else if !have.OK {
				t.Errorf("have %+v, want no failure", have.Operations)
			}
			if n := asked(server); n == 0 || n > check.MaxRequests {
				t.Errorf("have %d requests, want %d at most", n, check.MaxRequests)
			}
			have.has(check.Connection, check.OK, "")
		})
	}
}

// Each indiscretion is told to one check after the other, in both formats.
func TestACheckKeepsPersonalDataAndTokenToItself(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"--json", "--no-json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			zone := noonZone()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: secretToken, Location: load(t, zone)})
			defer server.Close()
			for i := range 20 {
				server.Add(secretChat(i))
			}
			gossip := &gossip{good: server.Handler()}
			front := gossip.serve(t)
			l := launch{
				args: []string{"check", format, "--wolkvox.url=" + strings.Replace(front.URL, "://", "://user:"+secretPassword+"@", 1), "--wolkvox.timezone=" + zone, "--wolkvox.timeout=3s"},
				env:  []string{"WOLKVOX_TOKEN=" + secretToken},
			}
			all := ""
			for begin := false; !gossip.told(); begin = true {
				if begin {
					gossip.begin()
				}
				_, stdout, stderr := l.end(t)
				if found := leak(stdout + stderr); found != "" {
					t.Errorf("it prints %s", found)
				}
				all += stdout
			}
			// What was not seen could not leak.
			for _, want := range []string{"rows in the last hour", "asa has ", "end_date has ", "not the expected JSON", "switched off", "the API failed", "redirect", "the HTTP exchange broke"} {
				if !strings.Contains(all, want) {
					t.Errorf("no check has %q", want)
				}
			}
		})
	}
}
