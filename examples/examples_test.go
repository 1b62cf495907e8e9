// Package examples tests the examples with the programs that would read them,
// or with the libraries of those that cannot run here. It is a module of its
// own: the exporter needs none of these.
package examples

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// exporter is the program, built from the folder above.
var exporter string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "wolkvox_exporter")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	exporter = filepath.Join(dir, "wolkvox_exporter")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", exporter, ".")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the exporter: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// findProgram returns the program that an environment variable names, as make sets it.
// Without the program the test is skipped, or fails if E2E_REQUIRED is set.
func findProgram(t *testing.T, variable string) string {
	t.Helper()
	path, err := exec.LookPath(os.Getenv(variable))
	switch {
	case err == nil:
		return path
	case os.Getenv("E2E_REQUIRED") != "":
		t.Fatalf("%s names no program: %v", variable, err)
	default:
		t.Skipf("%s names no program: %v", variable, err)
	}
	return ""
}

// run runs a program to its end, and returns its output.
func run(t *testing.T, program string, args ...string) (output string, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// wantFlags checks that the exporter accepts a command line. With --help it parses the
// whole line first.
func wantFlags(t *testing.T, args []string) {
	t.Helper()
	if out, status := run(t, exporter, append(args, "--help")...); status != 0 {
		t.Errorf("the exporter does not take %q:\n%s", args, out)
	}
}

// wantVariable checks that the exporter reads an environment variable.
func wantVariable(t *testing.T, name string) {
	t.Helper()
	if help, _ := run(t, exporter, "--help"); !strings.Contains(help, "$"+name) {
		t.Errorf("the exporter's help has no $%s", name)
	}
}

// imageVersion returns the version of the images that `make image` builds.
func imageVersion(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(readFile(t, "../VERSION"))
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// decodeYAML decodes a YAML document and refuses unknown fields. Unlike encoding/json, and
// like Kubernetes, it is case-sensitive.
func decodeYAML[T any](t *testing.T, text string) *T {
	t.Helper()
	document := new(T)
	data, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("reading a %T: %v\n%s", document, err, text)
	}
	unknown, err := json.UnmarshalStrict(data, document)
	if err := errors.Join(append(unknown, err)...); err != nil {
		t.Fatalf("decoding a %T: %v\n%s", document, err, text)
	}
	return document
}
