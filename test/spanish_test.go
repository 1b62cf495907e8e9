package test

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// passage is the language-independent content of a document from one heading to the next.
type passage struct {
	line    int
	level   string // "##"
	heading string
	anchor  string
	prose   []string // lines outside code blocks
	code    []string // lines of code blocks, their comments removed
	rows    []string // of tables: the code in the first cell, and the number of cells
	spans   []string // code within lines, sorted
	links   []string // targets as written, sorted
	numbers []string // outside code, sorted
}

var (
	blockOfCode = regexp.MustCompile("(?ms)^```.*?^```$|(?:^    [^\n]*\n)+")
	comment     = regexp.MustCompile(`(?m)(^|\s)# .*$`)
	codeSpan    = regexp.MustCompile("`[^`]+`")
	numeral     = regexp.MustCompile(`\d+(?:[.,\x{a0}]\d+)*`)
	// grouped matches the separators of a numeral, in English and in Spanish.
	grouped = strings.NewReplacer(".", "", ",", "", "\u00a0", "")
)

func passages(text string) (all []passage) {
	blocks := blockOfCode.FindAllString(text, -1)
	// A code block can have lines that look like headings. What replaces it keeps
	// the line numbers.
	text = blockOfCode.ReplaceAllStringFunc(text, func(block string) string {
		return "\x00" + strings.Repeat("\n", strings.Count(block, "\n"))
	})
	starts := headingLine.FindAllStringSubmatchIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		body := text[at[1]:end]
		p := passage{
			line:    1 + strings.Count(text[:at[0]], "\n"),
			level:   text[at[2]:at[3]],
			heading: text[at[4]:at[5]],
			anchor:  slices.Collect(maps.Keys(anchors(text[at[0]:at[1]])))[0],
		}
		for range strings.Count(body, "\x00") {
			p.code = append(p.code, strings.Split(comment.ReplaceAllString(strings.TrimSpace(blocks[0]), "$1#"), "\n")...)
			blocks = blocks[1:]
		}
		for line := range strings.Lines(body) {
			p.prose = append(p.prose, strings.TrimSpace(line))
			if cells := strings.Split(line, "|"); cells[0] == "" && len(cells) > 2 {
				p.rows = append(p.rows, strings.Join(codeSpan.FindAllString(cells[1], -1), " ")+strings.Repeat(" |", len(cells)-2))
			}
		}
		for _, link := range linkTarget.FindAllStringSubmatch(body, -1) {
			p.links = append(p.links, link[1])
		}
		body = linkTarget.ReplaceAllString(body, "]")
		p.spans = codeSpan.FindAllString(body, -1)
		for _, number := range numeral.FindAllString(codeSpan.ReplaceAllString(body, ""), -1) {
			p.numbers = append(p.numbers, grouped.Replace(number))
		}
		all = append(all, p)
	}
	return all
}

// translatedPages returns the English pages that must have a Spanish one.
func translatedPages(t *testing.T) []string {
	t.Helper()
	runbooks, err := filepath.Glob("docs/runbooks/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages := []string{"README.md"}
	for _, name := range []string{"getting-started", "flags", "state", "quota", "differences"} {
		pages = append(pages, "docs/"+name+".md")
	}
	return append(pages, runbooks...)
}

// toSpanish returns where the Spanish version of an English page or folder is:
// docs/es mirrors docs, and the README's is beside it.
func toSpanish(english string) string {
	if rest, ok := strings.CutPrefix(english, "docs/"); ok {
		return "docs/es/" + rest
	}
	return strings.TrimSuffix(english, ".md") + ".es.md"
}

// resolve returns where a page's link leads to, from the root of the repository.
func resolve(page, link string) string {
	if strings.Contains(link, "://") {
		return link
	}
	target, anchor, anchored := strings.Cut(link, "#")
	if target == "" {
		target = page
	} else {
		target = path.Join(path.Dir(page), target)
	}
	if anchored {
		target += "#" + anchor
	}
	return target
}

// spanishTarget returns where the Spanish page's link has to lead to if the English
// page's leads to target: to the same place in Spanish, where there is one.
func spanishTarget(t *testing.T, english, target string) string {
	t.Helper()
	file, anchor, anchored := strings.Cut(target, "#")
	if file == toSpanish(english) {
		return english // A page and its translation link to each other.
	}
	_, err := os.Stat(toSpanish(file))
	// A Spanish page that is missing is an error of its own: links lead to where it has to be.
	if err != nil && !slices.Contains(translatedPages(t), file) {
		return target
	}
	if err == nil && anchored {
		spanish := passages(read(t, toSpanish(file)))
		for i, p := range passages(read(t, file)) {
			if p.anchor == anchor && i < len(spanish) {
				anchor = spanish[i].anchor
				break
			}
		}
	}
	if anchored {
		return toSpanish(file) + "#" + anchor
	}
	return toSpanish(file)
}

// subtract returns the elements of list that other lacks, counting repetitions.
func subtract(list, other []string) (rest []string) {
	other = slices.Clone(other)
	for _, element := range list {
		if i := slices.Index(other, element); i >= 0 {
			other = slices.Delete(other, i, i+1)
		} else {
			rest = append(rest, fmt.Sprintf("%q", element))
		}
	}
	return rest
}

// difference describes what have lacks and has in excess of want, whatever the order. It
// returns "" if there is no difference.
func difference(have, want []string) string {
	var parts []string
	if missing := subtract(want, have); missing != nil {
		parts = append(parts, "missing "+strings.Join(missing, ", "))
	}
	if extra := subtract(have, want); extra != nil {
		parts = append(parts, "too much "+strings.Join(extra, ", "))
	}
	return strings.Join(parts, "; ")
}

// outline returns the headings of two documents, line by line, and whether their
// levels are the same.
func outline(english, spanish []passage) (sideBySide string, same bool) {
	var lines strings.Builder
	same = len(english) == len(spanish)
	name := func(all []passage, i int) (level, name string) {
		if i >= len(all) {
			return "", "nothing"
		}
		return all[i].level, fmt.Sprintf("line %d: %s %s", all[i].line, all[i].level, all[i].heading)
	}
	for i := range max(len(english), len(spanish)) {
		level, here := name(english, i)
		other, there := name(spanish, i)
		same = same && level == other
		fmt.Fprintf(&lines, "\n  %-45s | %s", here, there)
	}
	return lines.String(), same
}

func TestSpanish_MatchesEnglish(t *testing.T) {
	t.Parallel()
	for _, page := range translatedPages(t) {
		if _, err := os.Stat(toSpanish(page)); err != nil {
			t.Errorf("%s has no Spanish page: write %s", page, toSpanish(page))
			continue
		}
		english, spanish := passages(read(t, page)), passages(read(t, toSpanish(page)))
		if sideBySide, same := outline(english, spanish); !same {
			t.Errorf("%s has not the headings of %s (left: English, right: Spanish):%s", toSpanish(page), page, sideBySide)
			continue
		}
		if len(english) == 0 || !slices.ContainsFunc(english[0].links, func(link string) bool { return resolve(page, link) == toSpanish(page) }) {
			t.Errorf("%s has no link to %s below its title", page, toSpanish(page))
		}
		for i, want := range english {
			have := spanish[i]
			for j, link := range want.links {
				want.links[j] = spanishTarget(t, page, resolve(page, link))
			}
			for j, link := range have.links {
				have.links[j] = resolve(toSpanish(page), link)
			}
			where := fmt.Sprintf("%s:%d, below %q (%s:%d, %q)", toSpanish(page), have.line, have.heading, page, want.line, want.heading)
			for _, part := range []struct {
				name       string
				have, want []string
			}{
				{"code blocks", have.code, want.code},
				{"rows of tables", have.rows, want.rows},
				{"names in code", have.spans, want.spans},
				{"links, from the root", have.links, want.links},
				{"numbers", have.numbers, want.numbers},
			} {
				if difference := difference(part.have, part.want); difference != "" {
					t.Errorf("%s: %s: %s", where, part.name, difference)
				}
			}
			if difference(have.code, want.code) == "" && !slices.Equal(have.code, want.code) {
				t.Errorf("%s: code blocks: the same lines in another order", where)
			}
			if difference(have.rows, want.rows) == "" && !slices.Equal(have.rows, want.rows) {
				t.Errorf("%s: rows of tables: the same ones in another order", where)
			}
			for _, line := range have.prose {
				if len(codeSpan.ReplaceAllString(linkTarget.ReplaceAllString(line, ""), "")) > 50 && slices.Contains(want.prose, line) {
					t.Errorf("%s: still in English: %q", where, line)
				}
			}
		}
	}
}

// spanishPages returns every page in Spanish.
func spanishPages(t *testing.T) []string {
	t.Helper()
	pages := []string{"README.es.md"}
	err := filepath.WalkDir("docs/es", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			pages = append(pages, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestSpanish_HasEnglishOriginal(t *testing.T) {
	t.Parallel()
	var want []string
	for _, page := range translatedPages(t) {
		want = append(want, toSpanish(page))
	}
	for _, page := range spanishPages(t) {
		if !slices.Contains(want, page) {
			t.Errorf("%s translates no page: remove it", page)
		}
	}
}

// The last column of the glossary has what translators must not write.
func TestSpanish_FollowsTheGlossary(t *testing.T) {
	t.Parallel()
	_, glossary, found := strings.Cut(read(t, "CONTRIBUTING.md"), "\n| English | Spanish | not |\n")
	if !found {
		t.Fatal("CONTRIBUTING.md has no glossary")
	}
	var avoided []string
	for line := range strings.Lines(glossary) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			break
		}
		for term := range strings.SplitSeq(cells[3], ",") {
			if term = strings.TrimSpace(term); term != "" && term != "---" {
				avoided = append(avoided, regexp.QuoteMeta(term))
			}
		}
	}
	if len(avoided) < 15 {
		t.Fatalf("have %d terms to avoid in the glossary, want all", len(avoided))
	}
	avoid := regexp.MustCompile(`(?i)(?:^|[^\pL])(` + strings.Join(avoided, "|") + `)(?:$|[^\pL])`)
	for _, page := range spanishPages(t) {
		number := 0
		for line := range strings.Lines(read(t, page)) {
			number++
			if term := avoid.FindStringSubmatch(codeSpan.ReplaceAllString(line, "")); term != nil {
				t.Errorf("%s:%d: %q: the glossary in CONTRIBUTING.md has another word", page, number, term[1])
			}
		}
	}
}
