package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const troubleshooting = "docs/troubleshooting.md"

// codeSpans returns a document's text between backticks, outside its code blocks.
func codeSpans(text string) (spans []string) {
	blocks := regexp.MustCompile("(?ms)^```.*?^```$|^    .*?$")
	for _, match := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(blocks.ReplaceAllString(text, ""), -1) {
		spans = append(spans, match[1])
	}
	return spans
}

// literals returns the string literals of the program and of its dashboards.
func literals(t *testing.T) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					all = append(all, text)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// isWritten reports whether the program can write a message: as one of its strings, or as
// two of them joined.
func isWritten(message string, literals []string) bool {
	return slices.ContainsFunc(literals, func(literal string) bool {
		subject, said := strings.CutSuffix(message, literal)
		return strings.Contains(literal, message) || said && literal != "" && slices.Contains(literals, subject)
	})
}

func TestDocs_TroubleshootingQuotesRealMessages(t *testing.T) {
	t.Parallel()
	literals := literals(t)
	count := 0
	for _, span := range codeSpans(read(t, troubleshooting)) {
		if !strings.Contains(span, " ") || strings.HasPrefix(span, "wolkvox_exporter") {
			continue // no message, but a name or a command
		}
		count++
		if !isWritten(span, literals) {
			t.Errorf("nothing writes %q", span)
		}
	}
	if count < 40 {
		t.Errorf("have %d messages, want those of all symptoms", count)
	}
}

func TestDocs_NameExistingFlagsAndMetrics(t *testing.T) {
	t.Parallel()
	status, help, _ := invocation{args: []string{"--help"}}.runToEnd(t)
	if status != 0 {
		t.Fatalf("have status %d for --help", status)
	}
	served := servedMetrics(t)
	flag := regexp.MustCompile(`^--(?:no-)?([a-z.-]+)(?:=\S*)?$`)
	metric := regexp.MustCompile(`^wolkvox_(?:chat|agent|api|exporter|report|routing|up)[a-z_]*`)
	for _, document := range []string{"README.md", "docs/getting-started.md", "docs/flags.md", "docs/state.md", "docs/quota.md", "docs/differences.md", troubleshooting} {
		for _, span := range codeSpans(read(t, document)) {
			if found := flag.FindStringSubmatch(span); found != nil && !regexp.MustCompile(`--(\[no-\])?`+regexp.QuoteMeta(found[1])+`[ =\n]`).MatchString(help) {
				t.Errorf("%s: there is no flag %s", document, span)
			}
			name := metric.FindString(span)
			if name == "" || name == "wolkvox_exporter" {
				continue
			}
			if _, ok := served[name]; !ok {
				t.Errorf("%s: there is no metric %s", document, name)
			}
		}
	}
}

func TestDocs_TroubleshootingCoversResultsAndAlerts(t *testing.T) {
	t.Parallel()
	text := read(t, troubleshooting)
	for _, result := range wolkvox.Results() {
		item := fmt.Sprintf("\n- `%s`, `%s`: ", result, &wolkvox.Error{Result: result})
		if failure := result != wolkvox.OK && result != wolkvox.Empty; failure && !strings.Contains(text, item) {
			t.Errorf("there is no item%s", item)
		}
	}
	alerts := regexp.MustCompile(`- alert: (\w+)`).FindAllStringSubmatch(read(t, "rules/wolkvox.alerts.yml"), -1)
	if len(alerts) < 15 {
		t.Fatalf("have %d alerts, want all", len(alerts))
	}
	for _, alert := range alerts {
		if !strings.Contains(text, "`"+alert[1]+"`") || !strings.Contains(text, "(runbooks/"+alert[1]+".md)") {
			t.Errorf("%s is not there, or without its runbook", alert[1])
		}
	}
}

func TestDocs_PollingRunbookCoversFailures(t *testing.T) {
	t.Parallel()
	text := read(t, "docs/runbooks/WolkvoxDown.md")
	for _, result := range wolkvox.Results() {
		item := regexp.MustCompile("(?m)^- [^:]*`" + string(result) + "`[^:]*: .")
		if failure := result != wolkvox.OK && result != wolkvox.Empty; failure && !item.MatchString(text) {
			t.Errorf("there is no item for %s", result)
		}
	}
}

// read returns a file's text.
func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
