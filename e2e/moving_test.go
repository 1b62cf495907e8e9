package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// movingRun is a time in which an exporter moves to other addresses, as the pod of a Deployment does.
type movingRun struct {
	t        *testing.T
	version  string
	server   *wolkvoxtest.Server
	exporter *exporter
	targets  string // file of the discovered targets
	pods     int
	address  string // of the current pod
	servers  []*movingServer
}

// movingServer is a Prometheus with some features. It scrapes the exporter as two jobs: service relabels the
// targets as examples/kubernetes does, and pods does not.
type movingServer struct {
	*prometheus
	features string
}

// wholeRun is the range from before the first move.
const wholeRun = "whole run"

var movingJobs = []string{"service", "pods"}

// discover makes the exporter's next start that of another pod, which Prometheus discovers at another address,
// with the labels that the operator adds.
func (r *movingRun) discover() {
	r.t.Helper()
	r.pods++
	r.address = r.exporter.newProxy("").target()
	text := fmt.Sprintf(`[{"targets": [%q], "labels": {
		"__meta_kubernetes_service_name": "wolkvox-exporter", "__meta_kubernetes_namespace": "shop",
		"namespace": "shop", "service": "wolkvox-exporter", "pod": "wolkvox-exporter-%d", "container": "wolkvox-exporter"
	}}]`, r.address, r.pods)
	// Prometheus reads the file at any time.
	written := r.targets + ".new"
	if err := errors.Join(os.WriteFile(written, []byte(text), 0o600), os.Rename(written, r.targets)); err != nil {
		r.t.Fatal(err)
	}
}

// isDown reports whether a job has the current pod as its only target, and could not scrape it.
func (s *movingServer) isDown(job, address string) bool {
	up := s.query(fmt.Sprintf("up{job=%q}", job), time.Now())
	return len(up) == 1 && up[0].Value.value == 0 && (job == "service" || up[0].Metric["instance"] == address)
}

// relabelings returns those of the ServiceMonitor, as Prometheus's configuration has them.
func relabelings(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../examples/kubernetes/servicemonitor.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var monitor struct {
		Spec struct {
			Endpoints []struct {
				Relabelings []map[string]any `yaml:"relabelings"`
			} `yaml:"endpoints"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal([]byte(strings.NewReplacer("sourceLabels:", "source_labels:", "targetLabel:", "target_label:").Replace(string(text))), &monitor); err != nil {
		t.Fatal(err)
	}
	config, err := yaml.Marshal(map[string]any{"relabel_configs": monitor.Spec.Endpoints[0].Relabelings})
	if err != nil || len(monitor.Spec.Endpoints[0].Relabelings) == 0 {
		t.Fatalf("have no relabelings: %v", err)
	}
	return strings.ReplaceAll(string(config), "\n", "\n    ")
}

// scrape starts a Prometheus. The Service is a proxy that leads to the current address.
func (r *movingRun) scrape(features string, lines ...string) {
	r.t.Helper()
	job := func(name string, lines ...string) string {
		return fmt.Sprintf("  - job_name: %s\n    file_sd_configs: [{files: [%q], refresh_interval: 1s}]\n    %s\n", name, r.targets, strings.Join(lines, "\n    "))
	}
	config := prometheusConfig(scrapeInterval,
		job("service", append(lines, "proxy_url: "+r.exporter.newProxy("").URL, relabelings(r.t))...),
		job("pods", lines...))
	var args []string
	if features != "" {
		args = append(args, "--enable-feature="+features)
	}
	r.servers = append(r.servers, &movingServer{startPrometheus(r.t, config, args...), features})
}

// awaitShown waits until each job shows all chats that have ended.
func (r *movingRun) awaitShown() {
	r.t.Helper()
	want := float64(r.server.Truth(time.Now()).Total.Interactions)
	for _, s := range r.servers {
		for _, job := range movingJobs {
			eventually(r.t, fmt.Sprintf("%v chats in %s with %q", want, job, s.features), func() bool {
				return s.number(fmt.Sprintf(`sum(wolkvox_chat_interactions_total{job=%q})`, job), time.Now()) == want
			})
		}
	}
}

// addChats adds chats of all groups that end now.
func (r *movingRun) addChats(first, n int) {
	chats := make([]wolkvoxtest.Chat, n)
	for i := range chats {
		chats[i] = allGroups[i%len(allGroups)].chat(first+i, time.Now().Add(-time.Second), i%3 == 0)
	}
	r.server.Add(chats...)
}

// move kills the exporter once all it has published is scraped, and starts it at another address, where it
// catches up.
func (r *movingRun) move(first int) (started time.Time) {
	r.t.Helper()
	r.awaitShown()
	r.exporter.kill()
	r.discover()
	r.addChats(first, 50)
	for _, s := range r.servers {
		for _, job := range movingJobs {
			eventually(r.t, "a failed scrape of the next address in "+job, func() bool { return s.isDown(job, r.address) })
		}
	}
	started = time.Now()
	r.exporter.start()
	eventually(r.t, "a poll", r.exporter.isPolled)
	r.addChats(first+50, 20)
	r.awaitShown()
	return started
}

// movingFigures has the total of a truth that each family shows.
var movingFigures = map[string]func(wolkvoxtest.Truth) float64{
	"wolkvox_chat_interactions_total":       func(t wolkvoxtest.Truth) float64 { return float64(t.Total.Interactions) },
	"wolkvox_chat_handoffs_total":           func(t wolkvoxtest.Truth) float64 { return float64(t.Total.Handoffs) },
	"wolkvox_chat_handle_time_seconds_sum":  func(t wolkvoxtest.Truth) float64 { return t.Total.HandleTime.Sum },
	"wolkvox_chat_duration_seconds_count":   func(t wolkvoxtest.Truth) float64 { return float64(t.Total.Duration.Count) },
	"wolkvox_agent_chats_total":             func(t wolkvoxtest.Truth) float64 { return float64(t.Total.Handoffs) },
	"wolkvox_agent_handle_time_seconds_sum": func(t wolkvoxtest.Truth) float64 { return t.Total.HandleTime.Sum },
}

// check compares the increase since a time with the truth.
func (r *movingRun) check(what string, since time.Time, before wolkvoxtest.Truth) {
	r.t.Helper()
	now := time.Now()
	after := r.server.Truth(now)
	for _, s := range r.servers {
		for _, job := range movingJobs {
			for name, total := range movingFigures {
				r.checkIncrease(s, job, name, what, since, now, total(after)-total(before))
			}
		}
	}
}

// checkIncrease compares one increase. increase() extrapolates by at most 1.1 times the average time between
// two samples at each end.
func (r *movingRun) checkIncrease(s *movingServer, job, name, what string, since, now time.Time, want float64) {
	r.t.Helper()
	selector := fmt.Sprintf("%s{job=%q}[%dms]", name, job, now.Sub(since).Milliseconds())
	samples := s.number("min(count_over_time("+selector+") > 1)", now)
	have, most := s.number("sum(increase("+selector+"))", now), want*(1+2*1.1/(samples-1))
	where := fmt.Sprintf("%s, %s with %q", what, job, s.features)
	switch {
	case job == "pods" && s.features != "" && what == wholeRun && strings.HasPrefix(name, "wolkvox_chat_"):
		// Prometheus adds the counts from before the second move again of label sets that were born in the range.
		if have < 1.2*want {
			r.t.Errorf("%s: %s: have an increase by %v of %v, want the limit in docs/scraping.md", where, name, have, want)
		}
	case !isBetween(want, have, most):
		r.t.Errorf("%s: %s: have an increase by %v with %v samples, want %v", where, name, have, samples, want)
	}
	if name == "wolkvox_chat_interactions_total" {
		r.t.Logf("Prometheus %s, %s: an increase by %.1f of %v chats", r.version, where, have, want)
	}
}

// An exporter that moves shows what it loaded before what it catches up on. So each chat is a rise in one
// series, whether that goes on after the move or is new.
func TestPrometheus_SeesChatsOfMovingExporter(t *testing.T) {
	t.Parallel()
	major, version := prometheusVersion(t)
	zone := noonZone()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: location, Limits: wolkvoxtest.Limits{RequestsPerDay: -1}})
	t.Cleanup(server.Close)
	server.Add(chatsBefore(time.Now().Add(-time.Minute))...)
	r := &movingRun{t: t, version: version, server: server, targets: filepath.Join(t.TempDir(), "targets.json")}
	r.exporter = newExporter(t, server, "one", zone, "--poll.interval=1s", "--poll.overlap=10m", "--poll.initial-window=10m",
		"--poll.reconcile-interval=0s", "--collector.zero-hold="+zeroHold, "--collector.agents")
	r.discover()
	eventually(t, "a first poll", r.exporter.isPolled)
	if major == 2 {
		r.scrape("")
	} else {
		lines := []string{"scrape_native_histograms: true", "always_scrape_classic_histograms: true"}
		r.scrape("", lines...)
		r.scrape("created-timestamp-zero-ingestion", lines...)
		r.scrape("st-storage,use-start-timestamps", lines...)
	}
	begin := time.Now()
	r.awaitShown()
	before := server.Truth(begin)

	for i := range 2 {
		moved := server.Truth(time.Now())
		started := r.move(10_000 * (i + 1))
		r.check("since the move", started, moved)
	}
	r.check(wholeRun, begin, before)
}
