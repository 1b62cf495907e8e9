//go:build unix

package config

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	promconfig "github.com/prometheus/common/config"
)

// replaceByPipe puts a pipe that has no writer in a file's place.
func replaceByPipe(t *testing.T, file string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(file), syscall.Mkfifo(file, 0o600)); err != nil {
		t.Fatal(err)
	}
}

const isPipe = "it is a pipe, not a regular file"

func TestLoad_RefusesPipes(t *testing.T) {
	t.Chdir(t.TempDir())
	replaceByPipe(t, "pipe")
	for key, operation := range map[string]string{
		"operations[0].token_file":                         "token_file: pipe",
		"operations[0].http_config.tls_config.ca_file":     "token: x, http_config: {tls_config: {ca_file: pipe}}",
		"operations[0].http_config.tls_config.cert_file":   "token: x, http_config: {tls_config: {cert_file: pipe, key: x}}",
		"operations[0].http_config.tls_config.key_file":    "token: x, http_config: {tls_config: {cert: x, key_file: pipe}}",
		"operations[0].http_config.http_headers.X-A.files": "token: x, http_config: {http_headers: {X-A: {files: [pipe]}}}",
	} {
		write(t, "wolkvox.yml", "operations:\n  - {name: a, server: '0042', "+operation+"}\n")
		targets, err := Load(t.Context(), "wolkvox.yml", defaults())
		if err == nil {
			err = Problems(targets)
		}
		if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), `pipe": `+isPipe) {
			t.Errorf("%s: have error %v, want %s", key, err, isPipe)
		}
	}
	if _, err := Load(t.Context(), "pipe", defaults()); err == nil || err.Error() != `reading the configuration file "pipe": `+isPipe {
		t.Errorf("have error %v, want %s", err, isPipe)
	}
}

// A client's certificate is read at each handshake, the others at each request.
func TestTransport_RefusesPipesThatReplaceFiles(t *testing.T) {
	server, _ := recorder(t)
	for _, name := range []string{"ca.pem", "header"} {
		file := filepath.Join(t.TempDir(), name)
		write(t, file, string(certificate(t)))
		h := &HTTP{TLS: promconfig.TLSConfig{CAFile: file}}
		if name == "header" {
			write(t, file, "value")
			h = &HTTP{Headers: map[string]promconfig.Header{"X-A": {Files: []string{file}}}}
		}
		through := transport(t, h)
		if err := get(t, through, server.URL); err != nil {
			t.Fatal(err)
		}
		replaceByPipe(t, file)
		if err := get(t, through, server.URL); err == nil || !strings.Contains(err.Error(), name+`": `+isPipe) {
			t.Errorf("%s: have error %v, want %s", name, err, isPipe)
		}
		body := &closed{}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		response, err := through.RoundTrip(request)
		if err == nil {
			response.Body.Close()
		}
		if err == nil || !body.bool {
			t.Errorf("have error %v and a body that is closed: %t, want an error and a closed body", err, body.bool)
		}
	}
}

// closed is a body that records whether it was closed.
type closed struct{ bool }

func (c *closed) Read([]byte) (int, error) { return 0, errors.New("nothing to be read") }

func (c *closed) Close() error {
	c.bool = true
	return nil
}
