package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

const (
	// A private file system that is too small for a state with many chats.
	smallDisk = `mkdir -p state && mount -t tmpfs -o size=64k tmpfs state && exec "$@"`
	// 16 blocks, of 512 bytes or 1 KiB.
	smallFiles = `ulimit -f 16 && exec "$@"`
)

func TestServe_LogsLastingSaveFaultOnce(t *testing.T) {
	t.Parallel()
	many := func(_ *exporter, server *wolkvoxtest.Server) {
		server.Add(endingSoon(10, 8000, time.Now(), time.Millisecond)...)
	}
	for _, test := range []struct {
		name, says string
		below      []string
		damage     func(e *exporter, server *wolkvoxtest.Server)
		repair     func(e *exporter)
		loading    bool // fails too, in a line of its own
	}{
		{
			name: "full disk", says: "no space left on device",
			below: []string{"unshare", "--user", "--map-root-user", "--mount", "sh", "-c", smallDisk, "sh"}, damage: many,
		},
		{name: "file too large for the limit", says: "file too large", below: []string{"sh", "-c", smallFiles, "sh"}, damage: many},
		{
			name: "folder away", says: "no such file or directory",
			damage:  func(e *exporter, _ *wolkvoxtest.Server) { mustRename(e.t, e.dir, "state", "away") },
			repair:  func(e *exporter) { mustRename(e.t, e.dir, "away", "state") },
			loading: true,
		},
		{
			name: "previous generation in the way", says: "keeping the previous generation",
			damage: func(e *exporter, _ *wolkvoxtest.Server) {
				path := filepath.Join(e.dir, "state", "wv0042.state.previous")
				if err := os.RemoveAll(path); err != nil {
					e.t.Fatal(err)
				}
				if err := os.Mkdir(path, 0o700); err != nil {
					e.t.Fatal(err)
				}
			},
			repair: func(e *exporter) { mustRename(e.t, e.dir, "state/wv0042.state.previous", "away") },
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if len(test.below) > 0 && test.below[0] == "unshare" {
				try := exec.Command(test.below[0], append(test.below[1:4:4], "sh", "-c", "mount -t tmpfs tmpfs /mnt")...)
				if out, err := try.CombinedOutput(); err != nil {
					t.Skipf("no file system can be mounted here: %v: %s", err, out)
				}
			}
			server := newServer(t)
			server.SetToken(testToken)
			program := pollCommand(server, "--wolkvox.server=0042", "--storage.path=state", "--poll.interval=1s", "--poll.overlap=0s", "--poll.reconcile-interval=0s", "--collector.zero-hold=0s")
			program.wrapper = test.below
			e := program.start(t)
			e.await("a first poll", hasTokenInfo)
			test.damage(e, server)
			e.await("failed saves", func(s samples) bool {
				return s.sum("wolkvox_exporter_state_save_failures_total") > 3 && !up(s)
			})
			wantLines := 1
			if test.loading {
				wantLines = 2
			}
			if have := e.linesWith("level=error"); len(have) != wantLines || !strings.Contains(have[0], test.says) {
				t.Errorf("have the errors\n%s\nwant %d lines, the first with %q", strings.Join(have, ""), wantLines, test.says)
			}
			if test.repair == nil {
				return
			}
			test.repair(e)
			e.await("a poll after that", up)
			if have := e.linesWith("poll succeeded again"); len(have) != 1 || len(e.linesWith("level=error")) != wantLines {
				t.Errorf("have the log\n%s\nwant one error and its end", e.logged())
			}
		})
	}
}
