package config

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	heading = regexp.MustCompile("^## (?:The file|`(.*)`)$")
	keyItem = regexp.MustCompile("^- `([a-z_]+)` \\(.+\\): .")
)

func TestReference_HasExactlyTheKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	path := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if match := heading.FindStringSubmatch(line); match != nil {
			path = match[1]
		}
		if match := keyItem.FindStringSubmatch(line); match != nil {
			keys = append(keys, strings.TrimPrefix(path+"."+match[1], "."))
			if path == "operations[].buckets" {
				// The buckets of the file have the same keys and refer to these.
				keys = append(keys, "buckets."+match[1])
			}
		}
	}
	reportDifference(t, keys, "configuration.md")
}

func TestReference_NamesUnsupportedKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	for key := range unsupported {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("configuration.md lacks `%s`", key)
		}
	}
}

func TestExample_Loads(t *testing.T) {
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, content := range map[string][]byte{
		"wolkvox.yml": text, "sales.token": []byte("a"), "collections.token": []byte("b"), "proxy-ca.pem": certificate(t),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, target := range load(t, filepath.Join(folder, "wolkvox.yml")) {
		names = append(names, target.Name)
	}
	if want := []string{"sales", "collections", "claims"}; !slices.Equal(names, want) {
		t.Errorf("have operations %q, want %q", names, want)
	}
}
