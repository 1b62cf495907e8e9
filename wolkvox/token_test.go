package wolkvox

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestParseToken_TakesSpaceAway(t *testing.T) {
	for _, c := range [][2]string{
		{"first", "first"}, {"second\n", "second"}, {" \t third \r\n\n", "third"}, {"a.b-c_d+e/f=~!", "a.b-c_d+e/f=~!"},
	} {
		if have, err := ParseToken([]byte(c[0])); have != c[1] || err != nil {
			t.Errorf("%q: have %q, %v, want %q", c[0], have, err, c[1])
		}
	}
}

// inUTF16 is a text as Windows writes it.
func inUTF16(text string, order binary.AppendByteOrder) string {
	var encoded []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		encoded = order.AppendUint16(encoded, unit)
	}
	return string(encoded)
}

func TestParseToken_SaysWhatIsWrongAndQuotesNothing(t *testing.T) {
	const mark = "\ufeff"
	for _, test := range []struct{ name, text, says string }{
		{"empty", "", "empty"},
		{"only space", " \r\n\t", "empty"},
		{"two lines", canaryToken + "\n" + canaryToken, "characters"},
		{"two words", canaryToken + " x", "characters"},
		{"a tab", canaryToken + "\tx", "characters"},
		{"no ASCII", canaryToken + "é", "characters"},
		{"no UTF-8", canaryToken + "\xe9", "characters"},
		{"a control character", canaryToken + "\x00", "characters"},
		{"delete", canaryToken + "\x7f", "characters"},
		{"a header", canaryToken + "\r\nX-Evil: 1", "characters"},
		{"a byte-order mark", mark + canaryToken, "byte-order mark"},
		{"a byte-order mark behind space", "\n" + mark + canaryToken, "byte-order mark"},
		{"UTF-16, low byte first", inUTF16(mark+canaryToken+"\r\n", binary.LittleEndian), "UTF-16"},
		{"UTF-16, high byte first", inUTF16(mark+canaryToken+"\r\n", binary.BigEndian), "UTF-16"},
		{"UTF-16, low byte first, without a mark", inUTF16(canaryToken+"\r\n", binary.LittleEndian), "UTF-16"},
		{"UTF-16, high byte first, without a mark", inUTF16(canaryToken+"\r\n", binary.BigEndian), "UTF-16"},
	} {
		have, err := ParseToken([]byte(test.text))
		if err == nil || have != "" || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: have %q, %v, want an error with %q", test.name, have, err, test.says)
			continue
		}
		mustHideCanaries(t, err)
	}
}

func TestStaticToken_IsParsed(t *testing.T) {
	if have, err := StaticToken(" " + canaryToken + "\n")(); have != canaryToken || err != nil {
		t.Errorf("have %q, %v", have, err)
	}
	for _, token := range []string{"", " ", canaryToken + "\nx"} {
		have, err := StaticToken(token)()
		if err == nil || have != "" {
			t.Fatalf("%q: have %q, %v", token, have, err)
		}
		mustHideCanaries(t, err)
		if !strings.Contains(err.Error(), "token") {
			t.Errorf("have %q, want it to say what is wrong", err)
		}
	}
}
