// Package jsonscan reads JSON value by value, in memory that does not grow with the
// input: neither with a long string nor with deeply nested arrays.
package jsonscan

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// MaxDepth is how many open objects and arrays are told apart. In deeper ones either
// bracket closes the innermost, and a colon separates like a comma. PHP writes no
// deeper JSON.
const MaxDepth = 512

// Kind is the kind of a value.
type Kind byte

// The kinds of values.
const (
	Null    Kind = 'n'
	Literal Kind = 'l' // true, false, or JavaScript's NaN, Infinity, -Infinity and undefined
	String  Kind = '"'
	Number  Kind = '0'
	Object  Kind = '{'
	Array   Kind = '['
	TooLong Kind = '+' // a string or number that does not fit the buffer
)

// Scanner reads one object or array. Down to [MaxDepth] it accepts what encoding/json
// accepts, and what programs write that put JSON together by hand: control characters in
// strings, and the literals of JavaScript. Invalid UTF-8 and repeated names are allowed.
//
// After an error [Scanner.Next] reports false and values are empty, so that callers need to
// look at [Scanner.Err] only at the end.
type Scanner struct {
	reader
	depth   int
	closers [MaxDepth]byte // the closing bracket of each open object and array
	first   bool           // no member or element of the innermost one was read yet
	named   bool           // a name was read, without the colon after it
	escaped bool           // the last string has escapes
}

// New returns a Scanner of input. maxTokenLen is how many bytes a string, a name or a
// number can have to be returned, its quotes included; at least 16.
func New(input io.Reader, maxTokenLen int) *Scanner {
	return &Scanner{reader: reader{from: bufio.NewReaderSize(input, maxTokenLen), token: -1}}
}

// PeekKind returns the kind of the next value, without reading the value.
func (s *Scanner) PeekKind() Kind {
	if s.named {
		s.named = false
		if s.nextVisible() != ':' {
			s.Reject("expected a colon after a name")
			return 0
		}
		s.pos++
	}
	switch c := s.nextVisible(); c {
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return Number // or -Infinity, as Value finds out
	case 't', 'f', 'N', 'I', 'u':
		return Literal
	default:
		return Kind(c)
	}
}

// Open reads the start of an [Object] or [Array].
func (s *Scanner) Open(kind Kind) {
	message, closer := "expected an object", byte('}')
	if kind == Array {
		message, closer = "expected an array", ']'
	}
	if s.PeekKind() != kind {
		s.Reject(message)
		return
	}
	s.pos++
	if s.depth < MaxDepth {
		s.closers[s.depth] = closer
	}
	s.depth++
	s.first = true
}

// Next reports whether the innermost open object or array has another member or element.
// It reads the comma before that, or the closing bracket.
func (s *Scanner) Next() bool {
	c, first := s.nextVisible(), s.first
	s.first = false
	switch {
	case s.err != nil:
		return false
	case c == s.closer(), s.depth > MaxDepth && (c == '}' || c == ']'):
		s.pos++
		s.depth--
		return false
	case first:
		return true
	case c == ',', s.depth > MaxDepth && c == ':':
		s.pos++
		return true
	default:
		s.Reject("expected a comma")
		return false
	}
}

// closer returns the closing bracket of the innermost open object or array; 0 below MaxDepth.
func (s *Scanner) closer() byte {
	if s.depth > MaxDepth {
		return 0
	}
	return s.closers[s.depth-1]
}

// Name reads the name of a member; nil if it is too long. It is valid until the next call.
// The colon is read with the value.
func (s *Scanner) Name() []byte {
	if s.nextVisible() != '"' {
		s.Reject("expected a name")
		return nil
	}
	s.keep()
	s.string()
	s.named = true
	return s.unquote(s.kept())
}

// ConsumeKey reads key, a name in quotes with its colon, if it follows in exactly this form. That is
// quicker than [Scanner.Name].
func (s *Scanner) ConsumeKey(key string) bool {
	s.nextVisible()
	rest := s.window[s.pos:]
	if len(rest) < len(key) || string(rest[:len(key)]) != key {
		return false
	}
	s.pos += len(key)
	return true
}

// Value reads a value. It returns what is in a string, and the text of a number or literal;
// nil for an object, an array and what is too long. It is valid until the next call.
func (s *Scanner) Value() (text []byte, kind Kind) {
	kind = s.PeekKind()
	if kind == Object || kind == Array {
		s.Skip()
		return nil, kind
	}
	s.keep()
	s.scalar(kind)
	text = s.kept()
	switch {
	case text == nil:
		kind = TooLong
	case kind == String:
		text = s.unquote(text)
	case kind == Number && text[len(text)-1] == 'y':
		kind = Literal
	}
	return text, kind
}

// Skip reads a value of any kind.
func (s *Scanner) Skip() {
	for outer := s.depth; s.err == nil; {
		if kind := s.PeekKind(); kind == Object || kind == Array {
			s.Open(kind)
		} else {
			s.scalar(kind)
		}
		for s.depth > outer && !s.Next() {
			if s.err != nil {
				return
			}
		}
		if s.depth == outer {
			return
		}
		if s.closer() == '}' {
			s.Name()
		}
	}
}

// scalar reads a value that is no object or array.
func (s *Scanner) scalar(kind Kind) {
	switch kind {
	case String:
		s.string()
	case Number:
		s.number()
	default:
		s.literal()
	}
}

// unquote returns the text in a string that was just read.
func (s *Scanner) unquote(quoted []byte) []byte {
	if quoted == nil {
		return nil
	}
	if !s.escaped {
		return quoted[1 : len(quoted)-1]
	}
	strict := make([]byte, 0, len(quoted))
	for _, c := range quoted {
		if c < ' ' {
			strict = fmt.Appendf(strict, `\u%04x`, c)
		} else {
			strict = append(strict, c)
		}
	}
	var text string
	if json.Unmarshal(strict, &text) != nil { // Its error would quote the text.
		s.Reject("invalid string")
	}
	return []byte(text)
}

// string reads a string from its first quote on.
func (s *Scanner) string() {
	s.pos++
	s.escaped = false
	for s.err == nil {
		s.pos += plainLen(s.window[s.pos:])
		switch s.next() {
		case '"':
			s.pos++
			return
		case '\\':
			s.pos++
			s.escaped = true
			s.escape()
		}
	}
}

// plainLen returns how many bytes of text come before a quote or a backslash.
func plainLen(text []byte) int {
	for i, c := range text {
		if special[c] {
			return i
		}
	}
	return len(text)
}

// special is looked up instead of two comparisons, which take longer.
var special = [256]bool{'"': true, '\\': true}

func (s *Scanner) escape() {
	if s.accept(`"\/bfnrt`) {
		return
	}
	ok := s.accept("u")
	for range 4 {
		ok = ok && s.accept("0123456789abcdefABCDEF")
	}
	if !ok {
		s.Reject("invalid escape")
	}
}

func (s *Scanner) number() {
	if s.accept("-") && s.next() == 'I' {
		s.literal()
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

func (s *Scanner) digits() {
	start := s.Offset()
	for c := s.next(); c >= '0' && c <= '9'; c = s.next() {
		s.pos++
	}
	if s.Offset() == start {
		s.Reject("invalid number")
	}
}

// literals are found by their first byte.
var literals = map[byte]string{
	't': "true", 'f': "false", 'n': "null", 'N': "NaN", 'I': "Infinity", 'u': "undefined",
}

func (s *Scanner) literal() {
	text := literals[s.next()]
	ok := text != ""
	for i := range len(text) {
		ok = ok && s.accept(text[i:i+1])
	}
	if !ok {
		s.Reject("expected a value")
	}
}
