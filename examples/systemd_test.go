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
	// systemd makes no argument of an empty variable.
	wantFlags(t, strings.Fields(strings.Replace(command[2], "$ARGS", "", 1)))
	variables := regexp.MustCompile(`(?m)^#?([A-Z_]+)=`).FindAllStringSubmatch(readFile(t, "../packaging/default"), -1)
	for _, variable := range variables {
		if variable[1] != "ARGS" {
			wantVariable(t, variable[1])
		}
	}
	if len(variables) != 4 {
		t.Errorf("packaging/default sets %q, want the server, the time zone, the token file and ARGS", variables)
	}
}

// Without AF_UNIX the exporter cannot report, and its start fails after the timeout.
func TestSystemd_LetsExporterReport(t *testing.T) {
	text := readFile(t, unit)
	for _, want := range []string{`Type=notify`, `NotifyAccess=main`, `WatchdogSec=\d+s`, `RestrictAddressFamilies=.*\bAF_UNIX\b.*`} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(text) {
			t.Errorf("have no %s", want)
		}
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
