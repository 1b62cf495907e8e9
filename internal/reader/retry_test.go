package reader

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func newCycle() *Cycle {
	now := time.Now()
	return New(&fakeReport{}, options()).NewCycle(now, now, nil)
}

func TestCycle_DecidesAfterEachFailure(t *testing.T) {
	const pause = 700 * time.Millisecond
	window := wolkvox.Window{From: 1000, To: 1600}
	type test struct {
		err   error
		tries int
		want  decision
	}
	tests := map[string]test{
		"body broken, four tries":   {&wolkvox.Error{Result: wolkvox.Network, Status: 200}, 4, decision{narrowWindow, pause}},
		"body too slow, four tries": {&wolkvox.Error{Result: wolkvox.Timeout, Status: 200}, 4, decision{action: narrowWindow}},
		"network":                   {failing(wolkvox.Network), 1, decision{retry, pause}},
		"timeout":                   {failing(wolkvox.Timeout), 3, decision{action: splitWindow}},
		"timeout, four tries":       {failing(wolkvox.Timeout), 4, decision{}},
		"cut":                       {errTruncated, 4, decision{action: splitWindow}},
		"too large":                 {failing(wolkvox.TooLarge), 4, decision{action: splitWindow}},
		"server error":              {failing(wolkvox.ServerError), 1, decision{retry, pause}},
		"server error, four tries":  {failing(wolkvox.ServerError), 4, decision{narrowWindow, pause}},
		"503 with Retry-After":      {&wolkvox.Error{Result: wolkvox.ServerError, RetryAfter: 9 * time.Second}, 1, decision{retry, 9 * time.Second}},
		"503 with a long one":       {&wolkvox.Error{Result: wolkvox.ServerError, RetryAfter: time.Hour}, 1, decision{wait: time.Hour}},
		"429":                       {failing(wolkvox.RateLimited), 1, decision{}},
		"429 with Retry-After":      {&wolkvox.Error{Result: wolkvox.RateLimited, RetryAfter: 9 * time.Second}, 1, decision{retry, 9 * time.Second}},
		"token busy":                {failing(wolkvox.TokenBusy), 1, decision{retry, tokenBusyWait + pause}},
		"maintenance":               {failing(wolkvox.Unavailable), 1, decision{}},
		"no token":                  {failing(wolkvox.Unauthorized), 1, decision{}},
		"token refused":             {failing(wolkvox.TokenRejected), 1, decision{}},
		"malformed":                 {failing(wolkvox.Malformed), 1, decision{action: narrowWindow}},
		"bad request":               {failing(wolkvox.BadRequest), 1, decision{}},
		"redirected":                {failing(wolkvox.Redirected), 1, decision{}},
		"token file unreadable":     {errors.New("no such file"), 1, decision{}},
		// A bubble begins at 19:00 in Bogota.
		"quota": {failing(wolkvox.QuotaExceeded), 1, decision{wait: quotaProbeInterval}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCycle()
				c.failedInRow = tt.tries
				if have := c.decide(tt.err, window, pause); have != tt.want {
					t.Errorf("have %+v, want %+v", have, tt.want)
				}
			})
		})
	}
}

func TestCycle_TriesSpentQuotaAgainAtMidnight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(4*time.Hour + 50*time.Minute)
		c := newCycle()
		have := c.decide(failing(wolkvox.QuotaExceeded), wolkvox.Window{}, 0)
		if want := (decision{wait: 10 * time.Minute}); have != want {
			t.Errorf("ten minutes before midnight: have %+v, want %+v", have, want)
		}
	})
}
