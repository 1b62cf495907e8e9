package config

import (
	"fmt"
	"net/http"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// The maximum sizes of files. A token has some hundred bytes, a bundle of all public
// certificate authorities 300 KiB, and the description of an operation from a hundred bytes
// to some kilobytes.
const (
	maxTokenFile  = 64 << 10
	maxSecretFile = 4 << 20
	// MaxFileSize is the size of the largest configuration file, in bytes.
	MaxFileSize = 16 << 20
)

// tokenFile returns a source that reads the file for every request: with a request every
// few minutes this costs nothing, and a rotated token is used immediately.
func tokenFile(path string) wolkvox.TokenSource {
	return func() (string, error) {
		text, err := regular.ReadFile(path, maxTokenFile)
		var token string
		if err == nil {
			token, err = wolkvox.ParseToken(text)
		}
		if err != nil {
			return "", fmt.Errorf("reading the token file %q: %w", path, err)
		}
		return token, nil
	}
}

// checkFile returns an error unless a library can read the whole file.
func checkFile(file string) error {
	if err := regular.Check(file, maxSecretFile); err != nil {
		return fmt.Errorf("%q: %w", file, err)
	}
	return nil
}

// fileChecker checks, before each request, the files that the next RoundTripper reads.
type fileChecker struct {
	files []string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c fileChecker) RoundTrip(request *http.Request) (*http.Response, error) {
	for _, file := range c.files {
		if err := checkFile(file); err != nil {
			if request.Body != nil {
				_ = request.Body.Close() // A RoundTripper must close it, even on errors.
			}
			return nil, err
		}
	}
	return c.next.RoundTrip(request)
}
