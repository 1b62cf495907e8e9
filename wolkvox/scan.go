package wolkvox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

const (
	// longest is how many bytes a string, a name or a number may have to be kept, its
	// quotes included.
	longest = 64 << 10
	// deepest is the level from which on nobody asks which bracket closes which. PHP
	// writes no deeper.
	deepest = 512
)

// scanner reads the JSON of an input, value by value. Down to deepest it accepts what
// encoding/json accepts: PHP promises neither UTF-8 nor that names are unique. Where
// JSON is put together by hand, control characters are in strings, and JavaScript's
// NaN, Infinity and undefined for values: it accepts these, too.
//
// What is wrong ends the input: then there is no member and no value left, so that
// callers need to look at err only when they are done. The scanner's own errors quote
// nothing of what was read.
type scanner struct {
	input
	depth   int  // how many brackets are open
	opened  bool // the last of them was read last
	named   bool // a name was read last, without its colon
	escaped bool // the string that was read last has escapes
}

func newScanner(from io.Reader, size int) *scanner {
	return &scanner{input: input{from: from, buffer: make([]byte, size), token: -1}}
}

// kind is that of the value that comes next.
func (s *scanner) kind() kind {
	if s.named {
		s.named = false
		s.expect(':', "no colon behind a name")
	}
	c := s.peek()
	if c == '-' || isDigit(c) {
		return kindNumber // or -Infinity, as value sees
	}
	return kind(c)
}

// open reads the start of an object or array.
func (s *scanner) open(bracket kind, otherwise string) {
	s.expect(byte(bracket), otherwise)
	s.opened = true
	s.depth++
}

// next tells whether there is another member or element, and reads the comma before
// it, or the bracket at the end.
func (s *scanner) next(end byte) bool {
	c, first := s.peek(), s.opened
	s.opened = false
	switch {
	case s.err != nil:
		return false
	case c == end:
		s.at++
		s.depth--
		return false
	case first: // Whoever reads it will see what it is.
		return true
	case c == ',':
		s.at++
		return true
	default:
		s.malformed("no comma where one should be")
		return false
	}
}

// name reads a member's name, good until the next read; nil if it is too long. That is
// why its colon is read with the value: there may be more to read before it.
func (s *scanner) name() []byte {
	if s.peek() != '"' {
		s.malformed("no name where one should be")
		return nil
	}
	s.keep()
	s.quoted()
	s.named = true
	return s.unquote(s.kept())
}

// takes reads a name with its colon if just that comes next: one comparison is
// quicker than a look at every byte.
func (s *scanner) takes(name string) bool {
	s.peek()
	unread := s.buffer[s.at:s.end]
	if len(unread) < len(name) || string(unread[:len(name)]) != name {
		return false
	}
	s.at += len(name)
	return true
}

// value reads a value and returns its text, good until the next read: of a string
// what is in it, of an object, an array or what is too long nothing.
func (s *scanner) value() (text []byte, kind kind) {
	kind = s.kind()
	if kind == kindObject || kind == kindArray {
		s.skip()
		return nil, kind
	}
	s.keep()
	s.scalar(kind)
	text = s.kept()
	switch {
	case text == nil:
		kind = kindLong
	case kind == kindString:
		text = s.unquote(text)
	case kind == kindNumber && len(text) > 0 && !isDigit(text[len(text)-1]):
		kind = kindInfinity
	}
	return text, kind
}

// unquote is the text of the string that was read last, or of none. What is no UTF-8
// stays as it is, or is replaced if there are escapes.
func (s *scanner) unquote(quoted []byte) []byte {
	if quoted == nil {
		return nil
	}
	if !s.escaped {
		return quoted[1 : len(quoted)-1]
	}
	var text string
	if json.Unmarshal(withoutControls(quoted), &text) != nil { // Its error would quote the text.
		s.malformed("a broken string")
	}
	return []byte(text)
}

// withoutControls writes control characters as JSON has them in strings.
func withoutControls(quoted []byte) []byte {
	if !bytes.ContainsFunc(quoted, func(r rune) bool { return r < ' ' }) {
		return quoted
	}
	var escaped []byte
	for _, c := range quoted {
		if c < ' ' {
			escaped = fmt.Appendf(escaped, `\u%04x`, c)
		} else {
			escaped = append(escaped, c)
		}
	}
	return escaped
}

// skip reads a value of any kind.
func (s *scanner) skip() {
	switch kind := s.kind(); {
	case kind != kindObject && kind != kindArray:
		s.scalar(kind)
	case s.depth >= deepest:
		s.skipDeep()
	case kind == kindObject:
		for s.open(kind, ""); s.next('}'); s.skip() {
			s.name()
		}
	default:
		for s.open(kind, ""); s.next(']'); {
			s.skip()
		}
	}
}

func (s *scanner) skipDeep() {
	for open := 0; ; {
		switch s.look() {
		case '"':
			s.quoted()
			continue
		case '{', '[':
			open++
		case '}', ']':
			open--
		case 0:
			s.malformed("no end of an object or array")
			return
		}
		s.at++
		if open == 0 {
			return
		}
	}
}

func (s *scanner) scalar(kind kind) {
	switch kind {
	case kindString:
		s.quoted()
	case kindNumber:
		s.number()
	default:
		s.literal(literals[kind])
	}
}

// quoted reads a string after a look at its first quote.
func (s *scanner) quoted() {
	s.at++
	s.escaped = false
	for s.err == nil {
		s.at += ordinary(s.buffer[s.at:s.end])
		switch s.look() {
		case '"':
			s.at++
			return
		case '\\':
			s.at++
			s.escaped = true
			s.escape()
		}
	}
}

// ordinary is how many bytes at the start of text are what they are in a string.
func ordinary(text []byte) int {
	for i, c := range text {
		if special[c] {
			return i
		}
	}
	return len(text)
}

// special bytes end a string or begin an escape. One look into a table takes less time
// than two comparisons.
var special = [256]bool{'"': true, '\\': true}

func (s *scanner) escape() {
	if s.accept(`"\/bfnrt`) {
		return
	}
	ok := s.accept("u")
	for range 4 {
		ok = ok && s.accept("0123456789abcdefABCDEF")
	}
	if !ok {
		s.malformed("a broken escape")
	}
}

func (s *scanner) number() {
	if s.accept("-") && s.look() == 'I' {
		s.literal(literals[kindInfinity])
		return
	}
	if !s.accept("0") {
		s.digits()
	}
	if s.accept(".") {
		s.digits()
	}
	if s.accept("eE") {
		s.accept("+-")
		s.digits()
	}
}

func (s *scanner) digits() {
	if !isDigit(s.look()) {
		s.malformed("a broken number")
	}
	for isDigit(s.look()) {
		s.at++
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

var literals = map[kind]string{
	kindTrue: "true", kindFalse: "false", kindNull: "null",
	kindNaN: "NaN", kindInfinity: "Infinity", kindUndefined: "undefined",
}

func (s *scanner) literal(text string) {
	ok := text != ""
	for i := range len(text) {
		ok = ok && s.accept(text[i:i+1])
	}
	if !ok {
		s.malformed("no value where one should be")
	}
}
