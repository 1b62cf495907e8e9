package e2e

import (
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The demo also has names of routing points and agents, the quota and a reconcile, each
// within seconds.
var panelsDemo = []string{
	"demo", "--web.listen-address=127.0.0.1:0", "--storage.path=state", "--poll.interval=1s", "--poll.reconcile-interval=2s",
	"--collector.zero-hold=0s", "--collector.agent-names",
}

// notInDemo matches queries for what a minute of the demo may not have: days before, alerts, faults, resets, and more
// than one routing point with chats.
var notInDemo = regexp.MustCompile(`offset \d+[dw]|ALERTS|resets\(|topk\([2-9],|(> 0|== 1)$`)

func TestPanels_ShowDataOfDemo(t *testing.T) {
	t.Parallel()
	findProgram(t, "PROMETHEUS") // before the demo is started for nothing
	demo := startProcess(t, t.TempDir(), nil, programFile, panelsDemo...)
	p := startPrometheus(t, prometheusConfig("1s", scrapeJob("wolkvox", strings.TrimPrefix(demo.baseURL(), "http://"))))

	queries := slices.DeleteFunc(panelQueries(t), func(q panelQuery) bool { return notInDemo.MatchString(q.expr) })
	await(func() bool {
		queries = slices.DeleteFunc(queries, func(q panelQuery) bool { return hasData(t, p, q) })
		return len(queries) == 0
	})
	for _, q := range queries {
		t.Errorf("%s: no data for\n%s", q, q.expr)
	}
}

// hasData sends a query as Grafana does, and reports whether the result has a number.
func hasData(t *testing.T, p *prometheus, q panelQuery) bool {
	t.Helper()
	now := time.Now()
	path, parameters := "/api/v1/query", url.Values{"query": {q.expr}, "time": {seconds(now)}}
	if !q.instant {
		path = "/api/v1/query_range"
		parameters = url.Values{"query": {q.expr}, "start": {seconds(now.Add(-time.Minute))}, "end": {seconds(now)}, "step": {"5"}}
	}
	var answer struct{ Result []series }
	p.get(path, parameters, &answer)
	for _, s := range answer.Result {
		if s.Value != nil {
			s.Values = append(s.Values, *s.Value)
		}
		if slices.ContainsFunc(s.Values, func(have sample) bool { return !math.IsNaN(have.value) }) {
			return true
		}
	}
	return false
}
