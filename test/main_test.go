// Package test runs the program, and checks the documents against it.
package test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	testVersion  = "1.2.3-test"
	testRevision = "0123456789abcdef"
)

// programFile is the program under test.
var programFile string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun runs the tests in the root of the repository.
func buildAndRun(m *testing.M) int {
	if err := os.Chdir(".."); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "wolkvox_exporter")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	programFile = filepath.Join(dir, "wolkvox_exporter.exe")
	if out, err := exec.Command("go", buildArgs(programFile)...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// buildArgs builds the program with the race detector if the tests have it, and with the
// flags in TEST_BUILD_FLAGS.
func buildArgs(output string) []string {
	const version = "github.com/prometheus/common/version"
	args := []string{
		"build", "-buildvcs=false", "-o", output,
		"-ldflags", fmt.Sprintf("-X %[1]s.Version=%[2]s -X %[1]s.Revision=%[3]s", version, testVersion, testRevision),
	}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	return append(args, strings.Fields(os.Getenv("TEST_BUILD_FLAGS"))...)
}

// waitLimit is how long a test waits for a condition that should take far less.
const waitLimit = 60 * time.Second

// eventually waits until a process fulfils a condition.
func eventually(t testing.TB, what string, fulfilled func() bool) {
	t.Helper()
	pollUntil(t, waitLimit, 20*time.Millisecond, what, fulfilled)
}

// pollUntil checks a condition at an interval until it is fulfilled.
func pollUntil(t testing.TB, limit, every time.Duration, what string, fulfilled func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !fulfilled(); time.Sleep(every) {
		if time.Now().After(deadline) {
			t.Fatalf("after %s there is still not: %s", limit, what)
		}
	}
}

// noonZone returns a time zone where it is between noon and one now. The tests request
// hours at most, so that no window crosses the end of a month.
func noonZone() string { return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) }

func loadZone(t *testing.T, zone string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return location
}
