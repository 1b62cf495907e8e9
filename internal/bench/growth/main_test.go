package main

import (
	"bytes"
	"io/fs"
	"os"
	"testing"
)

func TestRun_DocumentsAreUpToDate(t *testing.T) {
	docs := os.DirFS("../../../docs")
	files, err := documents(docs)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		have, err := fs.ReadFile(docs, name)
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(have, want) {
			t.Errorf("docs/%s shows other figures: make plots", name)
		}
	}
	for _, c := range charts {
		if !bytes.Contains(files[page], []byte("](growth/"+c.name+".svg)")) {
			t.Errorf("docs/%s does not show the plot %s", page, c.name)
		}
	}
}

func TestRun_RefusesInvalidArguments(t *testing.T) {
	for _, args := range [][]string{nil, {"a", "b"}, {"nowhere"}} {
		if err := run(args); err == nil {
			t.Errorf("%q: have no error", args)
		}
	}
}
