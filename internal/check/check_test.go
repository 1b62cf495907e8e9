package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// sleepUntil sets the clock of a bubble.
func sleepUntil(t time.Time) { time.Sleep(time.Until(t)) }

var noon = time.Date(2026, 11, 18, 17, 0, 0, 0, time.UTC) // in Bogota

// ended is a wall clock's time so long before now.
func ended(zone *time.Location, ago time.Duration) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(time.Now().Add(-ago).In(zone))
}

func TestOperation_ReportsEachCheckOnceInOrder(t *testing.T) {
	failures := map[string]func(*fakeAPI){
		"nothing":       func(*fakeAPI) {},
		"no way at all": func(f *fakeAPI) { f.connect, f.failure = noConnection, always(&wolkvox.Error{Result: wolkvox.Network}) },
		"a token file":  func(f *fakeAPI) { f.failure = always(errors.New("reading the token file: no such file")) },
		"later hours":   func(f *fakeAPI) { f.failure = from(2, &wolkvox.Error{Result: wolkvox.BadRequest}) },
		"token_info":    func(f *fakeAPI) { f.infoErr = &wolkvox.Error{Result: wolkvox.ServerError} },
	}
	for _, result := range wolkvox.Results()[2:] {
		failures[string(result)] = func(f *fakeAPI) { f.failure = always(&wolkvox.Error{Result: result}) }
	}
	for name, fail := range failures {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sleepUntil(noon)
				api := newFakeAPI()
				fail(api)
				have := operation(t, api, "America/Bogota").Findings(t.Context())
				var ids []ID
				for _, f := range have {
					ids = append(ids, f.ID)
					if f.Text == "" || strings.Contains(f.Text, "%!") || f.Status == Failed && f.Advice == "" {
						t.Errorf("have %+v, want what was seen and what to do", f)
					}
				}
				if !slices.Equal(ids, operationIDs) {
					t.Errorf("have %v, want %v", ids, operationIDs)
				}
			})
		})
	}
}

func always(err error) func(int) error { return from(1, err) }

func from(first int, err error) func(int) error {
	return func(request int) error {
		if request < first {
			return nil
		}
		return err
	}
}

// Month ends and nights of clock change make more windows of the same hours.
func TestOperation_MakesAtMostMaxRequests(t *testing.T) {
	for _, zone := range []string{"America/Bogota", "Europe/Madrid", "America/Santiago", "Pacific/Kiritimati", "Etc/GMT+12"} {
		most := 0
		for hour := range 24 * 4 {
			// Around the end of October with its night of clock change in Madrid.
			when := time.Date(2026, 10, 24, 0, 30, 0, 0, time.UTC).Add(time.Duration(hour*3) * time.Hour)
			synctest.Test(t, func(t *testing.T) {
				sleepUntil(when)
				for _, chats := range []bool{false, true} {
					api := newFakeAPI()
					if chats {
						api.ends = []wolkvox.LocalTime{ended(load(t, zone), time.Minute)}
					}
					have := operation(t, api, zone).Findings(t.Context())
					if most = max(most, api.requests()); api.requests() > MaxRequests || api.tokenInfoRequests != 1 {
						t.Errorf("%s in %s: have %d requests, %d of them for the quota: %v", when, zone, api.requests(), api.tokenInfoRequests, api.windows)
					}
					if chats && !Passed(have) {
						t.Errorf("%s in %s: have %v", when, zone, have)
					}
				}
			})
		}
		if most < 3 {
			t.Errorf("%s: have %d requests at most, want the hours of other zones asked for", zone, most)
		}
	}
}

func TestOperation_StopsAfterFailedReport(t *testing.T) {
	for _, result := range wolkvox.Results()[2:] {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			api.failure = always(&wolkvox.Error{Result: result})
			have := operation(t, api, "America/Bogota").Findings(t.Context())
			if api.requests() != 1 || Passed(have) {
				t.Errorf("%s: have %d requests and %v, want one and a failure", result, api.requests(), have)
			}
		})
	}
}

// Which line a failed request is told in, and that each has advice of its own.
func TestOperation_DistinguishesRefusalsFromFailures(t *testing.T) {
	advice := map[string]wolkvox.Result{}
	for _, result := range wolkvox.Results()[2:] {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			failure := &wolkvox.Error{Result: result, Status: 403}
			api.failure = always(failure)
			findings := operation(t, api, "America/Bogota").Findings(t.Context())
			have := findFinding(t, findings, Report)
			switch result {
			case wolkvox.Unauthorized, wolkvox.TokenRejected, wolkvox.TokenBusy, wolkvox.QuotaExceeded, wolkvox.Unavailable:
				have = findFinding(t, findings, Token)
			default:
			}
			if have.Status != Failed || have.Text != failure.Error() {
				t.Errorf("%s: have %+v, want %q", result, have, failure)
			}
			if other, taken := advice[have.Advice]; taken {
				t.Errorf("%s and %s have the same advice: %s", result, other, have.Advice)
			}
			advice[have.Advice] = result
		})
	}
}

func TestClock_WarnsAboveOneMinute(t *testing.T) {
	for _, test := range []struct {
		ahead  time.Duration
		status Status
		text   string
	}{
		{900 * time.Millisecond, OK, "this machine's clock and the API's are less than a second apart"},
		{-40 * time.Second, OK, "this machine's clock is 40s ahead of the API's"},
		{3 * time.Minute, Warning, "this machine's clock is 3m behind the API's"},
		{-23 * time.Hour, Warning, "this machine's clock is 23h ahead of the API's"},
		{25 * time.Hour, Failed, "this machine's clock is 25h behind the API's"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			api.ahead = &test.ahead
			// The chats are by the API's clock.
			zone := load(t, "America/Bogota")
			api.ends = []wolkvox.LocalTime{ended(zone, time.Minute-test.ahead)}
			findings := operation(t, api, zone.String()).Findings(t.Context())
			if have := findFinding(t, findings, Clock); have.Status != test.status || have.Text != test.text {
				t.Errorf("%s: have %+v, want %s: %s", test.ahead, have, test.status, test.text)
			}
			if have := findFinding(t, findings, TimeZone); have.Status != OK {
				t.Errorf("%s: have %+v, want a zone that is right", test.ahead, have)
			}
		})
	}
}

func TestClock_IsSkippedWithoutDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(noon)
		api := newFakeAPI()
		api.ahead = nil
		if have := findFinding(t, operation(t, api, "America/Bogota").Findings(t.Context()), Clock); have.Status != Skipped {
			t.Errorf("have %+v", have)
		}
	})
}

func TestQuota_MustCoverPolling(t *testing.T) {
	for _, test := range []struct {
		used, limit *float64
		err         error
		status      Status
		text        string
	}{
		{new(120.0), new(1000.0), nil, OK, "880 of today's 1000 requests are left; the exporter makes 366 in a day"},
		{new(950.0), new(1000.0), nil, Warning, "50 of today's 1000 requests are left; the exporter makes 366 in a day"},
		{new(10.0), new(300.0), nil, Failed, "300 requests in a day, but the exporter makes 366"},
		{nil, new(1000.0), nil, OK, "1000 requests in a day; the exporter makes 366"},
		{new(10.0), nil, nil, Warning, "the API does not report the day's limit"},
		{nil, nil, &wolkvox.Error{Result: wolkvox.ServerError, Status: 500}, Warning, "could not be read: the API failed (status 500)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			api.info, api.infoErr = wolkvox.TokenInfo{Used: test.used, Limit: test.limit}, test.err
			if have := findFinding(t, operation(t, api, "America/Bogota").Findings(t.Context()), Quota); have.Status != test.status || have.Text != test.text {
				t.Errorf("have %+v, want %s: %s", have, test.status, test.text)
			}
		})
	}
}

func TestReport_WarnsWithoutChats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sleepUntil(noon)
		have := operation(t, newFakeAPI(), "America/Bogota").Findings(t.Context())
		if !Passed(have) {
			t.Errorf("have %v", have)
		}
		if report := findFinding(t, have, Report); report.Status != Warning || report.Text != "no chat in the last hour" {
			t.Errorf("have %+v", report)
		}
	})
}

func TestReport_FailsIfNoRowIsReadable(t *testing.T) {
	for _, test := range []struct {
		good, bad int
		status    Status
		text      string
	}{
		{2, 0, OK, "2 rows in the last hour"},
		{1, 2, OK, "3 rows in the last hour"},
		{0, 2, Failed, "2 rows in the last hour, all unreadable"},
		{wolkvox.MaxRows, 0, Warning, "60000 rows in the last hour, the most that a response holds"},
	} {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			api.bad = test.bad
			api.ends = slices.Repeat([]wolkvox.LocalTime{ended(load(t, "America/Bogota"), time.Minute)}, test.good)
			if have := findFinding(t, operation(t, api, "America/Bogota").Findings(t.Context()), Report); have.Status != test.status || have.Text != test.text {
				t.Errorf("have %+v, want %s: %s", have, test.status, test.text)
			}
		})
	}
}

func TestFields_ReportFieldAndMask(t *testing.T) {
	c := operationCheck{Operation: &Operation{Malformed: MaskCounts{}}}
	c.checkFields(0, 0, 0)
	c.checkFields(1, 0, allKeys())
	for range 3 {
		c.Malformed.Add("total_time", "99a")
	}
	c.Malformed.Add("asa", "a")
	c.checkFields(7, 1, allKeys())
	for i := range 30 {
		c.Malformed.Add(fmt.Sprint("field", i), "9")
	}
	c.checkFields(7, 0, 0)
	want := []string{
		"skipped: no rows",
		"every field of 1 row can be read",
		"1 row of 7 cannot be read; asa cannot be read: a (1×); total_time cannot be read: 99a (3×)",
	}
	for i, f := range c.findings[:len(want)] {
		if f.Text != want[i] {
			t.Errorf("have %q, want %q", f.Text, want[i])
		}
	}
	if last := c.findings[3].Text; !strings.HasSuffix(last, "; and 12 more") {
		t.Errorf("have %q, want a list that ends", last)
	}
}

func TestFields_ReportEffectOfMissingKey(t *testing.T) {
	for _, key := range wolkvox.Keys() {
		if missingKeyEffects[key] == "" {
			t.Errorf("nothing is said of %s", key)
		}
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			api.ends = []wolkvox.LocalTime{ended(load(t, "America/Bogota"), time.Minute)}
			api.missing = 1 << key
			o := operation(t, api, "America/Bogota")
			findings := o.Findings(t.Context())
			if have, want := findFinding(t, findings, Fields), fmt.Sprintf("no row has the key %s: %s", key, missingKeyEffects[key]); have.Status != Failed || have.Text != want || Passed(findings) {
				t.Errorf("have %+v, want %q", have, want)
			}
			o.UnusedKeys = []wolkvox.Field{key}
			if have := findFinding(t, o.Findings(t.Context()), Fields); have.Status != OK {
				t.Errorf("unread: have %+v", have)
			}
		})
	}
	// A row that is not an object has no keys.
	c := operationCheck{Operation: &Operation{Malformed: MaskCounts{}}}
	c.checkFields(3, 3, 0)
	if have := c.findings[0]; have.Status != Warning {
		t.Errorf("have %+v", have)
	}
}

func TestReport_WarnsWithoutBotOnlyChats(t *testing.T) {
	for _, test := range []struct {
		chats  int
		botToo bool
		status Status
	}{{19, false, OK}, {20, false, Warning}, {20, true, OK}, {2000, true, OK}} {
		synctest.Test(t, func(t *testing.T) {
			sleepUntil(noon)
			api := newFakeAPI()
			api.botToo = test.botToo
			api.ends = slices.Repeat([]wolkvox.LocalTime{ended(load(t, "America/Bogota"), time.Minute)}, test.chats)
			findings := operation(t, api, "America/Bogota").Findings(t.Context())
			have := findFinding(t, findings, Report)
			if have.Status != test.status || strings.Contains(have.Text, "there is no handoff rate") != (test.status == Warning) || !Passed(findings) {
				t.Errorf("%+v: have %+v", test, have)
			}
		})
	}
}

// A proxy can answer with an empty report, too.
func TestToken_IsProvenByRowsOrNumbers(t *testing.T) {
	figures := wolkvox.TokenInfo{Used: new(1.0)}
	for name, test := range map[string]struct {
		chats, bad int
		info       wolkvox.TokenInfo
		err        error
		status     Status
		text       string
	}{
		"chats":               {1, 0, wolkvox.TokenInfo{}, &wolkvox.Error{Result: wolkvox.ServerError}, OK, "accepted"},
		"figures":             {0, 0, figures, nil, OK, "accepted"},
		"neither":             {0, 0, wolkvox.TokenInfo{}, nil, Warning, "not proven: the report has no chat, and token_info has no numbers"},
		"rows of nothing":     {0, 2, wolkvox.TokenInfo{}, nil, Warning, "not proven"},
		"a foreign 404":       {0, 0, wolkvox.TokenInfo{}, &wolkvox.Error{Result: wolkvox.BadRequest, Status: 404}, Warning, "token_info failed: the API does not understand the request: check server and URL (status 404)"},
		"refused by the info": {0, 0, wolkvox.TokenInfo{}, &wolkvox.Error{Result: wolkvox.TokenRejected, Status: 403}, Failed, "refuses the token"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sleepUntil(noon)
				api := newFakeAPI()
				api.bad, api.info, api.infoErr = test.bad, test.info, test.err
				api.ends = slices.Repeat([]wolkvox.LocalTime{ended(load(t, "America/Bogota"), time.Minute)}, test.chats)
				have := findFinding(t, operation(t, api, "America/Bogota").Findings(t.Context()), Token)
				if have.Status != test.status || !strings.Contains(have.Text, test.text) {
					t.Errorf("have %+v, want %s: %s", have, test.status, test.text)
				}
			})
		})
	}
}
