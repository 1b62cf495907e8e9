package test

import (
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// A program that is killed at the worst moments, under the least handy readings
// of the API, shows at no time a chat more than there are, and in the end all.
func TestServe_CountsEachChatOnceThroughKills(t *testing.T) {
	t.Parallel()
	const chats = 1_000
	k := newKillTest(t, wolkvoxtest.Readings{
		SelectOn:  wolkvoxtest.Start,
		Ends:      wolkvoxtest.BothExclusive,
		ListOpen:  wolkvoxtest.DashEnd,
		BotConnID: wolkvoxtest.Dash,
		FillDelay: 2 * time.Second,
		Lateness:  showLate(3 * time.Second),
	}, 3*time.Second)
	k.startFirst()
	k.server.Add(endingSoon(0, chats, time.Now().Add(time.Second), 10*time.Second)...)
	watched := k.watch()

	for _, moment := range []struct {
		name  string
		await func()
	}{
		{"a slow response", k.awaitSlowResponse},
		{"a save", k.awaitSave},
		{"a response", k.awaitResponse},
		{"the sight of new figures", k.awaitMoreChats},
		{"a save that fails", k.failSave},
		{"catching up", func() { k.restartWithBacklog(200) }},
		{"a reconcile", k.awaitReconcile},
		{"the save after a restart", k.awaitSave},
	} {
		moment.await()
		k.kill()
		t.Logf("killed at %s", moment.name)
		k.start()
	}
	// The last one's rows are to add up: nothing is fetched before they are looked at.
	k.kill()
	k.server.FailAlways(wolkvoxtest.Maintenance)
	before := k.requestCount()
	k.start()
	rows := k.scrape().sum("wolkvox_exporter_records_total")
	k.server.Recover()

	have := k.wantAllChats(chats, watched)
	served := 0
	for _, request := range k.server.Requests()[before:] {
		served += request.Rows
	}
	if booked := have.sum("wolkvox_exporter_records_total") - rows; booked != float64(served) {
		t.Errorf("have %v rows booked since the last start, want the %d that were fetched", booked, served)
	}
}

// showLate has the report show every tenth chat that long after its end.
func showLate(d time.Duration) func(wolkvoxtest.Chat) time.Duration {
	return func(c wolkvoxtest.Chat) time.Duration { return time.Duration(c.Messages%10/9) * d }
}
