package wolkvox

import (
	"bytes"
	"errors"
	"fmt"
)

// TokenSource gives the token for the next request.
type TokenSource func() (string, error)

// StaticToken is a token that never changes.
func StaticToken(token string) TokenSource {
	return func() (string, error) {
		clean, err := ParseToken([]byte(token))
		if err != nil {
			return "", fmt.Errorf("the token cannot be used: %w", err)
		}
		return clean, nil
	}
}

// What an editor or a shell writes that does not save plain text.
var (
	utf8Mark   = []byte("\xef\xbb\xbf")
	utf16Marks = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// ParseToken returns the token in a text, without the space around it. It refuses
// what cannot be sent as a header. Its errors never quote the text.
func ParseToken(text []byte) (string, error) {
	token := bytes.TrimSpace(text)
	switch {
	case len(token) == 0:
		return "", errors.New("it is empty")
	case bytes.HasPrefix(token, utf8Mark):
		return "", errors.New("it begins with a byte-order mark: save it as plain ASCII")
	case isUTF16(token):
		return "", errors.New("it is in UTF-16: save it as plain ASCII")
	}
	for _, c := range token {
		if c <= ' ' || c > '~' {
			return "", errors.New("it holds characters that no token has, such as a space or a line break")
		}
	}
	return string(token), nil
}

// isUTF16 reports whether a text has the mark of UTF-16, or ASCII characters in it:
// every other byte is 0.
func isUTF16(text []byte) bool {
	for _, mark := range utf16Marks {
		if bytes.HasPrefix(text, mark) {
			return true
		}
	}
	return len(text) > 2 && (text[0] == 0) != (text[1] == 0) && bytes.Count(text, []byte{0}) >= len(text)/2
}
