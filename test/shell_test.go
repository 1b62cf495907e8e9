//go:build linux

package test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// shell runs sh in a folder like a clone that has the program.
type shell struct {
	t           *testing.T
	dir         string
	typed       io.Writer
	shown       *bufio.Reader
	substitutes map[string]string // by the document's text that they replace
}

func newShell(t *testing.T, env ...string) *shell {
	t.Helper()
	sh := &shell{t: t, dir: t.TempDir(), substitutes: map[string]string{}}
	cmd := exec.Command("sh")
	cmd.Dir = sh.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + sh.dir}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	typed, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	shown, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The group includes all programs started in the shell. Their exit status does not matter.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	sh.typed, sh.shown = typed, bufio.NewReader(shown)
	sh.linkPrograms()
	return sh
}

// externalPrograms returns the other programs that the documents use: the system's curl, and
// those that environment variables name, as make sets them.
func externalPrograms() map[string]string {
	return map[string]string{"curl": "curl", "prometheus": os.Getenv("PROMETHEUS"), "promtool": os.Getenv("PROMTOOL")}
}

// unavailable returns why a command cannot run, or nil. The two programs of Prometheus are
// only used together.
func unavailable(command string) error {
	program, _, _ := strings.Cut(command, " ")
	needed := []string{program}
	if strings.HasPrefix(program, "prom") {
		needed = []string{"prometheus", "promtool"}
	}
	for _, name := range needed {
		if file, ok := externalPrograms()[name]; ok {
			if _, err := exec.LookPath(file); err != nil {
				return fmt.Errorf("there is no %s: %w", name, err)
			}
		}
	}
	return nil
}

// linkPrograms links the programs to the documents' paths. Servers use a free port.
func (sh *shell) linkPrograms() {
	sh.t.Helper()
	rules, err := filepath.Abs("rules")
	if err != nil {
		sh.t.Fatal(err)
	}
	const freePort = `"$@" --web.listen-address=127.0.0.1:0`
	commands := fmt.Sprintf("ln -s '%s' rules\n", rules)
	commands += fmt.Sprintf("printf '%%s\n' '#!/bin/sh' 'exec %s %s' >wolkvox_exporter\nchmod +x wolkvox_exporter\n", programFile, freePort)
	commands += fmt.Sprintf("prometheus() { '%s' %s; }\n", externalPrograms()["prometheus"], freePort)
	commands += fmt.Sprintf("promtool() { '%s' \"$@\"; }\n", externalPrograms()["promtool"])
	if shown := sh.run(commands); shown != "" {
		sh.t.Fatal(shown)
	}
}

// run runs commands and returns their output.
func (sh *shell) run(commands string) string {
	sh.t.Helper()
	const end = "-- end of the step --"
	if _, err := fmt.Fprintf(sh.typed, "%s\necho '%s'\n", sh.substitute(commands), end); err != nil {
		sh.t.Fatal(err)
	}
	var shown strings.Builder
	for {
		line, err := sh.shown.ReadString('\n')
		if err != nil {
			sh.t.Fatalf("%s: %v after\n%s", commands, err, shown.String())
		}
		if last, ended := strings.CutSuffix(line, end+"\n"); ended {
			return shown.String() + last
		}
		shown.WriteString(line)
	}
}

var (
	// background matches the log file of a background program.
	background = regexp.MustCompile(`(?m)2>(\S+) &$`)
	// servers are the documents' addresses by log file.
	servers = map[string]string{"exporter.log": "localhost:10042", "prometheus.log": "localhost:9090"}
)

// waitListening waits until a program that was started listens.
func (sh *shell) waitListening(commands string) {
	sh.t.Helper()
	started := background.FindStringSubmatch(commands)
	if started == nil {
		return
	}
	where := regexp.MustCompile(`"Listening on".* address=(\S+)`)
	eventually(sh.t, "an address in "+started[1], func() bool {
		log, err := os.ReadFile(filepath.Join(sh.dir, started[1]))
		if err != nil {
			return false
		}
		found := where.FindSubmatch(log)
		if found != nil {
			sh.substitutes[servers[started[1]]] = string(found[1])
		}
		return found != nil
	})
}

// substitute replaces the document's names by those of the test.
func (sh *shell) substitute(text string) string {
	for theirs, ours := range sh.substitutes {
		text = strings.ReplaceAll(text, theirs, ours)
	}
	return text
}
