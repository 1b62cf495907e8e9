//go:build linux

package test

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// step is a block of docs/getting-started.md: commands (sh) with their output (the text
// block that follows), or a file (yaml) that begins with its name. Indented blocks are
// for people only.
type step struct{ section, kind, block, seen string }

func parseSteps(t *testing.T, document string) (steps []step) {
	t.Helper()
	section, kind := "", ""
	var block strings.Builder
	for line := range strings.Lines(read(t, document)) {
		fence, fenced := strings.CutPrefix(line, "```")
		switch {
		case fenced && kind == "":
			kind = strings.TrimSpace(fence)
			block.Reset()
		case fenced && kind == "text":
			steps[len(steps)-1].seen = block.String()
			kind = ""
		case fenced:
			steps = append(steps, step{section, kind, block.String(), ""})
			kind = ""
		case kind != "":
			block.WriteString(line)
		case strings.HasPrefix(line, "## "):
			section = strings.TrimSpace(line[3:])
		}
	}
	return steps
}

// file writes a file of the document.
func (sh *shell) file(text string) {
	sh.t.Helper()
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "# "), "\n")
	// The test does not wait for a minute.
	text = strings.ReplaceAll(sh.substitute(text), "interval: 1m", "interval: 1s")
	if err := os.WriteFile(filepath.Join(sh.dir, name), []byte(text), 0o600); err != nil {
		sh.t.Fatal(err)
	}
}

var (
	// ofTheAccount is a line of check in which the rest is about another place.
	ofTheAccount = regexp.MustCompile(`^(✓ (?:configuration +https:|name |connection |tls |time_zone )).*$`)
	number       = regexp.MustCompile(`[0-9]+`)
)

// anyNumber replaces a number that may differ. 0 and 1 may not.
func anyNumber(number string) string {
	if number == "0" || number == "1" {
		return number
	}
	return "[0-9]+"
}

// missingLine returns the first line of the document that the output lacks, in order.
func (sh *shell) missingLine(want, have string) string {
	lines := strings.Split(have, "\n")
	for line := range strings.Lines(sh.substitute(want)) {
		line = strings.TrimSpace(line)
		pattern := number.ReplaceAllStringFunc(regexp.QuoteMeta(ofTheAccount.ReplaceAllString(line, "$1…")), anyNumber)
		same := regexp.MustCompile("^ *" + strings.ReplaceAll(pattern, "…", ".*") + " *$")
		for {
			if len(lines) == 0 {
				return line
			}
			found := same.MatchString(lines[0])
			lines = lines[1:]
			if found {
				break
			}
		}
	}
	return ""
}

// observingCommand matches commands that only read. They are repeated until their output is right.
var observingCommand = regexp.MustCompile(`^(curl|grep|promtool query) `)

func (sh *shell) runStep(s step) {
	sh.t.Helper()
	if s.kind == "yaml" {
		sh.file(s.block)
		return
	}
	last := ""
	defer func() {
		if sh.t.Failed() {
			sh.t.Logf("%shas shown at last:\n%s", s.block, last)
		}
	}()
	if observingCommand.MatchString(s.block) {
		eventually(sh.t, s.seen, func() bool {
			last = sh.run(s.block)
			return sh.missingLine(s.seen, last) == ""
		})
		return
	}
	last = sh.run(s.block)
	if line := sh.missingLine(s.seen, last); line != "" {
		sh.t.Errorf("there is no line %s", line)
	}
	sh.waitListening(s.block)
}

// newAccount serves some chats of the last minutes over HTTPS. It returns the environment
// in which a program reaches it under the document's address.
func newAccount(t *testing.T, zone string) (env []string) {
	t.Helper()
	server := wolkvoxtest.NewServer(wolkvoxtest.Config{Token: testToken, Location: loadZone(t, zone)})
	t.Cleanup(server.Close)
	server.Add(endingSoon(0, 40, time.Now().Add(-2*time.Minute), time.Minute)...)
	secure := httptest.NewTLSServer(server.Handler())
	t.Cleanup(secure.Close)
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	return []string{"WOLKVOX_URL=" + secure.URL, "SSL_CERT_FILE=" + writeFile(t, string(authority))}
}

func TestDocs_GettingStartedWorks(t *testing.T) {
	t.Parallel()
	zone := noonZone()
	sh := newShell(t, newAccount(t, zone)...)
	sh.substitutes["America/Bogota"] = zone
	if err := os.WriteFile(filepath.Join(sh.dir, "token"), []byte(testToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	steps := parseSteps(t, "docs/getting-started.md")
	if len(steps) < 12 {
		t.Fatalf("have %d steps, want all of the page", len(steps))
	}
	for _, s := range steps {
		if s.kind != "sh" && s.kind != "yaml" {
			continue
		}
		t.Run(s.section, func(t *testing.T) {
			if err := unavailable(s.block); err != nil {
				if os.Getenv("E2E_REQUIRED") != "" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			sh.t = t
			sh.runStep(s)
		})
		if t.Failed() {
			return
		}
	}
}
