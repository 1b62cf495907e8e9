package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	fencedBlock = regexp.MustCompile("(?ms)^```.*?^```$")
	headingLine = regexp.MustCompile(`(?m)^(#+) (.*)$`)
	linkTarget  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
)

// anchors returns the anchors that GitHub generates for a document's headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, heading := range headingLine.FindAllStringSubmatch(fencedBlock.ReplaceAllString(text, ""), -1) {
		name := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(heading[2]), "")
		all[strings.ReplaceAll(name, " ", "-")] = true
	}
	return all
}

func TestDocs_LinksResolve(t *testing.T) {
	t.Parallel()
	count := 0
	for _, pattern := range []string{"*.md", "*/*.md", "docs/*/*.md", "docs/*/*/*.md"} {
		documents, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents {
			text := read(t, document)
			for _, link := range linkTarget.FindAllStringSubmatch(fencedBlock.ReplaceAllString(text, ""), -1) {
				if strings.Contains(link[1], "://") {
					continue
				}
				count++
				path, anchor, anchored := strings.Cut(link[1], "#")
				target := document
				if path != "" {
					target = filepath.Join(filepath.Dir(document), path)
				}
				if _, err := os.Stat(target); err != nil {
					t.Errorf("%s: %s leads nowhere", document, link[1])
				} else if anchored && !anchors(read(t, target))[anchor] {
					t.Errorf("%s: %s leads to no heading of %s", document, link[1], target)
				}
			}
		}
	}
	if count < 100 {
		t.Errorf("have %d links, want those of all documents", count)
	}
}
