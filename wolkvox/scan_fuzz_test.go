package wolkvox

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
)

// FuzzScan holds the scanner against encoding/json: it accepts the same texts and
// reads the same values, whatever its buffer holds and however the bytes arrive.
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
	f.Fuzz(func(t *testing.T, body []byte, size, piece uint8) {
		body = slices.Concat([]byte("["), body, []byte("]"))
		want, depth := tokensOf(body)
		valid := json.Valid(body)

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
			text, _ := s.value()
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
