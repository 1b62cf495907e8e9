package wolkvox

import (
	"bytes"
	"errors"
	"fmt"
)

// TokenSource returns the token for the next request.
type TokenSource func() (string, error)

// StaticToken returns a source of a token that never changes.
func StaticToken(token string) TokenSource {
	return func() (string, error) {
		clean, err := ParseToken([]byte(token))
		if err != nil {
			return "", fmt.Errorf("the token cannot be used: %w", err)
		}
		return clean, nil
	}
}

// ParseToken returns the token in a text, without the white space around it. It refuses what
// cannot be sent as a header, such as the byte-order mark of an editor. Its errors do not quote
// the text.
func ParseToken(text []byte) (string, error) {
	token := bytes.TrimSpace(text)
	switch {
	case len(token) == 0:
		return "", errors.New("it is empty")
	case bytes.HasPrefix(token, []byte("\xef\xbb\xbf")):
		return "", errors.New("it begins with a byte-order mark: save it as plain ASCII")
	case isUTF16(token):
		return "", errors.New("it is in UTF-16: save it as plain ASCII")
	case bytes.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("it holds characters that no token has, such as a space or a line break")
	default:
		return string(token), nil
	}
}

// isUTF16 reports whether a text begins with the mark of UTF-16, or is ASCII in UTF-16: every
// other byte is 0.
func isUTF16(text []byte) bool {
	return bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) ||
		len(text) > 2 && (text[0] == 0) != (text[1] == 0) && bytes.Count(text, []byte{0}) >= len(text)/2
}
