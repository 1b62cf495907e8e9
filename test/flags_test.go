package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

func TestHelp_ListsFlagsAndCommands(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}} {
		status, stdout, stderr := invocation{args: args}.runToEnd(t)
		if status != 0 || stderr != "" {
			t.Errorf("%q: have status %d and stderr %q, want 0 and nothing", args, status, stderr)
		}
		for _, want := range []string{
			"\nserve", "\ndemo", "$WOLKVOX_SERVER", "$WOLKVOX_URL", "$WOLKVOX_TOKEN_FILE", "$WOLKVOX_TIMEZONE", "WOLKVOX_TOKEN. ",
			"--wolkvox.server", "--wolkvox.url", "--wolkvox.token-file", "--wolkvox.timezone", "--wolkvox.timeout",
			"--poll.interval", "--poll.overlap", "--poll.reconcile-interval", "--poll.reconcile-window", "--poll.initial-window", "--poll.max-catch-up",
			"--storage.path", "--collector.max-label-sets", "--collector.zero-hold", "--[no-]collector.native-histograms", "--[no-]collector.classic-histograms", "--config.auto-reload-interval",
			"--[no-]collector.agents", "--[no-]collector.agent-names", "--[no-]collector.exemplars",
			"--web.listen-address", "--web.config.file", "--web.telemetry-path", "--log.level", "--log.format", "--[no-]version",
		} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%q: have no %q in\n%s", args, want, stdout)
			}
		}
	}
}

func TestVersion_IsPrintedAndServed(t *testing.T) {
	t.Parallel()
	status, stdout, stderr := invocation{args: []string{"--version"}}.runToEnd(t)
	first, _, _ := strings.Cut(stdout, "\n")
	if status != 0 || stderr != "" || !strings.Contains(first, "wolkvox_exporter, version "+testVersion) || !strings.Contains(first, "revision: "+testRevision) {
		t.Errorf("have status %d, stderr %q and stdout %q, want version and revision", status, stderr, stdout)
	}
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	info := pollCommand(server, "--storage.path=").start(t).scrape().of("wolkvox_exporter_build_info")
	for series := range info {
		if !strings.Contains(series, `version="`+testVersion+`"`) || !strings.Contains(series, `revision="`+testRevision+`"`) {
			t.Errorf("have %s, want version and revision", series)
		}
	}
	if len(info) != 1 {
		t.Errorf("have %d series of build_info, want one", len(info))
	}
}

func TestFlags_ReadEnvironment(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	e := invocation{
		args: []string{"--web.listen-address=127.0.0.1:0", "--storage.path="},
		env: []string{
			"WOLKVOX_URL=" + server.URL(), "WOLKVOX_SERVER=0042", "WOLKVOX_TIMEZONE=Europe/Madrid",
			"WOLKVOX_TOKEN_FILE=" + writeFile(t, testToken),
		},
	}.start(t)
	have := e.await("a first poll", up)
	if len(have.of(`wolkvox_up{operation="wv0042"}`)) != 1 {
		t.Errorf("have %v, want the operation wv0042", have.of("wolkvox_up"))
	}
	if !strings.Contains(e.logged(), "timezone=Europe/Madrid") {
		t.Errorf("have another time zone in\n%s", e.logged())
	}
}

func TestFlags_OverrideEnvironment(t *testing.T) {
	t.Parallel()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken})
	defer server.Close()
	l := pollCommand(server, "--storage.path=", "--wolkvox.server=7")
	l.env = append(l.env, "WOLKVOX_URL=http://127.0.0.1:1", "WOLKVOX_SERVER=0042")
	have := l.start(t).await("a first poll", up)
	if len(have.of(`wolkvox_up{operation="wv7"}`)) != 1 {
		t.Errorf("have %v, want the operation wv7", have.of("wolkvox_up"))
	}
}

// wantEmptyDir checks that a folder is empty.
func wantEmptyDir(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Errorf("have %s on disk, want nothing", filepath.Join(filepath.Base(dir), entry.Name()))
	}
}

// wantOneLineError checks that a program has failed with one line that contains names.
func wantOneLineError(t *testing.T, status int, stdout, stderr, names string) {
	t.Helper()
	if status != 1 && status != 2 {
		t.Errorf("have exit status %d, want 1 or 2", status)
	}
	if stdout != "" {
		t.Errorf("have stdout %q, want nothing", stdout)
	}
	if !strings.HasPrefix(stderr, "wolkvox_exporter: error: ") || strings.Count(stderr, "\n") != 1 || !strings.HasSuffix(stderr, "\n") {
		t.Errorf("have stderr %q, want one line", stderr)
	}
	if !strings.Contains(stderr, names) {
		t.Errorf("have stderr %q, want it to name %s", stderr, names)
	}
}
