package jsonscan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan/jsonscantest"
)

// nested returns n arrays, each inside the one before.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

func TestScanner_AcceptsEachByteAsEncodingJSONDoes(t *testing.T) {
	for _, around := range []string{
		`%s`, `%s1`, `1%s`, `[1%s2]`, `0%s0`, `-%s`, `1.%s`, `1e%s1`, `t%sue`, `"%s"`, `"\%s"`, `"\u%s"`, `"\u00%s0"`,
		`{%s}`, `{"a"%s1}`, `{"a":[1%s`, `[{"a":1%s`,
	} {
		for c := range 256 {
			text := fmt.Sprintf("["+around+"]", []byte{byte(c)})
			s := New(strings.NewReader(text), 16)
			s.Skip()
			checkEnd(s)
			if have, want := s.Err() == nil, json.Valid(jsonscantest.Strict([]byte(text))); have != want {
				t.Errorf("%q: have %v (%v), want %v", text, have, s.Err(), want)
			}
		}
	}
}

func TestScanner_ReadsMembersAndElements(t *testing.T) {
	s := New(strings.NewReader(`{"a": [1, -Infinity], "b\u0063": "x\ty", "skipped": {"d": [{}]}, "e": null}`), 64)
	var have []string
	for s.Open(Object); s.Next(); {
		switch name := string(s.Name()); name {
		case "a":
			for s.Open(Array); s.Next(); {
				text, kind := s.Value()
				have = append(have, fmt.Sprintf("%c %s", kind, text))
			}
		case "skipped":
			s.Skip()
		default:
			text, kind := s.Value()
			have = append(have, fmt.Sprintf("%s %c %s", name, kind, text))
		}
	}
	want := []string{"0 1", "l -Infinity", "bc \" x\ty", "e n null"}
	if s.Err() != nil || fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("have %q, %v, want %q", have, s.Err(), want)
	}
}

func TestScanner_LongTokenCostsNoOther(t *testing.T) {
	for _, long := range []string{`"` + strings.Repeat("x", 31) + `"`, strings.Repeat("7", 32), `"` + strings.Repeat(`\u00e1`, 10) + `"`} {
		s := New(iotest.OneByteReader(strings.NewReader(`[1,`+long+`,"`+strings.Repeat("y", 30)+`"]`)), 32)
		s.Open(Array)
		for i, want := range []Kind{Number, TooLong, String} {
			if more, text, kind := s.Next(), "", Kind(0); more {
				var value []byte
				value, kind = s.Value()
				text = string(value)
				if kind != want || (kind == TooLong) != (text == "") {
					t.Errorf("%s: have %q of kind %c as value %d, want kind %c", long, text, kind, i, want)
				}
			}
		}
		if s.Next() || s.Err() != nil {
			t.Errorf("%s: have %v, want the end", long, s.Err())
		}
	}
}

func TestScanner_DepthBeyondMaxDepth(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth)
	for text, want := range map[string]bool{
		deep + `[{"a": [1, "]"]}]` + strings.Repeat("]", MaxDepth):      true,
		deep + `[}` + strings.Repeat("]", MaxDepth):                     true, // not told apart
		deep + `[]` + strings.Repeat("]", MaxDepth-1) + "}":             false,
		deep + `[1 2]` + strings.Repeat("]", MaxDepth):                  false,
		deep + `[tru]` + strings.Repeat("]", MaxDepth):                  false,
		deep + `[]` + strings.Repeat("]", MaxDepth-1):                   false,
		"[" + nested(100*MaxDepth) + `,{"a":` + nested(MaxDepth) + "}]": true,
	} {
		s := New(strings.NewReader(text), 64)
		s.Skip()
		checkEnd(s)
		if have := s.Err() == nil; have != want {
			t.Errorf("%.10s…%s: have %v, want accepted %v", text, text[len(text)-10:], s.Err(), want)
		}
	}
}

func TestScanner_ConsumeKeyReadsExactKeyOnly(t *testing.T) {
	s := New(strings.NewReader(`{ "a":1, "a" :2, "ab":3, "a":4}`), 64)
	var have []bool
	for s.Open(Object); s.Next(); s.Skip() {
		consumed := s.ConsumeKey(`"a":`)
		if !consumed {
			s.Name()
		}
		have = append(have, consumed)
	}
	if want := []bool{true, false, false, true}; s.Err() != nil || fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("have %v, %v, want %v", have, s.Err(), want)
	}
}

func TestScanner_PeekReadsNothing(t *testing.T) {
	s := New(iotest.HalfReader(strings.NewReader(`text [1] rest`)), 16)
	if have := string(s.Peek(5)); have != "text " || s.Offset() != 0 {
		t.Errorf("have %q at %d", have, s.Offset())
	}
	s.Discard(5)
	s.Skip()
	if have := string(s.Peek(16)); have != " rest" || s.Offset() != 8 || s.Err() != nil {
		t.Errorf("have %q at %d, %v, want the rest", have, s.Offset(), s.Err())
	}
	s.Discard(5)
	if have := s.Peek(1); len(have) != 0 || s.Err() != nil {
		t.Errorf("have %q, %v at the end", have, s.Err())
	}
}

func TestScanner_FirstErrorIsLast(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		input io.Reader
		want  string
	}{
		"syntax": {strings.NewReader(`[1, x, "`), "expected a value at byte 4"},
		"cut":    {strings.NewReader(`[1, `), "unexpected end at byte 4"},
		"reader": {io.MultiReader(strings.NewReader(`[1, "x`), iotest.ErrReader(broken)), "broken"},
	} {
		s := New(c.input, 64)
		for s.Open(Array); s.Next(); {
			s.Value()
		}
		first := s.Err()
		s.Reject("later")
		s.Stop(errors.New("later"))
		if text, _ := s.Value(); text != nil || s.Next() || len(s.Peek(1)) > 0 {
			t.Errorf("%s: have more after the error", name)
		}
		if first == nil || first.Error() != c.want || !errors.Is(s.Err(), first) {
			t.Errorf("%s: have %v, then %v, want %s", name, first, s.Err(), c.want)
		}
	}
}
