package store

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSafeName_IsReadable(t *testing.T) {
	for name, want := range map[string]string{
		"wv0042":            "wv0042",
		"proxy.example.com": "proxy.example.com",
		"ventas_co-2":       "ventas_co-2",
		"Ventas":            "%56entas",
		"a/b":               "a%2fb",
		"a:b":               "a%3ab",
		"../../etc/passwd":  "%2e.%2f..%2fetc%2fpasswd",
		"-rf":               "%2drf",
		"con":               "%63on",
		"com1.x":            "%63om1.x",
		"console":           "console",
		"100%":              "100%25",
		"bogotá":            "bogot%c3%a1",
		"a\x00b":            "a%00b",
	} {
		if have := safeName(name); have != want {
			t.Errorf("%q: have %q, want %q", name, have, want)
		}
	}
	if have := (&Folder{dir: "data"}).File("wv0042").Path(); have != filepath.Join("data", "wv0042.state") {
		t.Errorf("have %q", have)
	}
}

// operationNames returns plausible names and similar ones.
func operationNames() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[aA./%:~-]{0,3}(con|CON|nul|[a-z0-9]{0,8})(\.[a-z]{0,3})?`),
		rapid.StringMatching(`(%[0-9a-fA-F]{2}|[a-cA-C]){0,6}`),
		rapid.StringMatching(`x{30}[xX%]{60,80}(~[0-9a-f]{64})?`),
		rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) }),
	)
}

func TestSafeName_IsUniqueAndStaysInFolder(t *testing.T) {
	folder := &Folder{dir: "data"}
	seen := map[string]string{} // over all runs: each name against every other
	rapid.Check(t, func(t *rapid.T) {
		name := operationNames().Draw(t, "name")
		for _, name := range []string{name, strings.ToUpper(name), strings.ToLower(name), safeName(name), name + "~"} {
			path := folder.File(name).Path()
			if filepath.Dir(path) != "data" || !filepath.IsLocal(path) {
				t.Fatalf("%q leaves the folder: %q", name, path)
			}
			if len(filepath.Base(path)) > maxNameLen+len(suffix) || strings.ToLower(path) != path {
				t.Fatalf("%q: %q is too long or has capitals", name, path)
			}
			if leftover.MatchString(filepath.Base(path)) || leftover.MatchString(filepath.Base(path)+previous) {
				t.Fatalf("%q: %q would be removed at the next start", name, path)
			}
			if other, ok := seen[path]; ok && other != name {
				t.Fatalf("%q and %q meet at %q", name, other, path)
			}
			seen[path] = name
			// Names are different because the operation can be derived from the file name.
			if safe := safeName(name); !strings.Contains(safe, "~") {
				if have, err := url.PathUnescape(safe); err != nil || have != name {
					t.Fatalf("%q unescapes to %q, %v; want %q", safe, have, err, name)
				}
			}
		}
	})
}
