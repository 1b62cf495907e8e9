package wolkvox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheTokenFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	source := TokenFile(path)
	for _, c := range [][2]string{
		{"first", "first"}, {"second\n", "second"}, {" \t third \r\n\n", "third"}, {"a.b-c_d+e/f=~!", "a.b-c_d+e/f=~!"},
	} {
		write(t, path, c[0])
		if have, err := source(); have != c[1] || err != nil {
			t.Errorf("%q: have %q, %v, want %q", c[0], have, err, c[1])
		}
	}
	// Rotated by putting another file in its place, as Kubernetes does.
	write(t, path+".new", "rotated")
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	if have, err := source(); have != "rotated" || err != nil {
		t.Errorf("have %q, %v", have, err)
	}
}

func TestABadTokenFileIsNamedButNotQuoted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "the-token-file")
	source := TokenFile(path)
	check := func(name string) {
		t.Helper()
		have, err := source()
		switch {
		case err == nil || have != "":
			t.Errorf("%s: have %q, %v", name, have, err)
		case !strings.Contains(err.Error(), "the-token-file"):
			t.Errorf("%s: have %q, want the file's name", name, err)
		}
		mustHideCanaries(t, err)
	}
	check("missing")
	for name, text := range map[string]string{
		"empty": "", "only space": " \r\n\t", "two lines": canaryToken + "\n" + canaryToken, "two words": canaryToken + " x",
		"a tab": canaryToken + "\tx", "no ASCII": canaryToken + "é", "a byte-order mark": "\ufeff" + canaryToken,
		"a control character": canaryToken + "\x00", "delete": canaryToken + "\x7f", "a header": canaryToken + "\r\nX-Evil: 1",
	} {
		write(t, path, text)
		check(name)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	check("a folder")
}

func TestAStaticTokenIsCleanedTheSameWay(t *testing.T) {
	if have, err := StaticToken(" " + canaryToken + "\n")(); have != canaryToken || err != nil {
		t.Errorf("have %q, %v", have, err)
	}
	for _, token := range []string{"", " ", canaryToken + "\nx"} {
		have, err := StaticToken(token)()
		if err == nil || have != "" {
			t.Fatalf("%q: have %q, %v", token, have, err)
		}
		mustHideCanaries(t, err)
		if !strings.Contains(err.Error(), "token") {
			t.Errorf("have %q, want it to say what is wrong", err)
		}
	}
}
