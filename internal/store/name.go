package store

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// maxNameLen is the length of the longest file name without suffixes. The shortest limit of a
// file system is 143 bytes (eCryptfs). The rest is for our suffixes and the digits of a
// temporary file.
const maxNameLen = 100

// deviceName matches the names that Windows reserves for devices, with any extension.
var deviceName = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// safeName returns the file name for an operation's name. Bytes other than a-z 0-9 _ - . are
// percent-escaped. Capitals are too, because some file systems ignore case. Unescaping returns
// the operation's name, so all file names are different. A long name is cut and ends in ~ and
// its hash; no short name contains a ~.
func safeName(operation string) string {
	var b strings.Builder
	isDevice := deviceName.MatchString(operation)
	for i := range len(operation) {
		c := operation[i]
		switch {
		case i == 0 && (isDevice || c == '.' || c == '-'): // The file must not be hidden or look like a flag.
			fmt.Fprintf(&b, "%%%02x", c)
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '-', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	if b.Len() <= maxNameLen {
		return b.String()
	}
	return fmt.Sprintf("%s~%x", b.String()[:32], sha256.Sum256([]byte(operation)))
}
