package test

import (
	"strings"
	"testing"
)

func TestServe_ReloadsChangedConfigurationByItself(t *testing.T) {
	t.Parallel()
	first, second := newServer(t), newServer(t)
	program := newProgram(t, operation("first", first))
	program.args = append(program.args, "--config.auto-reload-interval=1s")
	e := program.start(t)
	e.await("a first poll", hasTokenInfo)
	program.write(operation("first", first), operation("second", second))
	e.await("a second operation", allHaveTokenInfo(2))
	if lines := e.linesWith(`msg="operation added"`); len(lines) != 1 || !strings.Contains(lines[0], "operation=second") {
		t.Errorf("have %q, want one line about the second operation", lines)
	}
	program.write("- name: first\n")
	e.await("a failed reload", func(s samples) bool { return s["wolkvox_exporter_config_last_reload_successful"] == 0 })
	program.write(operation("first", first))
	e.await("a successful reload", func(s samples) bool { return s["wolkvox_exporter_config_last_reload_successful"] == 1 })
	eventually(t, "one operation", func() bool { return len(e.linesWith(`msg="operation removed"`)) == 1 })
	if lines := e.linesWith("reloading the configuration failed"); len(lines) != 1 {
		t.Errorf("have %d lines about the failed reload, want 1: %q", len(lines), lines)
	}
}
