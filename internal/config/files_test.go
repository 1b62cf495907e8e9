package config

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

func TestTokenFile_IsReadForEachRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	source := tokenFile(path)
	for _, token := range []string{"first", "second"} {
		write(t, path, token+"\n")
		if have, err := source(); have != token || err != nil {
			t.Errorf("have %q, %v, want %q", have, err, token)
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

func TestTokenFile_NamesInvalidFileWithoutQuotingIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "the-token-file")
	source := tokenFile(path)
	check := func(says string) {
		t.Helper()
		have, err := source()
		if want := `reading the token file "` + path + `": ` + says; err == nil || have != "" || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("have %q, %v, want %s", have, err, want)
		} else if strings.Contains(err.Error(), plantedSecret) {
			t.Errorf("have the token in %q", err)
		}
	}
	check("")
	write(t, path, "")
	check("it is empty")
	write(t, path, plantedSecret+"\x00")
	check("it holds characters")
	write(t, path, strings.Repeat(plantedSecret, maxTokenFile/len(plantedSecret)+1))
	check("too large: the maximum is 64 KiB")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	check("it is a directory")
}
