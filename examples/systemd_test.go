package examples

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const unit = "systemd/wolkvox_exporter.service"

var execStart = regexp.MustCompile(`(?m)^ExecStart=(\S+) (.*)$`)

func TestSystemd_StartsExporter(t *testing.T) {
	command := execStart.FindStringSubmatch(readFile(t, unit))
	if command == nil {
		t.Fatal("have no ExecStart")
	}
	wantFlags(t, strings.Fields(command[2]))
	for _, name := range regexp.MustCompile(`\bWOLKVOX_\w+`).FindAllString(readFile(t, unit), -1) {
		wantVariable(t, name)
	}
}

func TestSystemd_AcceptsUnit(t *testing.T) {
	analyze := findProgram(t, "SYSTEMD_ANALYZE")
	// systemd-analyze requires the program to exist.
	file := filepath.Join(t.TempDir(), filepath.Base(unit))
	writeFile(t, file, execStart.ReplaceAllString(readFile(t, unit), "ExecStart="+exporter+" ${2}"))
	if out, status := run(t, analyze, "verify", file); status != 0 || out != "" {
		t.Errorf("systemd-analyze verify:\n%s", out)
	}
	// In tenths of the score: systemd calls up to 2.0 OK.
	if out, status := run(t, analyze, "security", "--offline=true", "--threshold=20", file); status != 0 {
		t.Errorf("systemd-analyze security:\n%s", out)
	}
}
