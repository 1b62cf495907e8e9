package store

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// maxName leaves room for our suffixes and the digits of a temporary file under
// the shortest limit in use, the 143 bytes of an encrypted home folder.
const maxName = 100

// device matches the names that Windows keeps for devices, whatever follows the dot.
var device = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// safeName makes a file name of an operation's name: bytes other than
// a-z 0-9 _ - . are percent-escaped, and so are capitals, because some file
// systems take A for a. Unescaping gives the operation's name back, so no two
// meet. A long name ends in its hash after a ~, which no short one contains.
func safeName(operation string) string {
	var b strings.Builder
	isDevice := device.MatchString(operation)
	for i := range len(operation) {
		c := operation[i]
		switch {
		case i == 0 && (isDevice || c == '.' || c == '-'): // nor hidden, nor like a flag in a shell
			fmt.Fprintf(&b, "%%%02x", c)
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if b.Len() <= maxName {
		return b.String()
	}
	return fmt.Sprintf("%s~%x", b.String()[:32], sha256.Sum256([]byte(operation)))
}
