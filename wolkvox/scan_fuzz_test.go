package wolkvox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// FuzzScan holds the scanner against encoding/json: it accepts the same texts and
// reads the same values, whatever its buffer holds and however the bytes arrive. What
// it accepts beyond that is what strictly makes JSON of.
func FuzzScan(f *testing.F) {
	for _, body := range []string{
		`{"code": "200", "data": [{"conn_id": "1768782871.5521", "asa": 42}], "msg": null}`, `0, -0, 1.5, 10e3, 1E+2, 0.0e-0, true, false, null, ""`,
		`"1234567890123456789\"", "1234567890123\u00e1\u00E1", "\\\\\/\b\f\n\r\t", "\ud83d\ude00", "\ud800", "\ud800\u0041"`,
		`{"a": {"a": {"a": 1}, "": [], "a": {}}, "caf\u00e9" : 2}`, "\r\n\t 1 , [\t]\r, { }\n", "\"\xff\xc3\"", "\"\u007f\u0080\"",
		nested(deepest) + "," + nested(deepest+1), strings.Repeat(`{"x":[`, deepest) + `"]}"` + strings.Repeat(`]}`, deepest),
		`1,`, `,1`, `1 2`, `01`, `-`, `+1`, `1.`, `.5`, `1e`, `1e+`, `0x1`, `tru`, `truee`, `nul`, `"`, `"\x"`, `"\u12g4"`, `"\u123"`, `"\u"`, "\"a\nb\"", "\"\x00\"", "\x00", "\f1", "\xef\xbb\xbf1",
		`{"a"}`, `{"a":}`, `{"a" 1}`, `{"a":1,}`, `{,}`, `{1:2}`, `{a:1}`, `{"a":1 "b":2}`, `{]`, `[}`, `]`, `1], [2`, "",
	} {
		for _, size := range []uint8{0, 14, 200} {
			f.Add([]byte(body), size, uint8(1))
		}
	}
	for _, body := range []string{
		"\"a\tb\u00e1\x00\"", "NaN, -Infinity, Infinity, undefined", "{\"NaN\n\": NaN}", "-NaN", "+Infinity", "\"\\\n\"", "NaNNaN", "undefine", "-In", "-Infinity1",
	} {
		f.Add([]byte(body), uint8(200), uint8(1))
	}
	f.Fuzz(func(t *testing.T, body []byte, size, piece uint8) {
		body = slices.Concat([]byte("["), body, []byte("]"))
		strict := strictly(body)
		want, depth := tokensOf(strict)
		valid := json.Valid(strict)

		whole := newScanner(bytes.NewReader(body), len(body)+1)
		have := scanned(whole)
		if accepted := whole.err == nil; accepted != valid {
			t.Fatalf("accepted %q: %v, %v", body, accepted, whole.err)
		}
		if valid && !slices.Equal(have, want) {
			t.Fatalf("have %q, want %q", have, want)
		}

		small := newScanner(pieces{bytes.NewReader(body), int(piece) + 1}, int(size)+1)
		have = scanned(small)
		if (small.err == nil) != valid {
			t.Fatalf("in a buffer of %d bytes: %v of %q", int(size)+1, small.err, body)
		}
		if valid && !slices.EqualFunc(have, want, func(have, want string) bool { return have == want || have == tooLong }) {
			t.Fatalf("in a buffer of %d bytes: have %q, want %q", int(size)+1, have, want)
		}

		skipped := newScanner(pieces{bytes.NewReader(body), int(piece) + 1}, int(size)+1)
		skipped.skip()
		skipped.finish()
		if accepted := skipped.err == nil; valid && !accepted || accepted && !valid && depth <= deepest {
			t.Fatalf("skipped %q: %v", body, skipped.err)
		}
	})
}

const tooLong = "too long"

// strictly makes JSON of what the scanner accepts beyond it: control characters in
// strings, and the values of JavaScript that JSON has not.
func strictly(text []byte) (strict []byte) {
	quoted := false
	for i := 0; i < len(text); i++ {
		word := ""
		for _, known := range []string{"NaN", "-Infinity", "Infinity", "undefined"} {
			if !quoted && bytes.HasPrefix(text[i:], []byte(known)) {
				word = known
				break
			}
		}
		switch c := text[i]; {
		case word != "":
			strict = append(strict, "null"...)
			i += len(word) - 1
		case quoted && c == '\\' && i+1 < len(text):
			strict = append(strict, c, text[i+1])
			i++
		case quoted && c < ' ':
			strict = fmt.Appendf(strict, `\u%04x`, c)
		default:
			quoted = quoted != (c == '"')
			strict = append(strict, c)
		}
	}
	return strict
}

// finish sees to it that nothing follows but space.
func (s *scanner) finish() {
	if s.err == nil && s.peek() == 0 && errors.Is(s.err, io.EOF) {
		s.err = nil
		return
	}
	s.malformed("text after the end of the JSON")
}

// tokensOf reads text with encoding/json, as far as it is JSON, and tells how deep
// that goes.
func tokensOf(text []byte) (tokens []string, most int) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	depth := 0
	for {
		token, err := d.Token()
		if err != nil {
			return tokens, most
		}
		switch token := token.(type) {
		case json.Delim:
			depth += map[json.Delim]int{'{': 1, '[': 1, '}': -1, ']': -1}[token]
			most = max(most, depth)
			tokens = append(tokens, token.String())
		case json.Number:
			tokens = append(tokens, token.String())
		case string:
			tokens = append(tokens, `"`+token)
		case bool:
			tokens = append(tokens, map[bool]string{true: "true", false: "false"}[token])
		case nil:
			tokens = append(tokens, "null")
		}
	}
}

// scanned reads a whole document as tokensOf does.
func scanned(s *scanner) (tokens []string) {
	add := func(quote string, text []byte) {
		if text == nil {
			tokens = append(tokens, tooLong)
			return
		}
		// Each byte that is no UTF-8 becomes a sign of its own, as in encoding/json.
		tokens = append(tokens, quote+string([]rune(string(text))))
	}
	var read func()
	read = func() {
		switch kind := s.kind(); kind {
		case kindObject:
			tokens = append(tokens, "{")
			for s.open(kind, ""); s.next('}'); read() {
				add(`"`, s.name())
			}
			tokens = append(tokens, "}")
		case kindArray:
			tokens = append(tokens, "[")
			for s.open(kind, ""); s.next(']'); {
				read()
			}
			tokens = append(tokens, "]")
		case kindString:
			text, _ := s.value()
			add(`"`, text)
		default:
			text, kind := s.value()
			if kind == kindNaN || kind == kindInfinity || kind == kindUndefined {
				text = []byte("null")
			}
			add("", text)
		}
	}
	read()
	s.finish()
	return tokens
}

// pieces reads at most so many bytes at once.
type pieces struct {
	from io.Reader
	size int
}

// Read implements io.Reader.
func (p pieces) Read(b []byte) (int, error) { return p.from.Read(b[:min(len(b), p.size)]) }
