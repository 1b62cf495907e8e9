// Package jsonscantest makes texts that jsonscan accepts acceptable to encoding/json.
package jsonscantest

import (
	"bytes"
	"fmt"
)

// Strict returns text as strict JSON: control characters in strings are escaped, and the
// literals that only JavaScript has are null.
func Strict(text []byte) (strict []byte) {
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
