package cli

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestWantsColour_OnlyOnTerminal(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal is available")
	}
	defer terminal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, test := range []struct {
		to             io.Writer
		noColour, term string
		want           bool
	}{
		{terminal, "", "xterm", true},
		{terminal, "1", "xterm", false},
		{terminal, "", "dumb", false},
		{file, "", "xterm", false},
		{io.Discard, "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", test.noColour)
		t.Setenv("TERM", test.term)
		if have := wantsColour(test.to); have != test.want {
			t.Errorf("%+v: have %v", test, have)
		}
	}
}
