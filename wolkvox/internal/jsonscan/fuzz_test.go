package jsonscan

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan/jsonscantest"
)

// FuzzScan holds the scanner against encoding/json: it accepts the same texts and
// reads the same values, whatever its buffer holds and however the bytes arrive. What
// it accepts beyond that is what strictly makes JSON of.
func FuzzScan(f *testing.F) {
	for _, body := range []string{
		`{"code": "200", "data": [{"conn_id": "1768782871.5521", "asa": 42}], "msg": null}`, `0, -0, 1.5, 10e3, 1E+2, 0.0e-0, true, false, null, ""`,
		`"1234567890123456789\"", "1234567890123\u00e1\u00E1", "\\\\\/\b\f\n\r\t", "\ud83d\ude00", "\ud800", "\ud800\u0041"`,
		`{"a": {"a": {"a": 1}, "": [], "a": {}}, "caf\u00e9" : 2}`, "\r\n\t 1 , [\t]\r, { }\n", "\"\xff\xc3\"", "\"\u007f\u0080\"",
		nested(MaxDepth) + "," + nested(MaxDepth+1), strings.Repeat(`{"x":[`, MaxDepth) + `"]}"` + strings.Repeat(`]}`, MaxDepth),
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
		strict := jsonscantest.Strict(body)
		want, depth := readTokens(strict)
		valid := json.Valid(strict)

		whole := New(bytes.NewReader(body), max(16, len(body)+1))
		have := scan(whole)
		if accepted := whole.Err() == nil; accepted != valid {
			t.Fatalf("accepted %q: %v, %v", body, accepted, whole.Err())
		}
		if valid && !slices.Equal(have, want) {
			t.Fatalf("have %q, want %q", have, want)
		}

		maxTokenLen := int(size) + 16
		small := New(pieces{bytes.NewReader(body), int(piece) + 1}, maxTokenLen)
		have = scan(small)
		if (small.Err() == nil) != valid {
			t.Fatalf("in a buffer of %d bytes: %v of %q", maxTokenLen, small.Err(), body)
		}
		if valid && !slices.EqualFunc(have, want, func(have, want string) bool { return have == want || have == tooLong }) {
			t.Fatalf("in a buffer of %d bytes: have %q, want %q", maxTokenLen, have, want)
		}

		skipped := New(pieces{bytes.NewReader(body), int(piece) + 1}, maxTokenLen)
		skipped.Skip()
		checkEnd(skipped)
		if accepted := skipped.Err() == nil; valid && !accepted || accepted && !valid && depth <= MaxDepth {
			t.Fatalf("skipped %q: %v", body, skipped.Err())
		}
	})
}

const tooLong = "too long"

// checkEnd rejects what follows but white space.
func checkEnd(s *Scanner) {
	for text := s.Peek(1); len(text) > 0; text = s.Peek(1) {
		if !bytes.Contains([]byte(" \t\r\n"), text) {
			s.Reject("text after the end")
			return
		}
		s.Discard(1)
	}
}

// readTokens reads text with encoding/json up to the first error, and returns the tokens and
// the largest depth.
func readTokens(text []byte) (tokens []string, most int) {
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

// scan reads a whole document as tokensOf does.
func scan(s *Scanner) (tokens []string) {
	add := func(quote string, text []byte) {
		if text == nil {
			tokens = append(tokens, tooLong)
			return
		}
		// Each invalid byte becomes a replacement character, as in encoding/json.
		tokens = append(tokens, quote+string([]rune(string(text))))
	}
	var read func()
	read = func() {
		switch kind := s.PeekKind(); kind {
		case Object:
			tokens = append(tokens, "{")
			for s.Open(kind); s.Next(); read() {
				add(`"`, s.Name())
			}
			tokens = append(tokens, "}")
		case Array:
			tokens = append(tokens, "[")
			for s.Open(kind); s.Next(); {
				read()
			}
			tokens = append(tokens, "]")
		case String:
			text, _ := s.Value()
			add(`"`, text)
		default:
			text, kind := s.Value()
			if kind == Literal && !slices.Contains([]string{"true", "false"}, string(text)) {
				text = []byte("null")
			}
			add("", text)
		}
	}
	read()
	checkEnd(s)
	return tokens
}

// pieces reads at most so many bytes at once.
type pieces struct {
	from io.Reader
	size int
}

// Read implements io.Reader.
func (p pieces) Read(b []byte) (int, error) { return p.from.Read(b[:min(len(b), p.size)]) }
