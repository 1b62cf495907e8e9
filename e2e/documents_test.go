package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// documentQuery is a query that a document gives as an example.
type documentQuery struct{ file, expr string }

// documentQueries returns the queries of the README and of docs/, which are separated by
// empty lines.
func documentQueries(t *testing.T) (all []documentQuery) {
	t.Helper()
	files, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "../README.md", "../rules/README.md", "../dashboards/README.md") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range strings.Split(string(text), "\n```promql\n") {
			if i == 0 {
				continue
			}
			block, _, _ = strings.Cut(block, "\n```\n")
			for query := range strings.SplitSeq(block, "\n\n") {
				all = append(all, documentQuery{file, query})
			}
		}
	}
	if len(all) < 40 {
		t.Fatalf("have %d queries, want those of docs/metrics.md at least", len(all))
	}
	return all
}
