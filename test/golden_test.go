package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// The history has two starts, chats of all kinds, bad rows, a changed row and a failure.
func TestMetrics_MatchGoldenFile(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Token: testToken, Location: loadZone(t, zone), Readings: wolkvoxtest.Readings{ListOpen: wolkvoxtest.EmptyEnd},
		RoutingPoints: []wolkvoxtest.RoutingPoint{{ID: "1101", Name: "Ventas"}, {ID: "1102", Name: "Soporte técnico"}, {ID: "1199", Name: "Sin chats"}},
	})
	defer server.Close()
	program := pollCommand(server, "--wolkvox.server=0042", "--wolkvox.timezone="+zone, "--poll.interval=52w", "--poll.overlap=1h", "--poll.reconcile-window=6h")
	program.dir = t.TempDir()

	now := time.Now()
	at := func(before time.Duration) time.Time { return now.Add(-before) }
	server.Add(
		agentChat(1, "1101", "whatsapp", at(4*time.Minute), 30*time.Second),
		agentChat(2, "1101", "whatsapp", at(3*time.Minute), 100*time.Second),
		botChat(3, "1101", "whatsapp", at(200*time.Second)),
		botChat(4, "1102", "Web", at(2*time.Minute)),
		agentChat(5, "1102", "web", at(2*time.Hour), 600*time.Second),
		botChat(6, "1103", "telegram", at(3*time.Hour)),
		openChat(agentChat(7, "1101", "whatsapp", at(time.Minute), 0)),
	)
	server.FailNext(wolkvoxtest.BadNumbers, wolkvoxtest.None, wolkvoxtest.BadRows) // The second request is a probe of the zone.
	e := program.start(t)
	e.await("a first start", func(s samples) bool { return s.outcomes()["seeded"] > 0 && hasTokenInfo(s) })
	if status := e.stop(syscall.SIGTERM); status != 0 {
		t.Fatalf("have exit status %d, want 0", status)
	}

	server.Add(
		agentChat(8, "1102", "web", at(90*time.Second), 45*time.Second), // held at the loaded figures
		botChat(9, "1104", "instagram", at(90*time.Second)),             // held at 0
	)
	revised := botChat(4, "1102", "Web", at(2*time.Minute))
	revised.Total = 300 * time.Second // stays counted as 20
	server.Update(revised)
	server.FailNext(wolkvoxtest.ServerError)
	e = program.start(t)
	have := e.await("a second start", hasTokenInfo)
	compareGolden(t, "test/testdata/metrics.txt", e.exposition())

	rows := 0
	for _, request := range server.Requests() {
		rows += request.Rows + request.BadRows
	}
	if booked := have.sum("wolkvox_exporter_records_total"); booked != float64(rows) {
		t.Errorf("have %v rows booked, want the %d that were fetched", booked, rows)
	}
	problems, err := promlint.New(strings.NewReader(e.exposition())).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

func botChat(n int, routingPoint, channel string, start time.Time) wolkvoxtest.Chat {
	return wolkvoxtest.Chat{
		ConnID: strconv.Itoa(9000 + n), SessionID: "session" + strconv.Itoa(n), Start: start, End: start.Add(20 * time.Second),
		BotTime: 20 * time.Second, Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, Total: 20 * time.Second,
		RoutingPoint: routingPoint, Channel: channel, Messages: 4, CustomerChars: 60, AgentChars: wolkvoxtest.Absent, LastSender: "chat_bot",
	}
}

func agentChat(n int, routingPoint, channel string, start time.Time, handled time.Duration) wolkvoxtest.Chat {
	c := botChat(n, routingPoint, channel, start)
	c.HandedOff, c.AgentID, c.LastSender = true, "1201", "agent"
	c.Answer, c.HandleTime, c.Total = 12*time.Second, handled, 32*time.Second+handled
	c.End, c.Messages, c.AgentChars = start.Add(c.Total), 11, 240
	return c
}

func openChat(c wolkvoxtest.Chat) wolkvoxtest.Chat {
	c.End = time.Time{}
	return c
}

// exposition returns the metrics of /metrics that begin with wolkvox_.
func (e *exporter) exposition() string {
	e.t.Helper()
	_, body, err := e.get("/metrics")
	if err != nil {
		e.t.Fatal(err)
	}
	var ours strings.Builder
	for line := range strings.Lines(body) {
		if name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE "); strings.HasPrefix(name, "wolkvox_") {
			ours.WriteString(line)
		}
	}
	return ours.String()
}

// masks match the values that differ between runs.
var masks = []*regexp.Regexp{
	regexp.MustCompile(`(?m)^(wolkvox_\w+_timestamp_seconds\S*) .+$`),
	regexp.MustCompile(`(?m)^(wolkvox_\w+_duration_seconds_(?:sum|bucket)\{operation\S*|wolkvox_api_request_duration_seconds_(?:sum|bucket)\S*) .+$`),
	regexp.MustCompile(`(?m)^(wolkvox_exporter_state_bytes\S*|wolkvox_api_clock_skew_seconds\S*) .+$`),
	regexp.MustCompile(`(?m)^(wolkvox_exporter_build_info)\{.+$`),
}

// compareGolden reports the first difference.
func compareGolden(t *testing.T, file, have string) {
	t.Helper()
	for _, mask := range masks {
		have = mask.ReplaceAllString(have, "$1 MASKED")
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	haves, wants := strings.Split(have, "\n"), strings.Split(strings.ReplaceAll(string(golden), "\r\n", "\n"), "\n")
	for i := range max(len(haves), len(wants)) {
		var h, w string
		if i < len(haves) {
			h = haves[i]
		}
		if i < len(wants) {
			w = wants[i]
		}
		if h != w {
			t.Fatalf("%s, line %d (run with -update if this is meant):\nhave %s\nwant %s", file, i+1, h, w)
		}
	}
}
