package test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// A backfill reads two days across a month's end, and there are chats of a week.
var (
	backfillFrom = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	backfillTo   = backfillFrom.AddDate(0, 0, 2)
)

const backfillStep = 30 * time.Minute

// newBackfillServer serves an operation with those chats.
func newBackfillServer(t *testing.T, readings wolkvoxtest.Readings) *wolkvoxtest.Server {
	t.Helper()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{
		Token: testToken, Location: time.UTC, Readings: readings,
		Limits: wolkvoxtest.Limits{RequestsPerDay: -1, SameMonth: true},
	})
	t.Cleanup(server.Close)
	server.Add(pastChats(backfillFrom.AddDate(0, 0, -2), backfillTo.AddDate(0, 0, 3))...)
	return server
}

// pastChats ends a chat every 97 seconds. Some are hours long.
func pastChats(from, to time.Time) (chats []wolkvoxtest.Chat) {
	for n := 0; from.Before(to); n++ {
		from = from.Add(97 * time.Second)
		length := time.Duration(20+n%900) * time.Second
		if n%9 == 0 {
			length = time.Duration(n%20) * time.Hour
		}
		c := wolkvoxtest.Chat{
			ConnID: fmt.Sprint(n), SessionID: fmt.Sprintf("573%09d@web", n), Start: from.Add(-length), End: from,
			BotTime: time.Duration(n%90) * time.Second, Total: length,
			Answer: wolkvoxtest.Absent, HandleTime: wolkvoxtest.Absent, AgentChars: wolkvoxtest.Absent,
			RoutingPoint: fmt.Sprint(1 + n%3), Channel: []string{"web", "WhatsApp"}[n%2],
			Messages: n % 30, CustomerChars: n % 700, LastSender: "chat_bot",
		}
		if n%2 == 0 {
			c.HandedOff, c.AgentID, c.LastSender = true, fmt.Sprint(1201+n%4), "agent"
			c.Answer, c.HandleTime, c.AgentChars = time.Duration(n%200)*time.Second, time.Duration(n%600)*time.Second, n%900
		}
		chats = append(chats, c)
	}
	return chats
}

// backfillCommand returns the command line of a backfill.
func backfillCommand(server *wolkvoxtest.Server, args ...string) invocation {
	return invocation{
		args: append([]string{
			"backfill", "--wolkvox.url=" + server.URL(), "--wolkvox.timezone=UTC", "--step=30m", "--poll.reconcile-window=24h",
			"--from=" + backfillFrom.Format(time.RFC3339), "--to=" + backfillTo.Format(time.DateOnly),
		}, args...),
		env: []string{"WOLKVOX_TOKEN=" + testToken},
	}
}

// samplesByTime parses an exposition with timestamps.
func samplesByTime(t *testing.T, text string) map[time.Time]samples {
	t.Helper()
	byTime := map[time.Time]samples{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		line = strings.TrimSpace(line)
		space := strings.LastIndexByte(line, ' ')
		seconds, err := strconv.ParseInt(line[space+1:], 10, 64)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		sample, err := parseSamples(line[:space])
		if err != nil {
			t.Fatal(err)
		}
		at := time.Unix(seconds, 0).UTC()
		if byTime[at] == nil {
			byTime[at] = samples{}
		}
		maps.Copy(byTime[at], sample)
	}
	return byTime
}

func TestBackfill_WritesTruthOfEachStep(t *testing.T) {
	t.Parallel()
	for name, readings := range map[string]wolkvoxtest.Readings{
		"by start": {ListOpen: wolkvoxtest.DashEnd},
		"by end":   {SelectOn: wolkvoxtest.End, Ends: wolkvoxtest.BothExclusive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newBackfillServer(t, readings)
			l := backfillCommand(server)
			l.dir = t.TempDir()
			status, stdout, stderr := l.runToEnd(t)
			if status != 0 || !strings.Contains(stderr, "requests=4") {
				t.Fatalf("have status %d, want 0 and 4 requests foretold:\n%s", status, stderr)
			}
			// A window with a round number of rows is requested twice.
			if have := len(server.Requests()); have < 4 || have > 8 {
				t.Errorf("have %d requests, want 4, and two more for a number that looks like a limit", have)
			}
			account := wolkvoxtest.NewServer(wolkvoxtest.Config{Location: time.UTC})
			defer account.Close()
			for _, c := range pastChats(backfillFrom.AddDate(0, 0, -2), backfillTo) {
				if c.End.After(backfillFrom) && !c.End.After(backfillTo) {
					account.Add(c)
				}
			}
			operation := strings.TrimPrefix(server.URL(), "http://")
			byTime := samplesByTime(t, stdout)
			if want := int(backfillTo.Sub(backfillFrom)/backfillStep) + 1; len(byTime) != want {
				t.Errorf("have samples of %d times, want %d", len(byTime), want)
			}
			for at := backfillFrom; !at.After(backfillTo); at = at.Add(backfillStep) {
				want := expected(account.Truth(backfillTo), operation)
				for series := range want {
					want[series] = 0
				}
				maps.Copy(want, expected(account.Truth(at), operation))
				if wrong := differences(byTime[at].chats(), want); wrong != "" {
					t.Fatalf("at %s:\n%s", at, wrong)
				}
			}
			wantEmptyDir(t, l.dir)
		})
	}
}

// runBackfill returns the output of an undisturbed run.
func runBackfill(t *testing.T, server *wolkvoxtest.Server) string {
	t.Helper()
	status, want, stderr := backfillCommand(server, "--collector.agents").runToEnd(t)
	if status != 0 {
		t.Fatalf("have status %d, want 0:\n%s", status, stderr)
	}
	return want
}

// Each run gets a little more time than the one before.
func TestBackfill_ResumesAfterKills(t *testing.T) {
	t.Parallel()
	server := newBackfillServer(t, wolkvoxtest.Readings{})
	want := runBackfill(t, server)
	dir := t.TempDir()
	output := filepath.Join(dir, "out.om")
	kills := 0
	for lifetime := 20 * time.Millisecond; ; lifetime += lifetime / 8 {
		l := backfillCommand(server, "--collector.agents", "--output=out.om")
		l.dir = dir
		if _, err := os.Stat(output + ".partial"); err == nil {
			l.args = append(l.args, "--resume")
		}
		e := l.run(t)
		select {
		case <-e.done:
		case <-time.After(lifetime):
			e.kill()
			kills++
		}
		have, err := os.ReadFile(output)
		if errors.Is(err, fs.ErrNotExist) && lifetime < waitLimit {
			continue
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, e.logged())
		}
		if string(have) != want {
			t.Error("the file is another one than that of a run that was not killed")
		}
		break
	}
	t.Logf("%d kills", kills)
	if kills < 2 {
		t.Errorf("have %d kills, want some", kills)
	}
}

func TestBackfill_LogsHowToResume(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			server := newBackfillServer(t, wolkvoxtest.Readings{})
			want := runBackfill(t, server)
			server.FailNext(wolkvoxtest.None, wolkvoxtest.None, wolkvoxtest.None, wolkvoxtest.Hang)
			before := len(server.Requests())
			l := backfillCommand(server, "--collector.agents", "--output=out.om")
			l.dir = t.TempDir()
			e := l.run(t)
			eventually(t, "a request that hangs", func() bool { return len(server.Requests()) == before+4 })
			if status := e.stop(signal); status != 1 {
				t.Errorf("have exit status %d, want 1", status)
			}
			const line = `wolkvox_exporter: error: interrupted; to resume from "out.om.partial", run the same command with --resume` + "\n"
			if !strings.HasSuffix(e.logged(), line) {
				t.Errorf("have log\n%s\nwant at its end %s", e.logged(), line)
			}
			if _, err := os.Stat(filepath.Join(l.dir, "out.om")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("have error %v, want no output", err)
			}
			l.args = append(l.args, "--resume")
			if status, _, stderr := l.runToEnd(t); status != 0 {
				t.Fatalf("have status %d, want 0:\n%s", status, stderr)
			}
			if have := len(server.Requests()) - before; have != 5 {
				t.Errorf("have %d requests, want the 4 that are needed and the one that hung", have)
			}
			have, err := os.ReadFile(filepath.Join(l.dir, "out.om"))
			if err != nil || string(have) != want {
				t.Errorf("the file is another one than that of a run that was not interrupted (error %v)", err)
			}
		})
	}
}

func TestBackfill_ReportsLastingFault(t *testing.T) {
	t.Parallel()
	server := newBackfillServer(t, wolkvoxtest.Readings{})
	server.FailNext(wolkvoxtest.None, wolkvoxtest.None, wolkvoxtest.None, wolkvoxtest.QuotaExceeded)
	status, _, stderr := backfillCommand(server, "--output=out.om").runToEnd(t)
	const line = `wolkvox_exporter: error: reading 2026-02-01 00:00:00 to 2026-02-02 00:00:00: the operation's requests of the day are spent (status 403); ` +
		`to resume from "out.om.partial", run the same command with --resume` + "\n"
	if status != 1 || !strings.HasSuffix(stderr, line) || strings.Count(stderr, "spent") != 1 {
		t.Errorf("have status %d and\n%s\nwant 1 and at the end %s", status, stderr, line)
	}
}

func TestBackfill_RefusesInvalidArguments(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--from=2026-01-01"}, "required flag(s) '--to'"},
		{[]string{"--from=yesterday", "--to=2026-01-02"}, `invalid --from "yesterday" (examples: 2026-01-18T19:34:31-05:00, `},
		{[]string{"--from=2026-01-01", "--to=2026-02-30"}, `invalid --to "2026-02-30" (examples: `},
		{[]string{"--from=2026-01-01", "--to=2026-01-02T00:00:00.5Z"}, `invalid --to "2026-01-02T00:00:00.5Z" (examples: `},
		{[]string{"--from=2026-01-02", "--to=2026-01-02 00:00"}, `invalid --from "2026-01-02": must be before --to "2026-01-02 00:00"`},
		{[]string{"--from=2026-01-02", "--to=2999-01-02"}, `invalid --to "2999-01-02": must not be in the future`},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--step=0s"}, `--step: invalid duration "0s": must be at least 1s`},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--step=1500ms"}, `invalid --step "1.5s": must be a whole number of seconds`},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--resume"}, "--resume needs the --output"},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--output=no/such/folder"}, `no/such/folder.partial: no such file`},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--output=out.om", "--resume"}, "nothing to resume"},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--label=job"}, "expected KEY=VALUE got 'job'"},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--label=rp_id=1"}, `invalid --label "rp_id": must be the name of a label`},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--label=__name__=up"}, `invalid --label "__name__": must be the name of a label`},
		{[]string{"--from=2026-01-01", "--to=2026-01-02", "--output=."}, `"." already exists`},
	} {
		l := invocation{args: append([]string{"backfill", "--wolkvox.server=0042"}, test.args...), env: []string{"WOLKVOX_TOKEN=" + testToken}}
		status, stdout, stderr := l.runToEnd(t)
		if status == 0 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: have status %d, %q and %q, want one line with %q", test.args, status, stdout, stderr, test.want)
		}
	}
}

func TestBackfill_ShowsNoPersonalData(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: secretToken, Location: loadZone(t, zone), Readings: wolkvoxtest.Readings{ListOpen: wolkvoxtest.EmptyEnd}})
	defer server.Close()
	for i := range 20 {
		server.Add(secretChat(i))
	}
	now := time.Now().UTC()
	l := invocation{
		dir: t.TempDir(),
		args: []string{
			"backfill", "--wolkvox.url=" + strings.Replace(server.URL(), "://", "://user:"+secretPassword+"@", 1), "--wolkvox.timezone=" + zone, "--log.level=debug",
			"--from=" + now.Add(-26*time.Hour).Format(time.RFC3339), "--to=" + now.Format(time.RFC3339),
			"--collector.agent-names", "--collector.exemplars", "--output=out.om",
		},
		env: []string{"WOLKVOX_TOKEN=" + secretToken},
	}
	// The spool of the first run holds chats: the last request failed.
	server.FailNext(wolkvoxtest.None, wolkvoxtest.None, wolkvoxtest.TokenRejected)
	check := func(wantStatus int) {
		status, stdout, stderr := l.runToEnd(t)
		if found := findSecret(stdout + stderr); found != "" || status != wantStatus {
			t.Errorf("have status %d, want %d, and %q:\n%s", status, wantStatus, found, stderr)
		}
		(&exporter{t: t, dir: l.dir}).checkFiles()
	}
	check(1)
	l.args = append(l.args, "--resume")
	check(0)
	have, err := os.ReadFile(filepath.Join(l.dir, "out.om"))
	if err != nil || !bytes.Contains(have, []byte(`wolkvox_agent_chats_total{agent_id="1201"`)) {
		t.Errorf("have no chats in the output (error %v)", err)
	}
}

func TestBackfill_ReadsChosenOperation(t *testing.T) {
	t.Parallel()
	server := newBackfillServer(t, wolkvoxtest.Readings{})
	file := writeFile(t, "operations:\n"+
		"- {name: ventas, url: '"+server.URL()+"', token: "+testToken+", time_zone: UTC, buckets: {messages: [7]}}\n"+
		"- {name: soporte, server: '0042', token: other}\n")
	l := invocation{args: []string{"backfill", "--config.file=" + file, "--from=2026-01-31T00:00:00Z", "--to=2026-01-31T12:00:00Z"}}
	if status, _, stderr := l.runToEnd(t); status != 1 || !strings.HasSuffix(stderr, `invalid --operation "": must be one of: ventas, soporte`+"\n") {
		t.Errorf("without --operation: have status %d and %q, want 1 and the names", status, stderr)
	}
	l.args = append(l.args, "--operation=ventas")
	status, stdout, stderr := l.runToEnd(t)
	if status != 0 {
		t.Fatalf("have status %d, want 0:\n%s", status, stderr)
	}
	for _, want := range []string{`operation="ventas"`, `wolkvox_chat_messages_bucket{channel="web",operation="ventas",rp_id="1",le="7.0"} `} {
		if !strings.Contains(stdout, want) {
			t.Errorf("have no %s", want)
		}
	}
}
