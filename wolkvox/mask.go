package wolkvox

import (
	"strings"
	"unicode"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
)

// mask returns what a text looks like: "99:99:99". It shows a digit as 9 and letters as one
// a, so that it identifies no value.
func mask(text []byte) string {
	const maxLen = 25 // a date with a zone
	var b strings.Builder
	for _, r := range string(text) {
		switch {
		case b.Len() == maxLen:
			return b.String() + "…"
		case r >= '0' && r <= '9':
			b.WriteByte('9')
		case unicode.IsLetter(r) && !strings.HasSuffix(b.String(), "a"):
			b.WriteByte('a')
		case unicode.IsLetter(r):
		case strings.ContainsRune(" :,.-/", r):
			b.WriteRune(r)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

// maskOfKind returns the mask of a value that its field cannot have.
func maskOfKind(kind jsonscan.Kind, text []byte) string {
	switch kind {
	case jsonscan.Literal:
		return string(text)
	case jsonscan.TooLong:
		return "more than 64 KiB"
	case jsonscan.Object:
		return "{…}"
	default:
		return "[…]"
	}
}
