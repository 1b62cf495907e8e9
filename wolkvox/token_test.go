package wolkvox

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestParseToken_TrimsSpace(t *testing.T) {
	for _, c := range [][2]string{
		{"first", "first"}, {"second\n", "second"}, {" \t third \r\n\n", "third"}, {"a.b-c_d+e/f=~!", "a.b-c_d+e/f=~!"},
	} {
		if have, err := ParseToken([]byte(c[0])); have != c[1] || err != nil {
			t.Errorf("%q: have %q, %v, want %q", c[0], have, err, c[1])
		}
	}
}

// encodeUTF16 encodes a text as Windows does.
func encodeUTF16(text string, order binary.AppendByteOrder) string {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = order.AppendUint16(encoded, unit)
	}
	return string(encoded)
}

func TestParseToken_NamesProblemAndQuotesNothing(t *testing.T) {
	const mark = "\ufeff"
	for _, test := range []struct{ name, text, says string }{
		{"empty", "", "empty"},
		{"only space", " \r\n\t", "empty"},
		{"two lines", sampleToken + "\n" + sampleToken, "characters"},
		{"two words", sampleToken + " x", "characters"},
		{"a tab", sampleToken + "\tx", "characters"},
		{"no ASCII", sampleToken + "é", "characters"},
		{"no UTF-8", sampleToken + "\xe9", "characters"},
		{"a control character", sampleToken + "\x00", "characters"},
		{"delete", sampleToken + "\x7f", "characters"},
		{"a header", sampleToken + "\r\nX-Evil: 1", "characters"},
		{"a byte-order mark", mark + sampleToken, "byte-order mark"},
		{"a byte-order mark behind space", "\n" + mark + sampleToken, "byte-order mark"},
		{"UTF-16, low byte first", encodeUTF16(mark+sampleToken+"\r\n", binary.LittleEndian), "UTF-16"},
		{"UTF-16, high byte first", encodeUTF16(mark+sampleToken+"\r\n", binary.BigEndian), "UTF-16"},
		{"UTF-16, low byte first, without a mark", encodeUTF16(sampleToken+"\r\n", binary.LittleEndian), "UTF-16"},
		{"UTF-16, high byte first, without a mark", encodeUTF16(sampleToken+"\r\n", binary.BigEndian), "UTF-16"},
	} {
		have, err := ParseToken([]byte(test.text))
		if err == nil || have != "" || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: have %q, %v, want an error with %q", test.name, have, err, test.says)
			continue
		}
		wantNoPersonalData(t, err)
	}
}

func TestStaticToken_IsParsed(t *testing.T) {
	if have, err := StaticToken(" " + sampleToken + "\n")(); have != sampleToken || err != nil {
		t.Errorf("have %q, %v", have, err)
	}
	for _, token := range []string{"", " ", sampleToken + "\nx"} {
		have, err := StaticToken(token)()
		if err == nil || have != "" {
			t.Fatalf("%q: have %q, %v", token, have, err)
		}
		wantNoPersonalData(t, err)
		if !strings.Contains(err.Error(), "token") {
			t.Errorf("have %q, want it to say what is wrong", err)
		}
	}
}
