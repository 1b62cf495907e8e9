package test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	helpFlag = regexp.MustCompile(`(?m)^ {2,6}(?:-h, )?--(\[no-\])?([a-z.-]+)(?:=(\S+))?`)
	flagItem = regexp.MustCompile("(?m)^- `--(?:(no)-)?([a-z.-]+)(?:=([^`]+))?`")
)

// helpDefaults returns the default of each flag in the output of --help, and "" for
// one without.
func helpDefaults(help string) map[string]string {
	flags, _, _ := strings.Cut(help, "\nCommands:")
	defaults := map[string]string{}
	for _, found := range helpFlag.FindAllStringSubmatch(flags, -1) {
		value := found[3]
		if value == strings.ToUpper(found[2]) {
			value = "" // a placeholder
		}
		defaults[found[2]] = value
	}
	// The document shows how to turn off what is on.
	defaults["collector.native-histograms"], defaults["collector.classic-histograms"] = "no", "no"
	// It shares the item of --version.
	delete(defaults, "help")
	return defaults
}

func TestFlags_EachIsListedWithItsDefault(t *testing.T) {
	t.Parallel()
	status, help, _ := invocation{args: []string{"--help"}}.runToEnd(t)
	if status != 0 {
		t.Fatalf("have status %d for --help", status)
	}
	have := map[string]string{}
	for _, found := range flagItem.FindAllStringSubmatch(read(t, "docs/flags.md"), -1) {
		have[found[2]] = found[1] + found[3]
	}
	want := helpDefaults(help)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if value, ok := have[name]; !ok || value != want[name] {
			t.Errorf("--%s: docs/flags.md has default %q, want %q", name, value, want[name])
		}
		delete(have, name)
	}
	for name := range have {
		t.Errorf("--%s: docs/flags.md has it, --help does not", name)
	}
}
