package jsonscan

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

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
