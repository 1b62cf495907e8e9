// Package vmagent tests the configuration of vmagent in the documents. It is a module of its own: the library of
// VictoriaMetrics does not link together with those of the other examples.
package vmagent

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/VictoriaMetrics/VictoriaMetrics/lib/promscrape"
)

func TestRemote_VmagentAcceptsConfiguration(t *testing.T) {
	document, err := os.ReadFile("../../docs/remote-write.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n# vmagent\n(.*?)\n```\n").FindSubmatch(document)
	if block == nil {
		t.Fatal("the document has no configuration of vmagent")
	}
	file := filepath.Join(t.TempDir(), "vmagent.yml")
	if err := os.WriteFile(file, block[1], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := flag.Set("promscrape.config", file); err != nil {
		t.Fatal(err)
	}
	if err := promscrape.CheckConfig(); err != nil {
		t.Error(err)
	}
}
