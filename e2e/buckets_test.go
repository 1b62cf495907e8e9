package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// TestServiceLevel_StaysCorrectAfterReloadOfBuckets reloads a configuration whose bounds have neither 30 nor
// 60. All chats are answered within 60 seconds, and half of them within 20, before and after.
func TestServiceLevel_StaysCorrectAfterReloadOfBuckets(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: location, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	defer server.Close()
	chats := 0
	answer := func() {
		soon, late := busy.chat(chats, time.Now(), true), busy.chat(chats+1, time.Now(), true)
		soon.Answer, late.Answer = 15*time.Second, 55*time.Second
		server.Add(soon, late)
		chats += 2
	}

	dir := t.TempDir()
	configure := func(buckets string) {
		t.Helper()
		text := fmt.Sprintf("operations: [{name: sales, url: %q, token: token, time_zone: %s, buckets: {%s}}]\n", server.URL(), zone, buckets)
		if err := os.WriteFile(filepath.Join(dir, "wolkvox.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	configure("")
	e := startProcess(t, dir, nil, programFile, "--config.file=wolkvox.yml", "--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle",
		"--storage.path=state", "--poll.interval=1s", "--poll.overlap=10s", "--poll.reconcile-interval=0s", "--collector.zero-hold=1s")
	eventually(t, "a first poll", func() bool { return e.answers("/-/ready") })
	rules, err := filepath.Abs("../rules")
	if err != nil {
		t.Fatal(err)
	}
	p := startPrometheus(t, prometheusConfig("200ms", scrapeJob("wolkvox", e.baseURL()[len("http://"):]))+"rule_files: ["+rules+"/*s.yml]\n")

	eventually(t, "a scrape", func() bool { return p.number(`up{job="wolkvox"}`, time.Now()) == 1 })

	answered := func(least float64) func() bool {
		return func() bool {
			answer()
			return p.number("sum(wolkvox_chat_speed_of_answer_seconds_count)", time.Now()) >= least
		}
	}
	const level = `operation_rp_id_within:wolkvox_chat_service_level:ratio_rate1h`
	eventually(t, "answered chats", answered(40))
	eventually(t, "a service level", func() bool { return p.number("count("+level+")", time.Now()) == 3 })

	configure("speed_of_answer_seconds: [10, 20, 80, 300]")
	response, err := client.Post(e.baseURL()+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("have status %d of the reload, want 200", response.StatusCode)
	}
	eventually(t, "the new bounds", func() bool {
		return p.number(`count(wolkvox_chat_speed_of_answer_seconds_bucket{le=~"80(\\.0)?"})`, time.Now()) == 1
	})
	before := p.number("sum(wolkvox_chat_speed_of_answer_seconds_count)", time.Now())
	eventually(t, "answered chats after the reload", answered(before+40))
	recorded := p.number("sum(wolkvox_chat_speed_of_answer_seconds_count)", time.Now())
	eventually(t, "a service level of them", func() bool {
		return p.number("sum(operation_rp_id:wolkvox_chat_speed_of_answer_seconds_count:increase1h)", time.Now()) >= recorded
	})

	now := time.Now()
	for within, want := range map[string]struct{ least, most float64 }{
		"20": {0.4, 0.6}, // a poll may see one chat of two
		"30": {0.4, 0.6},
		"60": {1, 1},
	} {
		for _, reached := range []string{"min", "max"} {
			query := fmt.Sprintf("%s_over_time(%s{within=%q}[5m])", reached, level, within)
			if have := p.number(query, now); !isBetween(want.least, have, want.most) {
				t.Errorf("%s: have %v, want %v to %v", query, have, want.least, want.most)
			}
		}
	}
	if have := p.number(`sum(resets(wolkvox_chat_speed_of_answer_seconds_bucket[5m])) + sum(resets(wolkvox_chat_speed_of_answer_seconds_count[5m]))`, now); have != 0 {
		t.Errorf("have %v series that fell, want none", have)
	}
	if have := p.number(`count(ALERTS{alertname="WolkvoxServiceLevelBurn"})`, now); have != 0 {
		t.Errorf("have %v alerts pending or firing, want none", have)
	}
}
