package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestServe_NoticesTimeZoneBehind(t *testing.T) {
	t.Parallel()
	const (
		zoneBehind    = "wolkvox_exporter_time_zone_behind_seconds"
		completeUntil = "wolkvox_exporter_complete_until_timestamp_seconds"
		warning       = "chats end in the future: is the time zone right?"
	)
	now := time.Now()
	actual, behind := noonZone(), fmt.Sprintf("Etc/GMT%+d", now.UTC().Hour()-11)
	for _, selectOn := range []wolkvoxtest.SelectOn{wolkvoxtest.Start, wolkvoxtest.End} {
		server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: loadZone(t, actual), Readings: wolkvoxtest.Readings{SelectOn: selectOn}})
		t.Cleanup(server.Close)
		server.Add(endingSoon(0, 20, now.Add(-30*time.Minute), 20*time.Minute)...)
		e := pollCommand(server, "--wolkvox.timezone="+behind, "--poll.interval=1s", "--storage.path=").start(t)
		have := e.await("a warning of the zone", func(s samples) bool {
			return s.sum(zoneBehind) > 0 && s.sum(completeUntil) > 0 && len(e.linesWith(warning)) > 0
		})
		if behind := have.sum(zoneBehind); behind != 3600 {
			t.Errorf("zone behind: have %v seconds, want an hour", behind)
		}
		age := time.Duration((float64(time.Now().UnixMilli())/1000 - have.sum(completeUntil)) * float64(time.Second))
		if age < time.Hour || age > time.Hour+time.Minute {
			t.Errorf("complete until: have %v ago, want an hour", age)
		}
		offset := "fits=UTC" + now.In(loadZone(t, actual)).Format("-07:00")
		if log := e.logged(); strings.Count(log, warning) != 1 || !strings.Contains(log, offset) {
			t.Errorf("want one line that names the offset:\n%s", log)
		}
	}

	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: loadZone(t, actual)})
	t.Cleanup(server.Close)
	server.Add(endingSoon(0, 20, now.Add(-30*time.Minute), 20*time.Minute)...)
	e := pollCommand(server, "--wolkvox.timezone="+actual, "--poll.interval=1s", "--storage.path=").start(t)
	have := e.await("a probe of the zone", func(s samples) bool { return len(s.of(zoneBehind)) > 0 })
	if have.sum(zoneBehind) != 0 || strings.Contains(e.logged(), warning) {
		t.Errorf("warned of a right zone:\n%s", e.logged())
	}
}
