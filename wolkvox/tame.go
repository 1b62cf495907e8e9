package wolkvox

import (
	"bytes"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// longest bounds a string, the digits of a number and the space between
	// values. The JSON decoder keeps the whole of each.
	longest = 64 << 10
	// deepest is the level whose objects and arrays are emptied. Rows are on
	// the third. The JSON decoder keeps a name for each level.
	deepest = 16
)

// tamed gives a JSON decoder what it can read in bounded memory, whatever comes:
// of what is longer than longest the start, of what is on the level deepest the
// brackets. All else passes byte for byte.
//
// It only ever drops bytes, and what was no JSON, or was cut, does not become
// JSON by it. Only between brackets that it empties it looks for no more than
// their end.
type tamed struct {
	from             io.Reader
	json             *jsontext.Decoder // reads from here
	longest, deepest int

	dropping bool // in the midst of what the decoder does not get to see
	place    place
	depth    int
	run      int  // bytes of the string, digits or space so far
	hex      int  // digits that an escape still needs
	cut      bool // no more of the string passes
}

// place is where in the JSON the last byte was.
type place int

const (
	between place = iota // or in true, false or null
	inSpace
	inDigits
	inString
	inEscape
	inHex
	astray // behind an error in what was dropped: nothing passes any more, so the JSON never ends
)

// Read implements io.Reader. Where nothing passes it reads nothing, and the JSON
// decoder asks again.
func (t *tamed) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	return t.tame(p[:n]), err
}

// tame moves what passes to the front of p and counts it.
func (t *tamed) tame(p []byte) int {
	if !t.dropping && t.harmless(p) {
		return len(p)
	}
	passed := 0
	for _, c := range p {
		if t.passes(c) {
			p[passed] = c
			passed++
		}
	}
	t.dropping = t.depth >= t.deepest || t.place != between && t.run > t.longest
	return passed
}

// harmless tells whether p is within the bounds whatever is in it, so that nobody
// has to look: ordinary reports are, throughout. If it may not be, t catches up
// with the decoder, which knows where in the JSON p begins.
func (t *tamed) harmless(p []byte) bool {
	depth, unread := t.json.StackDepth(), t.json.UnreadBuffer()
	opening := bytes.Count(p, []byte("{")) + bytes.Count(p, []byte("["))
	if len(unread)+len(p) <= t.longest && depth+opening < t.deepest {
		return true
	}
	t.place, t.depth = between, depth
	for _, c := range unread {
		t.passes(c)
	}
	return false
}

// passes takes the next byte and tells whether it stays.
func (t *tamed) passes(c byte) bool {
	t.run++
	switch t.place {
	case inString:
		return t.inString(c)
	case inEscape:
		t.place = inString
		if c == 'u' {
			t.place, t.hex = inHex, 4
		}
		t.must(strings.IndexByte(`"\/bfnrtu`, c) >= 0)
		return !t.cut
	case inHex:
		if t.hex--; t.hex == 0 {
			t.place = inString
		}
		t.must(c >= '0' && c <= '9' || c|' ' >= 'a' && c|' ' <= 'f')
		return !t.cut
	case astray:
		return false
	default:
		return t.outside(c)
	}
}

func (t *tamed) inString(c byte) bool {
	if c == '"' {
		t.place = between
		return t.depth < t.deepest
	}
	t.cut = t.cut || t.run > t.longest
	if c == '\\' {
		t.place = inEscape
	}
	t.must(c >= ' ')
	return !t.cut
}

// must goes astray if what is dropped is wrong. The rest the decoder checks.
func (t *tamed) must(ok bool) {
	if t.cut && !ok {
		t.place = astray
	}
}

func (t *tamed) outside(c byte) bool {
	last := t.place
	t.place = between
	switch c {
	case '"':
		t.place, t.cut = inString, t.depth >= t.deepest
	case '{', '[':
		t.depth++
		return t.depth <= t.deepest
	case '}', ']':
		t.depth--
	case ' ', '\t', '\r', '\n':
		t.place = inSpace
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		t.place = inDigits
	}
	if t.place != last {
		t.run = 1
	}
	return t.depth < t.deepest && (t.run <= t.longest || t.place == between)
}
