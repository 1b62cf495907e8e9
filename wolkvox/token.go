package wolkvox

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// TokenSource gives the token for the next request.
type TokenSource func() (string, error)

// StaticToken is a token that never changes.
func StaticToken(token string) TokenSource {
	return func() (string, error) {
		clean, err := cleanToken([]byte(token))
		if err != nil {
			return "", fmt.Errorf("the token cannot be used: %w", err)
		}
		return clean, nil
	}
}

// TokenFile reads the token from a file, again for every request: a request
// every few minutes costs nothing, and a rotated token is used at once.
func TokenFile(path string) TokenSource {
	return func() (string, error) {
		text, err := os.ReadFile(path) //nolint:gosec // The path is the user's own flag.
		if err != nil {
			return "", fmt.Errorf("reading the token file: %w", err)
		}
		token, err := cleanToken(text)
		if err != nil {
			return "", fmt.Errorf("reading the token file %q: %w", path, err)
		}
		return token, nil
	}
}

// cleanToken takes the space around a token away and refuses what cannot be
// sent as a header. It never quotes the token.
func cleanToken(text []byte) (string, error) {
	token := bytes.TrimSpace(text)
	if len(token) == 0 {
		return "", errors.New("it is empty")
	}
	for _, c := range token {
		if c <= ' ' || c > '~' {
			return "", errors.New("it holds characters that no token has, such as a space or a line break")
		}
	}
	return string(token), nil
}
