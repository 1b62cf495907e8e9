package e2e

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// Three operations, 51 routing points and 8 days. It takes minutes, and shows the slowest queries.
func TestDashboards_QueryTimes(t *testing.T) {
	if os.Getenv("TORTURE") == "" {
		t.Skip("a long test: set TORTURE=1")
	}
	dir := os.Getenv("QUERY_TIMES_DATA") // A folder is kept for another run.
	to := time.Now().Truncate(time.Hour)
	if dir == "" {
		dir = t.TempDir()
	}
	if info, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		to = info.ModTime().Truncate(time.Hour)
	} else {
		writeLargePast(t, dir, to)
	}
	p := startPrometheusIn(t, dir, "{}")
	type timed struct {
		what string
		took time.Duration
	}
	var all []timed
	for _, days := range []int{1, 7} {
		r := timeRange{from: to.AddDate(0, 0, -days), to: to, now: to}
		for _, d := range grafanaDashboards(t) {
			for _, panel := range d.visible() {
				for _, q := range d.queries(t, panel, d.defaults(t, r), r) {
					p.run(q) // Once before, to read the blocks into memory.
					begin := time.Now()
					p.run(q)
					all = append(all, timed{fmt.Sprintf("%dd %s", days, q.where), time.Since(begin)})
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b timed) int { return cmp.Compare(b.took, a.took) })
	for _, q := range all[:min(10, len(all))] {
		t.Logf("%5.2f s  %s", q.took.Seconds(), q.what)
	}
	if slowest := all[0].took; slowest > 2*time.Second {
		t.Errorf("the slowest query takes %s, want at most 2s", slowest)
	}
}

func writeLargePast(t *testing.T, dir string, to time.Time) {
	t.Helper()
	past := past{from: to.AddDate(0, 0, -8), to: to, step: 5 * time.Minute}
	chats, polls := goldenSamples(t, "../collector/testdata/metrics.txt"), goldenSamples(t, "../test/testdata/metrics.txt")
	past.addProcess(past.from, past.to)
	i := 0
	for o := range 3 {
		operation := fmt.Sprintf("wv%04d", 42+o)
		past.addOperation(polls, operation, past.from, past.to)
		for range 17 {
			i++
			id := fmt.Sprint(1100 + i)
			past.add("wolkvox_routing_point_info", constant(1), "operation", operation, "rp_id", id, "rp_name", routingPointName(i))
			for c, channel := range []string{"whatsapp", "web"} {
				past.addChats(chats, operation, id, channel, busyDay(past.from, 1/float64(i+c)))
			}
		}
	}
	past.write(t, dir)
}

// run runs a query as Grafana does.
func (p *prometheus) run(q grafanaQuery) []series {
	p.t.Helper()
	if q.instant {
		return p.query(q.expr, q.to)
	}
	var result struct {
		Result []series `json:"result"`
	}
	p.get("/api/v1/query_range", url.Values{
		"query": {q.expr}, "start": {seconds(q.from)}, "end": {seconds(q.to)}, "step": {fmt.Sprint(q.step.Seconds())},
	}, &result)
	return result.Result
}
