package wolkvox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// FuzzTame holds the filter to what it promises, in any piece it may get.
func FuzzTame(f *testing.F) {
	for _, body := range []string{
		`{"code": "200", "data": [{"conn_id": "1768782871.5521", "asa": 42}], "msg": null}`,
		`["1234567890123456789\"", "1234567890123\u00e1\u00e1", "\\\\\\\\\\\\\\\\\\"]`, `[-12345678901234567890.5e12345678901234567890]`,
		"[1,\r\n\t                     2]", `[[[[[[1, "]\"]"], {"a": "}"}]]]], "x"]`, `{"a": {"a": {"a": {"a": {"a": 1}}, "b": 2}}}`,
		"[\"123456789012345678\n\"]", `["123456789012345678\x"]`, `["123456789012345678\u00g0"]`, `[[[[}]]]`, `[[[[1]2]]]`, `]]]]`, "\xff\x00",
	} {
		for _, piece := range []uint8{0, 2, 30} {
			f.Add([]byte(body), piece)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, piece uint8) {
		unbounded := &tamed{longest: len(body) + 1, deepest: len(body) + 1, dropping: true}
		if n := unbounded.tame(bytes.Clone(body)); n != len(body) {
			t.Fatalf("have %d bytes of %q without a bound", n, body)
		}
		out := atOnce(body)
		tokens, deep := tokensOf(t, out)
		switch in := json.Valid(body); {
		case in:
			want, _ := tokensOf(t, body)
			mustBeTame(t, tokens, want)
		case tokens != nil && !deep:
			t.Fatalf("%q became %q", body, out)
		}
		mustPassInPieces(t, body, out, int(piece)+1)
	})
}

// tokensOf is the tokens outside of what is deep, or nil if text is no JSON. deep
// tells whether there is more.
func tokensOf(t *testing.T, text []byte) (tokens []string, deep bool) {
	t.Helper()
	if !json.Valid(text) {
		return nil, false
	}
	d := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	for {
		token, err := scalarOrBracket(d)
		if errors.Is(err, io.EOF) {
			return tokens, deep
		}
		if err != nil {
			t.Fatalf("%q is JSON to one and not to the other: %v", text, err)
		}
		if depth := d.StackDepth(); depth < smallDeepest || depth == smallDeepest && (token == "{" || token == "[") {
			tokens = append(tokens, token)
		}
		deep = deep || d.StackDepth() == smallDeepest
	}
}

// scalarOrBracket reads as the decoder of reports does: never more at once.
func scalarOrBracket(d *jsontext.Decoder) (string, error) {
	switch kind := d.PeekKind(); kind {
	case kindObject, kindArray, '}', ']':
		_, err := d.ReadToken()
		return kind.String(), err
	default:
		value, err := d.ReadValue()
		return string(value), err
	}
}

var manyDigits = regexp.MustCompile(`([0-9]{16})[0-9]+`)

func mustBeTame(t *testing.T, have, want []string) {
	t.Helper()
	if len(have) != len(want) {
		t.Fatalf("have %q, want %q", have, want)
	}
	for i, token := range want {
		switch {
		case token[0] == '"' && len(token) > smallLongest:
			start := have[i][:len(have[i])-1]
			if len(start) < smallLongest || len(start) > smallLongest+len(`\u00e1`) || !strings.HasPrefix(token, start) {
				t.Fatalf("have %s, want the start of %s", have[i], token)
			}
		case token[0] != '"':
			token = manyDigits.ReplaceAllString(token, "$1")
			fallthrough
		default:
			if have[i] != token {
				t.Fatalf("have %s, want %s", have[i], token)
			}
		}
	}
}

// mustPassInPieces reads a body in pieces, as far as a report is read: it begins
// with a bracket, and nothing follows the last one.
func mustPassInPieces(t *testing.T, body, want []byte, piece int) {
	t.Helper()
	filter := small(pieces{bytes.NewReader(body), piece})
	var have bytes.Buffer
	filter.json = jsontext.NewDecoder(io.TeeReader(filter, &have), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	_, err := filter.json.ReadToken()
	if filter.json.StackDepth() == 0 {
		return
	}
	for err == nil && filter.json.StackDepth() > 0 {
		_, err = scalarOrBracket(filter.json)
	}
	if err == nil {
		_, err = filter.json.ReadToken()
	}
	if complete := errors.Is(err, io.EOF); !bytes.HasPrefix(want, have.Bytes()) || complete && have.Len() != len(want) {
		t.Fatalf("in pieces of %d: have %q, want %q of %q", piece, have.Bytes(), want, body)
	}
}

// pieces reads at most so many bytes at once.
type pieces struct {
	from io.Reader
	size int
}

func (p pieces) Read(b []byte) (int, error) { return p.from.Read(b[:min(len(b), p.size)]) }
