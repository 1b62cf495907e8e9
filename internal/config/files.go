package config

import (
	"fmt"
	"net/http"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// The largest files that are read. A token has some hundred bytes, a bundle of all
// the certificate authorities there are has 300 KiB, and an operation is described
// in a hundred bytes or in some kilobytes.
const (
	maxTokenFile  = 64 << 10
	maxSecretFile = 4 << 20
	// MaxFileSize is the size of the largest configuration file, in bytes.
	MaxFileSize = 16 << 20
)

// tokenFile reads the token from a file, again for every request: a request every
// few minutes costs nothing, and a rotated token is used at once.
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

// checkFile returns an error if a file must not be handed to a library that reads it
// whole.
func checkFile(file string) error {
	if err := regular.Check(file, maxSecretFile); err != nil {
		return fmt.Errorf("%q: %w", file, err)
	}
	return nil
}

// fileChecker checks, for each request, the files that the next one reads for it.
type fileChecker struct {
	files []string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c fileChecker) RoundTrip(request *http.Request) (*http.Response, error) {
	for _, file := range c.files {
		if err := checkFile(file); err != nil {
			if request.Body != nil {
				_ = request.Body.Close() // A RoundTripper closes it, errors included.
			}
			return nil, err
		}
	}
	return c.next.RoundTrip(request)
}
