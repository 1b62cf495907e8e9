package config

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// controls are characters that change what a terminal, a log or a page shows.
var controls = []rune{0, '\a', '\t', '\n', '\r', 0x1b, 0x7f, 0x80, 0x85, 0x9b, 0x9f, 0x200b, 0x200e, 0x2028, 0x2029, 0x202e, 0x2066, 0xfeff}

func TestLoad_RefusesUnprintableNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wolkvox.yml")
	for _, r := range controls {
		escaped := fmt.Sprintf(`"a\U%08xb"`, r)
		for key, operation := range map[string]string{
			"operations[0].name":                escaped,
			"operations[0].routing_points.1101": "a, routing_points: {1101: " + escaped + "}",
			"operations[0].routing_points":      "a, routing_points: {" + escaped + ": Sales}",
		} {
			write(t, path, "operations:\n  - {server: '0042', token: x, name: "+operation+"}\n")
			_, err := Load(t.Context(), path, defaults())
			if err == nil {
				t.Errorf("%s %U: have no error", key, r)
				continue
			}
			have := err.Error()
			if !strings.Contains(have, key) || !strings.Contains(have, fmt.Sprintf("%U", r)) || unprintable(have) != "" {
				t.Errorf("%s %U: have error %q, want both in it", key, r, have)
			}
		}
	}
}

func TestLoad_AcceptsNamesInAllLanguages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wolkvox.yml")
	for _, name := range []string{"ventas Bogotá", "кол-центр", "客服", "الدعم", "sales ☎"} {
		write(t, path, "operations:\n  - {server: '0042', token: x, name: '"+name+"', routing_points: {1: '"+name+"'}}\n")
		if targets, err := Load(t.Context(), path, defaults()); err != nil || targets[0].Name != name {
			t.Errorf("%s: have %v and error %v", name, targets, err)
		}
	}
}

// In a URL, net/url refuses only the ASCII ones.
func TestResolve_RefusesUnprintableHost(t *testing.T) {
	for _, host := range []string{"a\u009bb", "a%C2%9Bb", "a\u202eb", "a%ffb"} {
		operation := validOperation()
		operation.Server, operation.URL = "", "http://"+host
		if _, err := operation.Resolve(); err == nil || !strings.Contains(err.Error(), "--wolkvox.url") || unprintable(err.Error()) != "" {
			t.Errorf("%q: have error %v, want one that names --wolkvox.url", host, err)
		}
	}
}
