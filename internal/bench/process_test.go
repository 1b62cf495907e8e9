//go:build unix

package bench

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// naiveVariable is the environment variable that makes this program a naive exporter that polls
// its value once.
const naiveVariable = "POLL_NAIVELY"

// pollNaively polls once, as a program of its own.
func pollNaively(url string) error {
	_, err := newNaiveExporter().poll(context.Background(), url)
	return err
}

// BenchmarkProcess measures whole processes, from their start until a poll of 59,999 new rows is
// counted, and in the case of the exporter saved.
func BenchmarkProcess(b *testing.B) {
	const rows = 59_999 // A round number would look like a truncated response.
	program := filepath.Join(b.TempDir(), "wolkvox_exporter")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "../..").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	run := func(b *testing.B, start func() *exec.Cmd) {
		b.Helper()
		cpu := 0.0
		for b.Loop() {
			ended := start().ProcessState
			cpu += (ended.UserTime() + ended.SystemTime()).Seconds()
		}
		b.ReportMetric(cpu*1000/float64(b.N), "cpu-ms/op")
	}
	b.Run("of=naive", func(b *testing.B) {
		run(b, func() *exec.Cmd {
			cmd := exec.CommandContext(b.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), naiveVariable+"="+reportURL(0, rows))
			if out, err := cmd.CombinedOutput(); err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			return cmd
		})
	})
	b.Run("of=exporter", func(b *testing.B) {
		run(b, func() *exec.Cmd { return runExporter(b, program, reportURL(0, rows), "counted=59999") })
	})
	b.Run("of=exporter-without-rows", func(b *testing.B) {
		run(b, func() *exec.Cmd { return runExporter(b, program, reportURL(0, 0), "counted=0") })
	})
}

// runExporter runs the exporter until it has polled.
func runExporter(b *testing.B, program, url, counted string) *exec.Cmd {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, "--wolkvox.url="+url, "--wolkvox.timezone=UTC",
		"--web.listen-address=127.0.0.1:0", "--storage.path="+b.TempDir(), "--poll.overlap=0s", "--poll.reconcile-interval=0s")
	cmd.Env = append(os.Environ(), "WOLKVOX_TOKEN="+token)
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	polled := ""
	for lines := bufio.NewScanner(log); polled == "" && lines.Scan(); {
		if strings.Contains(lines.Text(), "msg=polled") {
			polled = lines.Text()
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // It was killed.
	if !strings.Contains(polled, counted) {
		b.Fatalf("have %q, want %s", polled, counted)
	}
	return cmd
}
