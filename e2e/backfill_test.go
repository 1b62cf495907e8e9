package e2e

import (
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// pastChats returns chats that end every 40 seconds; in one of ten hours half as often.
func pastChats(from, to time.Time) (chats []wolkvoxtest.Chat) {
	for i := 0; from.Before(to); i++ {
		from = from.Add(40 * time.Second)
		if from.Hour()%10 == 0 {
			from = from.Add(40 * time.Second)
		}
		chats = append(chats, firstGroups[i%len(firstGroups)].chat(i, from, i%3 == 0))
	}
	return chats
}

// runBackfill writes a backfill's samples into a file in dir.
func runBackfill(t *testing.T, dir string, server *wolkvoxtest.Server, from, to time.Time, args ...string) (output string) {
	t.Helper()
	output = filepath.Join(dir, "chats.om")
	cmd := exec.Command(programFile, append([]string{
		"backfill", "--wolkvox.url=" + server.URL(), "--wolkvox.server=0042", "--wolkvox.timezone=UTC",
		"--from=" + from.Format(time.RFC3339), "--to=" + to.Format(time.RFC3339), "--output=" + output,
	}, args...)...)
	cmd.Env = append(os.Environ(), "WOLKVOX_TOKEN=backfill")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return output
}

// importBlocks imports samples as blocks into the data folder in dir.
func importBlocks(t *testing.T, dir, output string, args ...string) {
	t.Helper()
	args = append([]string{"tsdb", "create-blocks-from", "openmetrics", output, filepath.Join(dir, "data")}, args...)
	if out, err := exec.Command(findProgram(t, "PROMTOOL"), args...).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
}

// startPrometheusIn runs Prometheus on the data folder in dir.
func startPrometheusIn(t *testing.T, dir, config string) *prometheus {
	t.Helper()
	p := &prometheus{startProcess(t, dir, nil, findProgram(t, "PROMETHEUS"),
		"--config.file="+writeFile(t, "prometheus.yml", config), "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0")}
	eventually(t, "Prometheus being ready", func() bool { return p.answers("/-/ready") })
	return p
}

// fillRules writes the recording rules of a past time into the data folder in dir, as docs/backfill.md
// describes, and returns a Prometheus with them.
func fillRules(t *testing.T, dir string, p *prometheus, from, to time.Time) *prometheus {
	t.Helper()
	args := []string{
		"tsdb", "create-blocks-from", "rules",
		"--start=" + from.Format(time.RFC3339), "--end=" + to.Format(time.RFC3339), "--eval-interval=5m", "--url=" + p.baseURL(),
		"--output-dir=" + filepath.Join(dir, "data"), "../rules/wolkvox.rules.yml", "../rules/wolkvox.days.rules.yml",
	}
	if out, err := exec.CommandContext(t.Context(), findProgram(t, "PROMTOOL"), args...).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	p.kill()
	return startPrometheusIn(t, dir, "{}")
}

// parseStrictly parses a file with Prometheus's parser of OpenMetrics, and returns the
// number of samples.
func parseStrictly(t *testing.T, path string) (samples int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	parser := textparse.NewOpenMetricsParser(text, labels.NewSymbolTable())
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return samples
		}
		if err != nil {
			t.Fatalf("after %d samples: %v", samples, err)
		}
		if entry != textparse.EntrySeries {
			continue
		}
		samples++
		if series, at, _ := parser.Series(); at == nil {
			t.Fatalf("%s has no timestamp", series)
		}
	}
}

// chatValues has the value of a chat that each expression counts.
var chatValues = map[string]func(c wolkvoxtest.Chat) float64{
	`wolkvox_chat_interactions_total{operation="wv0042"}`: func(wolkvoxtest.Chat) float64 { return 1 },
	`wolkvox_chat_handoffs_total{rp_id="1101"}`: func(c wolkvoxtest.Chat) float64 {
		return float64(count(c.HandedOff && c.RoutingPoint == "1101"))
	},
	`wolkvox_chat_duration_seconds_sum`: func(c wolkvoxtest.Chat) float64 { return c.Total.Seconds() },
	`wolkvox_chat_speed_of_answer_seconds_bucket{le=~"60(\\.0)?"}`: func(c wolkvoxtest.Chat) float64 {
		return float64(count(c.HandedOff && c.Answer <= time.Minute))
	},
	`wolkvox_agent_chats_total{agent_id="1201"}`: func(c wolkvoxtest.Chat) float64 { return float64(count(c.HandedOff)) },
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// sumChats returns the sum over the chats that ended after from and no later than to.
func sumChats(chats []wolkvoxtest.Chat, of func(wolkvoxtest.Chat) float64, from, to time.Time) (truth float64) {
	for _, c := range chats {
		if c.End.After(from) && !c.End.After(to) {
			truth += of(c)
		}
	}
	return truth
}

func TestBackfill_ShowsChatsHourByHour(t *testing.T) {
	t.Parallel()
	to := time.Now().UTC().Truncate(time.Hour).Add(-4 * time.Hour)
	from := to.Add(-30 * time.Hour)
	chats := pastChats(from.Add(-time.Hour), to.Add(time.Hour))
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: time.UTC})
	defer server.Close()
	server.Add(chats...)

	dir := t.TempDir()
	output := runBackfill(t, dir, server, from, to, "--collector.agents")
	samples := parseStrictly(t, output)
	importBlocks(t, dir, output)
	p := startPrometheusIn(t, dir, "{}")
	for _, at := range []time.Time{from, to} {
		if have, want := p.number(`count({__name__=~"wolkvox_.+"})`, at), samples/(1+30*12); have != float64(want) {
			t.Errorf("have %v series at %s, want %d", have, at, want)
		}
	}
	for expression, of := range chatValues {
		for end := from.Add(time.Hour); !end.After(to); end = end.Add(time.Hour) {
			begin := end.Add(-time.Hour)
			want := sumChats(chats, of, begin, end)
			sum := "sum(" + expression + ")"
			if have := p.number(sum, end) - p.number(sum, begin); have != want {
				t.Errorf("%s from %s to %s: have %v, want %v", expression, begin, end, have, want)
			}
			if p.number("min(count_over_time("+expression+"[1h]))", end) == 12 {
				// Prometheus 3 excludes the sample at the hour's start, and extrapolates the
				// rest, in the first hour at most to 0.
				if begin.Equal(from) {
					continue
				}
				want = sumChats(chats, of, begin.Add(5*time.Minute), end) * 60 / 55
			}
			if have := p.number("sum(increase("+expression+"[1h]))", end); math.Abs(have-want) > 1e-6*want {
				t.Errorf("increase of %s from %s to %s: have %v, want %v", expression, begin, end, have, want)
			}
		}
	}

	at := to.Add(-2 * time.Hour)
	p = fillRules(t, dir, p, at.Add(-time.Hour), to)
	for recorded, expression := range map[string]string{
		"operation:wolkvox_chat_interactions:increase1h":             "sum by (operation) (increase(wolkvox_chat_interactions_total[1h]))",
		"operation_rp_id:wolkvox_chat_handoffs:increase1h":           "sum by (operation, rp_id) (increase(wolkvox_chat_handoffs_total[1h]))",
		"operation_rp_id_channel:wolkvox_chat_interactions:midnight": "sum by (operation, rp_id, channel) (wolkvox_chat_interactions_total @ " + seconds(lastMidnight(at)) + ")",
	} {
		// Like Prometheus, promtool evaluates each group at its own offset in seconds.
		evaluated := time.UnixMilli(int64(1000 * p.number("max(timestamp("+recorded+"))", at)))
		have, want := p.number("sum("+recorded+")", at), p.number("sum("+expression+")", evaluated)
		if have != want || want == 0 {
			t.Errorf("%s: have %v, want %v", recorded, have, want)
		}
	}
}

// lastMidnight returns the last midnight in America/Bogota, as in rules/wolkvox.days.rules.yml.
func lastMidnight(t time.Time) time.Time {
	const fromUTC = 5 * time.Hour
	return t.Add(-fromUTC).Truncate(24 * time.Hour).Add(fromUTC)
}

// A backfill up to the first poll of an exporter, and the chats that the exporter counts
// from then on, are all chats, in the same series. The exporter's counters start at 0,
// which functions such as increase() treat as a reset.
func TestBackfill_JoinsSeriesOfExporter(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: time.UTC, Limits: wolkvoxtest.Limits{RequestsPerDay: -1, SimultaneousRequests: -1}})
	defer server.Close()
	began := time.Now().UTC().Truncate(time.Second)
	from, end := began.Add(-3*time.Hour), began.Add(20*time.Second)
	chats := pastChats(from, began)
	for i, at := len(chats), began; at.Before(end); i++ {
		at = at.Add(time.Second)
		chats = append(chats, firstGroups[i%len(firstGroups)].chat(i, at, i%3 == 0))
	}
	server.Add(chats...)

	e := newExporter(t, server, "serve", "UTC", "--poll.initial-window=0s", "--poll.interval=1s", "--poll.overlap=1m",
		"--collector.zero-hold=4s", "--no-collector.native-histograms", "--collector.agents")
	eventually(t, "a first poll", e.isPolled)
	var polled []string
	eventually(t, "a line on the first poll in the log", func() bool {
		polled = regexp.MustCompile(`msg=polled until=(\S+)`).FindStringSubmatch(e.current.Load().tail(1000))
		return polled != nil
	})
	to, err := time.Parse(time.RFC3339, polled[1])
	if err != nil {
		t.Fatal(err)
	}

	dir := t.TempDir()
	importBlocks(t, dir, runBackfill(t, dir, server, from, to, "--collector.agents", "--label=job=wolkvox", "--label=instance=exporter"))
	scraped := `{instance="exporter",job="wolkvox"}`
	p := startPrometheusIn(t, dir, prometheusConfig("1s", strings.Replace(
		scrapeJob("wolkvox", e.newProxy("").target()), "]\n", "]\n        labels: {instance: exporter}\n", 1)))

	total := func(expression string, at time.Time) float64 { return p.number("sum("+expression+")", at) }
	interactions := "wolkvox_chat_interactions_total" + scraped
	want := sumChats(chats, chatValues[`wolkvox_chat_interactions_total{operation="wv0042"}`], to, end)
	eventually(t, "a scrape of all chats", func() bool { return total(interactions, time.Now()) == want })
	now := time.Now()
	for expression, of := range chatValues {
		if have, want := total(expression, to)+total(expression, now), sumChats(chats, of, from, end); have != want {
			t.Errorf("%s: have %v at the join and %v now, want %v in all", expression, total(expression, to), total(expression, now), want)
		}
		// The time before the first and after the last sample is extrapolated.
		have, want := total("increase("+expression+"[4h])", now), sumChats(chats, of, from, end)
		if have < want || have > 1.05*want {
			t.Errorf("increase of %s: have %v, want %v and a little more", expression, have, want)
		}
	}
	if have := p.number("count("+interactions+")", now); have != float64(len(firstGroups)) {
		t.Errorf("have %v series, want the %d of the backfill to go on", have, len(firstGroups))
	}
}
