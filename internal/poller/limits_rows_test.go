package poller

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// These tests send some hundred thousand rows over HTTP. fetch_test.go has the same tests
// without HTTP.

func inTorture(t *testing.T) {
	t.Helper()
	if !torture {
		t.Skip("TORTURE is not set")
	}
	t.Parallel()
}

func TestPoller_CountsEveryChatOfTruncatedResponses(t *testing.T) {
	for _, cut := range []wolkvoxtest.Cut{wolkvoxtest.First, wolkvoxtest.Last} {
		for _, selectOn := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
			t.Run(fmt.Sprintf("cut %d, select on %d", cut, selectOn), func(t *testing.T) {
				inTorture(t)
				synctest.Test(t, func(t *testing.T) {
					o := newOperation(t, wolkvoxtest.Config{Readings: wolkvoxtest.Readings{Cut: cut, SelectOn: selectOn}})
					o.run()
					o.pass(2 * time.Minute)
					o.server.Add(chatsBetween(time.Now().Add(time.Minute), time.Now().Add(4*time.Minute), 150_000)...)
					before := o.requests()
					o.pass(5 * time.Minute)
					o.wantTruth()
					o.wantResults("with 150,000 chats", wolkvox.OK)
					s := o.poller.Snapshot().Status
					requests := o.requests() - before
					t.Logf("requests for 150,000 chats: %d, windows cut: %d", requests, s.TruncatedWindows)
					if s.TruncatedWindows == 0 || s.TruncatedSeconds != 0 || requests > 20 {
						t.Errorf("have %d windows and %d seconds cut in %d requests, want some, 0, at most 20", s.TruncatedWindows, s.TruncatedSeconds, requests)
					}
				})
			})
		}
	}
}

func TestPoller_CountsOtherChatsBesideOverfullSecond(t *testing.T) {
	for _, ends := range []wolkvoxtest.Ends{wolkvoxtest.BothInclusive, wolkvoxtest.StartInclusive, wolkvoxtest.BothExclusive} {
		for _, cut := range []wolkvoxtest.Cut{wolkvoxtest.First, wolkvoxtest.Last} {
			t.Run(fmt.Sprintf("ends %d, cut %d", ends, cut), func(t *testing.T) {
				inTorture(t)
				synctest.Test(t, func(t *testing.T) {
					o := newOperation(t, wolkvoxtest.Config{Readings: wolkvoxtest.Readings{Ends: ends, Cut: cut, SelectOn: wolkvoxtest.End}})
					o.options.Overlap = time.Minute // for less to send
					o.run()
					o.pass(2 * time.Minute)
					second := time.Now().Add(time.Minute).Truncate(time.Second)
					o.server.Add(chatsBetween(second, second, 70_000)...)
					for i := -60; i < 60; i++ {
						if i != 0 {
							o.server.Add(chatAt(100_000+i, second.Add(time.Duration(i)*time.Second), 0, "beside"))
						}
					}
					before := o.requests()
					o.pass(5 * time.Minute)
					want := o.truth()
					want["7 web interactions"] = wolkvox.MaxRows
					for _, name := range []string{"7 web interactions", "beside web interactions"} {
						if have := o.figures()[name]; have != want[name] {
							t.Errorf("%s: have %v, want %v", name, have, want[name])
						}
					}
					s := o.poller.Snapshot().Status
					requests := o.requests() - before
					t.Logf("requests for 70,000 chats in a second: %d", requests)
					if s.TruncatedSeconds == 0 || o.logged("chats there are missing") != 1 || requests > 50 {
						t.Errorf("have %d seconds cut, %d lines about it and %d requests, want some, 1 and at most 50", s.TruncatedSeconds, o.logged("chats there are missing"), requests)
					}
				})
			})
		}
	}
}

func TestPoller_SplitsWindowOfTooLargeBody(t *testing.T) {
	inTorture(t)
	synctest.Test(t, func(t *testing.T) {
		o := newOperation(t, wolkvoxtest.Config{HugeBody: 256 << 20})
		o.server.Add(chatsBetween(time.Now().Add(time.Second), time.Now().Add(time.Hour), 100)...)
		o.run()
		o.pass(30 * time.Minute)
		o.wantResults("before", wolkvox.OK)
		o.server.FailNext(wolkvoxtest.HugeBody)
		o.pass(5 * time.Minute)
		if !slices.Contains(o.results, wolkvox.TooLarge) || o.poller.Snapshot().Status.TruncatedWindows != 1 {
			t.Errorf("have results %v and %d windows cut, want %s among them and 1", o.results, o.poller.Snapshot().Status.TruncatedWindows, wolkvox.TooLarge)
		}
		o.pass(time.Hour)
		o.wantTruth()
		o.wantLines(0, 0)
	})
}
