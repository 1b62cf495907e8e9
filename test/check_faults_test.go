package test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/check"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// lines has the finding for each fault. The faults that are not listed fail no request.
func TestCheck_NamesEachFault(t *testing.T) {
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
		wolkvoxtest.SlowBody:           failed(check.Report, "no complete response within the time limit"),
		wolkvoxtest.CutBody:            failed(check.Report, ""),
		wolkvoxtest.CutConnection:      failed(check.Report, ""),

		wolkvoxtest.BadRows:      {check.Fields, check.Warning, "cannot be read"},
		wolkvoxtest.BadFields:    {check.Fields, check.Warning, "channel cannot be read: "},
		wolkvoxtest.BadDates:     {check.Fields, check.Warning, "start_date cannot be read: 9"},
		wolkvoxtest.BadDurations: {check.Fields, check.Warning, "total_time cannot be read: 99:"},
		wolkvoxtest.BadNumbers:   {check.Fields, check.Warning, "customer_chars cannot be read: 9"},
		wolkvoxtest.LongConnID:   {check.Fields, check.Warning, "conn_id cannot be read: more than 64 KiB"},
	}
	for _, fault := range wolkvoxtest.AllFaults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			zone := noonZone()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: loadZone(t, zone), HugeBody: 1 << 20, LongValue: 1 << 20, DeepRow: 1 << 10})
			defer server.Close()
			server.Add(endingSoon(0, 10, time.Now().Add(-2*time.Minute), time.Second)...)
			server.FailAlways(fault)
			have := runCheck(t, server.URL(), "--wolkvox.timezone="+zone, "--wolkvox.timeout=3s")
			if line, ok := lines[fault]; ok {
				have.wantFinding(line.id, line.status, line.text)
			} else if !have.OK {
				t.Errorf("have %+v, want no failure", have.Operations)
			}
			if n := countAPIRequests(server); n == 0 || n > check.MaxRequests {
				t.Errorf("have %d requests, want %d at most", n, check.MaxRequests)
			}
			have.wantFinding(check.Connection, check.OK, "")
		})
	}
}

// Each check gets another leaky response, in both formats.
func TestCheck_ShowsNoPersonalDataOrToken(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"--json", "--no-json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			zone := noonZone()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: secretToken, Location: loadZone(t, zone)})
			defer server.Close()
			for i := range 20 {
				server.Add(secretChat(i))
			}
			leaky := &leakyServer{valid: server.Handler()}
			front := leaky.serve(t)
			l := invocation{
				args: []string{"check", format, "--wolkvox.url=" + strings.Replace(front.URL, "://", "://user:"+secretPassword+"@", 1), "--wolkvox.timezone=" + zone, "--wolkvox.timeout=3s"},
				env:  []string{"WOLKVOX_TOKEN=" + secretToken},
			}
			all := ""
			for begin := false; !leaky.isDone(); begin = true {
				if begin {
					leaky.startLeaking()
				}
				_, stdout, stderr := l.runToEnd(t)
				if found := findSecret(stdout + stderr); found != "" {
					t.Errorf("it prints %s", found)
				}
				all += stdout
			}
			// A response that was not read could not leak.
			for _, want := range []string{"rows in the last hour", "asa cannot be read: ", "end_date cannot be read: ", "not the expected JSON", "switched off", "the API failed", "redirect", "the HTTP exchange broke"} {
				if !strings.Contains(all, want) {
					t.Errorf("no check has %q", want)
				}
			}
		})
	}
}

// newChangedServer forwards to server and changes the report of chats.
func newChangedServer(t *testing.T, server *wolkvoxtest.Server, change func(report string) (status int, changed string)) string {
	t.Helper()
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		answer := httptest.NewRecorder()
		server.Handler().ServeHTTP(answer, r)
		status, body := answer.Code, answer.Body.String()
		if r.URL.Query().Get("api") == "chat_8" {
			status, body = change(body)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(front.Close)
	return front.URL
}

func TestCheck_ReportThatIsNotAsDocumented(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	_, offset := time.Now().In(loadZone(t, zone)).Zone()
	for name, test := range map[string]struct {
		change func(string) (int, string)
		id     check.ID
		status check.Status
		text   string
	}{
		"a renamed key": {
			func(report string) (int, string) {
				return 200, strings.ReplaceAll(report, `"asa":`, `"first_response_time":`)
			}, check.Fields, check.Failed, "no row has the key asa: wolkvox_chat_speed_of_answer_seconds is not counted",
		},
		"a renamed end": {
			func(report string) (int, string) {
				return 200, strings.ReplaceAll(report, `"end_date":`, `"date_close":`)
			},
			check.Fields, check.Failed, "no row has the key end_date: no chat is counted",
		},
		"keys in capitals": {
			func(report string) (int, string) { return 200, strings.ReplaceAll(report, `"asa":`, `" ASA ":`) },
			check.Fields, check.OK, "every field of 30 rows can be read",
		},
		"an agent's key": {
			func(report string) (int, string) {
				return 200, strings.NewReplacer(`"agent_id":`, `"agent":`, `"agent_name":`, `"name":`).Replace(report)
			}, check.Fields, check.OK, "every field of 30 rows can be read",
		},
		"a foreign 404": {
			func(string) (int, string) { return 404, `{"message":"no Route matched with those values"}` },
			check.Report, check.Failed, "(status 404): the answer is not the API's",
		},
		"a gateway's JSON": {
			func(string) (int, string) { return 200, `{"message":"no Route matched with those values"}` },
			check.Report, check.Failed, "no envelope of the API's",
		},
		"an empty body": {
			func(string) (int, string) { return 200, "" }, check.Report, check.Failed, "the body is empty",
		},
		"only handoffs": {
			func(report string) (int, string) {
				return 200, strings.ReplaceAll(report, `"go_to_agent":"no"`, `"go_to_agent":"yes"`)
			}, check.Report, check.Warning, "there is no handoff rate",
		},
		"instants": {
			func(report string) (int, string) {
				return 200, regexp.MustCompile(`-\d\d \d\d:\d\d:\d\d"`).ReplaceAllStringFunc(report, func(date string) string {
					return date[:len(date)-1] + time.Now().In(time.FixedZone("", offset)).Format("-07:00") + `"`
				})
			}, check.TimeZone, check.OK, "ended 2m ago",
		},
		"instants of Greenwich": {
			func(report string) (int, string) {
				return 200, regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`).ReplaceAllStringFunc(report, func(date string) string {
					local, err := time.Parse(time.DateTime, date)
					if err != nil {
						return date
					}
					return local.Add(-time.Duration(offset) * time.Second).Format("2006-01-02T15:04:05.000Z")
				})
			}, check.TimeZone, check.OK, "ended 2m ago",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: loadZone(t, zone)})
			defer server.Close()
			server.Add(endingSoon(0, 30, time.Now().Add(-2*time.Minute), 0)...)
			have := runCheck(t, newChangedServer(t, server, test.change), "--wolkvox.timezone="+zone)
			have.wantFinding(test.id, test.status, test.text)
			if have.OK != (test.status != check.Failed) {
				t.Errorf("have %+v", have.Operations)
			}
		})
	}
}

// A report without chats does not prove the token.
func TestCheck_TokenIsProvenByTokenInfo(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"code":200,"error":null,"msg":"","data":[]}`)
	}))
	defer proxy.Close()
	runCheck(t, proxy.URL).wantFinding(check.Token, check.Warning, "not proven")
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	runCheck(t, server.URL()).wantFinding(check.Token, check.OK, "accepted")
}
