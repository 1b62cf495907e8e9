package cli

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestAwait_EndsWithCommandOrAfterTimeout(t *testing.T) {
	for _, test := range []struct {
		name         string
		signal, ends time.Duration // since the start
		status       int
		ended        bool
		after        time.Duration
	}{
		{"a command that ends by itself", time.Hour, time.Minute, 7, true, time.Minute},
		{"one that ends at the signal", time.Minute, time.Minute + time.Second, 7, true, time.Minute + time.Second},
		{"one that is stuck", time.Minute, time.Hour, 0, false, time.Minute + shutdownTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), test.signal)
				defer cancel()
				status, ended := await(ctx, func() int { time.Sleep(test.ends); return 7 })
				if took := time.Since(began); status != test.status || ended != test.ended || took != test.after {
					t.Errorf("have status %d, ended %t after %s, want %d, %t after %s", status, ended, took, test.status, test.ended, test.after)
				}
				time.Sleep(test.ends) // Nothing may outlast the test.
			})
		})
	}
}

func TestTasks_NameNewestTasks(t *testing.T) {
	var busy tasks
	expect := func(want string) {
		t.Helper()
		if have := busy.String(); have != want {
			t.Errorf("have %q, want %q", have, want)
		}
	}
	expect("")
	endA := busy.begin("a")
	endB := busy.begin("b")
	endAgain := busy.begin("a")
	expect("a, b, a")
	endA()
	expect("a, b")
	endAgain()
	expect("b")
	busy.begin("c")
	busy.begin("d")
	expect("d, c, b")
	busy.begin("e")
	busy.begin("f")
	expect("f, e, d, 2 more")
	endB()
	expect("f, e, d, 1 more")
}
