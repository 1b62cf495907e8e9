package poller

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// resultsOfFaults holds the result of each fault, as in the table of docs/counting.md. A
// response with the result OK is not a failure: its chats are counted.
var resultsOfFaults = map[wolkvoxtest.Fault]wolkvox.Result{
	wolkvoxtest.NoSuchAPI:      wolkvox.BadRequest,
	wolkvoxtest.ParamsMissing:  wolkvox.BadRequest,
	wolkvoxtest.TokenMissing:   wolkvox.Unauthorized,
	wolkvoxtest.TokenRejected:  wolkvox.TokenRejected,
	wolkvoxtest.TokenPadded:    wolkvox.TokenRejected,
	wolkvoxtest.QuotaExceeded:  wolkvox.QuotaExceeded,
	wolkvoxtest.TokenBusy:      wolkvox.TokenBusy,
	wolkvoxtest.Maintenance:    wolkvox.Unavailable,
	wolkvoxtest.ForbiddenPage:  wolkvox.Unavailable,
	wolkvoxtest.PageMissing:    wolkvox.BadRequest,
	wolkvoxtest.RateLimited:    wolkvox.RateLimited,
	wolkvoxtest.RateLimitedAt:  wolkvox.RateLimited,
	wolkvoxtest.ServerError:    wolkvox.ServerError,
	wolkvoxtest.BadGateway:     wolkvox.ServerError,
	wolkvoxtest.Unavailable:    wolkvox.ServerError,
	wolkvoxtest.UnavailableFor: wolkvox.ServerError,

	wolkvoxtest.CodeNoSuchAPI:     wolkvox.BadRequest,
	wolkvoxtest.CodeParamsMissing: wolkvox.BadRequest,
	wolkvoxtest.CodeTokenMissing:  wolkvox.Unauthorized,
	wolkvoxtest.CodeTokenRejected: wolkvox.TokenRejected,
	wolkvoxtest.CodeQuotaExceeded: wolkvox.QuotaExceeded,
	wolkvoxtest.CodeTokenBusy:     wolkvox.TokenBusy,
	wolkvoxtest.CodeMaintenance:   wolkvox.Unavailable,
	wolkvoxtest.CodeServerError:   wolkvox.ServerError,

	wolkvoxtest.LoginPage:     wolkvox.Malformed,
	wolkvoxtest.EmptyBody:     wolkvox.Malformed,
	wolkvoxtest.PHPFatal:      wolkvox.Malformed,
	wolkvoxtest.Dropped:       wolkvox.Network,
	wolkvoxtest.Hang:          wolkvox.Timeout,
	wolkvoxtest.RedirectHost:  wolkvox.Redirected,
	wolkvoxtest.RedirectPath:  wolkvox.OK,
	wolkvoxtest.RedirectLogin: wolkvox.Malformed,
	wolkvoxtest.RedirectHTTP:  wolkvox.OK, // It was http before, too.
	wolkvoxtest.RedirectLoop:  wolkvox.Redirected,

	wolkvoxtest.SwitchingProtocols: wolkvox.Malformed,
	wolkvoxtest.DripInterim:        wolkvox.Timeout,
	wolkvoxtest.DripHeader:         wolkvox.Timeout,
	wolkvoxtest.DripBody:           wolkvox.Timeout,
	wolkvoxtest.DripError:          wolkvox.ServerError,
	wolkvoxtest.DripMissing:        wolkvox.Timeout,
	wolkvoxtest.DripExtension:      wolkvox.Timeout,
	wolkvoxtest.DripTrailer:        wolkvox.Timeout,
	wolkvoxtest.DripGzip:           wolkvox.Timeout,
	wolkvoxtest.ShortLength:        wolkvox.Malformed,

	wolkvoxtest.PHPWarning:    wolkvox.OK,
	wolkvoxtest.ByteOrderMark: wolkvox.OK,
	wolkvoxtest.PaddedMessage: wolkvox.OK,
	wolkvoxtest.UnknownFields: wolkvox.OK,
	wolkvoxtest.DataObject:    wolkvox.OK,
	wolkvoxtest.GzipUnasked:   wolkvox.OK,
	wolkvoxtest.SlowBody:      wolkvox.OK,
	wolkvoxtest.CutBody:       wolkvox.Malformed,
	wolkvoxtest.CutConnection: wolkvox.Network,
	wolkvoxtest.NoDate:        wolkvox.OK,
	wolkvoxtest.Unasked:       wolkvox.OK,
	wolkvoxtest.HugeBody:      wolkvox.OK, // as large as it is here
	wolkvoxtest.BadRows:       wolkvox.OK,
	wolkvoxtest.BadFields:     wolkvox.OK,
	wolkvoxtest.BadDates:      wolkvox.OK,
	wolkvoxtest.BadDurations:  wolkvox.OK,
	wolkvoxtest.BadNumbers:    wolkvox.OK,
	wolkvoxtest.LongValue:     wolkvox.OK,
	wolkvoxtest.LongConnID:    wolkvox.OK,
	wolkvoxtest.DeepRow:       wolkvox.OK,
}

// forEachFault runs a test in a bubble of its own for each fault. With -short it starts at
// the fault with that index, so that two tests can sample different faults.
func forEachFault(t *testing.T, first int, test func(*testing.T, wolkvoxtest.Fault, wolkvox.Result)) {
	t.Helper()
	for i, fault := range wolkvoxtest.AllFaults() {
		if !sampled(i - first) {
			continue
		}
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, fault, resultOfFault(t, fault)) })
		})
	}
}

func resultOfFault(t *testing.T, fault wolkvoxtest.Fault) wolkvox.Result {
	t.Helper()
	result, ok := resultsOfFaults[fault]
	if !ok {
		t.Fatalf("%v: have no result for it, want one in resultsOfFaults", fault)
	}
	return result
}

// faultRequests returns the number of requests during two hours of a fault: one a poll, and
// retries at its beginning. If a row may be the cause, other windows are requested too.
func faultRequests(fault wolkvoxtest.Fault, result wolkvox.Result) (least, most int) {
	const (
		polls  = 24
		probes = 2 + polls/probeInterval - 1
	)
	if fault == wolkvoxtest.RedirectLogin {
		return 2 * polls, 2 * (polls + probes) // net/http follows.
	}
	switch result {
	case wolkvox.Malformed:
		return polls, polls + probes
	case wolkvox.ServerError, wolkvox.Network, wolkvox.Timeout:
		return polls + maxQuickTries - 1, polls + maxQuickTries - 1 + probes
	case wolkvox.TokenBusy, wolkvox.RateLimited:
		return polls + maxQuickTries - 1, polls + maxQuickTries - 1
	case wolkvox.QuotaExceeded:
		return 4, 4
	default:
		return polls, polls
	}
}

func TestPoller_ShowsFaultAndCountsEveryChat(t *testing.T) {
	forEachFault(t, 0, func(t *testing.T, fault wolkvoxtest.Fault, result wolkvox.Result) {
		t.Helper()
		random := rand.New(rand.NewPCG(uint64(fault), 1))
		o := newOperation(t, wolkvoxtest.Config{Readings: soon(anyCombination(random).scenario().readings)}, fault)
		o.addChats(60, 3*time.Hour, random)
		o.run()
		o.pass(30 * time.Minute)
		o.wantStatus("before", true, wolkvox.OK)
		o.wantResults("before", wolkvox.OK)

		o.server.FailAlways(fault)
		before := o.requests()
		o.pass(10 * time.Minute)
		for range 10 {
			o.wantStatus("while it lasts", true, result)
			o.pass(11 * time.Minute)
		}
		o.wantResults("while it lasts", result)
		have := o.requests() - before
		least, most := faultRequests(fault, result)
		if result != wolkvox.OK && (have < least || have > most) {
			t.Errorf("requests in two hours of it: have %d, want %d to %d", have, least, most)
		}

		o.server.Recover()
		o.pass(settled)
		o.wantStatus("afterwards", true, wolkvox.OK)
		o.wantResults("afterwards", wolkvox.OK)
		o.wantTruth()
		if result == wolkvox.OK {
			o.wantLines(0, 0)
		} else {
			o.wantLines(1, 1)
		}
	})
}

func TestPoller_IsNotReadyBeforeFirstSuccess(t *testing.T) {
	forEachFault(t, 2, func(t *testing.T, fault wolkvoxtest.Fault, result wolkvox.Result) {
		t.Helper()
		random := rand.New(rand.NewPCG(uint64(fault), 2))
		o := newOperation(t, wolkvoxtest.Config{Readings: soon(anyCombination(random).scenario().readings)}, fault)
		o.server.FailAlways(fault)
		o.run()
		o.pass(20 * time.Minute)
		o.wantStatus("from the start on", result == wolkvox.OK, result)
		o.server.Recover()
		o.pass(35 * time.Minute)
		o.wantStatus("afterwards", true, wolkvox.OK)
		// A chat from before the first window that was read would not count.
		o.addChats(20, 10*time.Minute, random)
		o.pass(settled)
		o.wantTruth()
	})
}
