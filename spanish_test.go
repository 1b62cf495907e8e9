package main

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// passage is what a document has between two headings, as far as it is the same
// in every language.
type passage struct {
	level   int
	code    []string // blocks, their comments taken out
	rows    []string // of tables: what the first cell has of code, and how many cells there are
	spans   []string // of code, sorted
	links   []string // where they lead to, sorted
	numbers []string // sorted
}

var (
	blockOfCode = regexp.MustCompile("(?ms)^```.*?^```$|(?:^    [^\n]*\n)+")
	comment     = regexp.MustCompile(`(?m)(^|\s)# .*$`)
	codeSpan    = regexp.MustCompile("`[^`]+`")
	numeral     = regexp.MustCompile(`\d+(?:[.,\x{a0}]\d+)*`)
	// grouped is a numeral's point, comma or space: in English, and in Spanish.
	grouped = strings.NewReplacer(".", "", ",", "", "\u00a0", "")
)

// passages also answers with the headings, as anchors.
func passages(text string) (all []passage, headings []string) {
	blocks := blockOfCode.FindAllString(text, -1)
	// Between its blocks a document has no lines that look like headings.
	text = blockOfCode.ReplaceAllString(text, "\x00\n")
	for _, part := range regexp.MustCompile(`(?m)^#`).Split(text, -1)[1:] {
		heading, body, _ := strings.Cut(part, "\n")
		headings = append(headings, slices.Collect(maps.Keys(anchors("#"+heading)))...)
		p := passage{level: len(heading) - len(strings.TrimLeft(heading, "#"))}
		for range strings.Count(body, "\x00") {
			p.code = append(p.code, comment.ReplaceAllString(blocks[0], "$1#"))
			blocks = blocks[1:]
		}
		for line := range strings.Lines(body) {
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
		slices.Sort(p.spans)
		slices.Sort(p.links)
		slices.Sort(p.numbers)
		all = append(all, p)
	}
	return all, headings
}

// firstDifference is where two lists part, or nothing twice.
func firstDifference(have, want []string) (ours, theirs string) {
	for i := range max(len(have), len(want)) {
		ours, theirs = "none", "none"
		if i < len(have) {
			ours = strconv.Quote(have[i])
		}
		if i < len(want) {
			theirs = strconv.Quote(want[i])
		}
		if ours != theirs {
			return ours, theirs
		}
	}
	return "", ""
}

func TestTheSpanishReadmeSaysWhatTheEnglishOneDoes(t *testing.T) {
	t.Parallel()
	want, english := passages(read(t, "README.md"))
	have, spanish := passages(read(t, "README.es.md"))
	if len(have) != len(want) || len(want) < 15 {
		t.Fatalf("have %d headings %q, want %d: %q", len(have), spanish, len(want), english)
	}
	for i := range want {
		// A link within the document leads to the same heading in its language, and the
		// two documents lead to each other.
		for j, link := range have[i].links {
			if at := slices.Index(spanish, strings.TrimPrefix(link, "#")); at >= 0 {
				have[i].links[j] = "#" + english[at]
			}
			if link == "README.md" {
				have[i].links[j] = "README.es.md"
			}
		}
		slices.Sort(have[i].links)
		for _, part := range []struct {
			name       string
			have, want []string
		}{
			{"level", []string{strings.Repeat("#", have[i].level)}, []string{strings.Repeat("#", want[i].level)}},
			{"blocks", have[i].code, want[i].code},
			{"rows of tables", have[i].rows, want[i].rows},
			{"names in code", have[i].spans, want[i].spans},
			{"links", have[i].links, want[i].links},
			{"numbers", have[i].numbers, want[i].numbers},
		} {
			if have, want := firstDifference(part.have, part.want); have != want {
				t.Errorf("%s: below %q: have %s, want %s as below %q", part.name, spanish[i], have, want, english[i])
			}
		}
	}
}
