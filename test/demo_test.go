package test

import (
	"syscall"
	"testing"
	"time"
)

func TestDemo_LeavesNoFiles(t *testing.T) {
	t.Parallel()
	// By default, the first poll reads two days, which takes the race detector most of a minute.
	e := invocation{args: []string{"demo", "--web.listen-address=127.0.0.1:0", "--poll.reconcile-window=1h"}}.start(t)
	var first samples
	eventually(t, "figures of all that the demo is to show", func() bool {
		first = e.scrape()
		for _, name := range []string{
			"wolkvox_chat_handoffs_total", "wolkvox_chat_speed_of_answer_seconds_count", "wolkvox_chat_speed_of_answer_seconds_sum",
			"wolkvox_chat_handle_time_seconds_count", "wolkvox_chat_handle_time_seconds_sum",
			"wolkvox_routing_point_info", "wolkvox_api_token_requests_used",
		} {
			if first.sum(name) == 0 {
				return false
			}
		}
		return true
	})
	pollUntil(t, 2*time.Minute, 100*time.Millisecond, "more chats", func() bool {
		have := e.scrape()
		if wrong := scrapeErrors(first, have, have.chats()); wrong != "" {
			t.Fatalf("the demo takes back:\n%s", wrong)
		}
		return have.sum("wolkvox_chat_interactions_total") > first.sum("wolkvox_chat_interactions_total")
	})
	if have := e.scrape(); !up(have) || have.sum("wolkvox_chat_interactions_total") < have.sum("wolkvox_chat_handoffs_total") {
		t.Errorf("have up %v, %v interactions and %v handoffs", up(have), have.sum("wolkvox_chat_interactions_total"), have.sum("wolkvox_chat_handoffs_total"))
	}
	if status := e.stop(syscall.SIGTERM); status != 0 {
		t.Errorf("have exit status %d, want 0", status)
	}
	wantEmptyDir(t, e.dir)
}
