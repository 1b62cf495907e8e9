package cli

import (
	"bytes"
	"fmt"
	stdlog "log"
	"os"
	"strings"
	"testing"
)

const secret = "+573001234567"

func TestLibraryLog_LogsOnlyKinds(t *testing.T) {
	defer stdlog.SetOutput(os.Stderr)
	defer stdlog.SetFlags(stdlog.LstdFlags)
	for _, format := range []string{"logfmt", "json"} {
		var logged bytes.Buffer
		captureLibraryLogs(newLogger(&logged, "debug", format))
		for line, kind := range map[string]string{
			"Unsolicited response received on idle HTTP channel starting with \"" + secret + "\"; err=<nil>": "unsolicited response",
			"http: TLS handshake error from 127.0.0.1:1: " + secret:                                          "TLS handshake with a client",
			"http: panic serving 127.0.0.1:1: " + secret + "\ngoroutine 1":                                   "panic while serving",
			"http2: server: " + secret: "HTTP/2",
			secret:                     "other",
			"":                         "other",
		} {
			logged.Reset()
			stdlog.Print(line)
			text := logged.String()
			if strings.Contains(text, secret) {
				t.Errorf("%s: it quotes the line: %s", format, text)
			}
			want := map[string]string{
				"logfmt": fmt.Sprintf("level=debug msg=\"a library reported a problem\" kind=%s\n", quoteValue(kind)),
				"json":   fmt.Sprintf("{\"kind\":%q,\"level\":\"debug\",\"msg\":\"a library reported a problem\"}\n", kind),
			}[format]
			if text != want {
				t.Errorf("have %q, want %q", text, want)
			}
		}
	}
}

// quoteValue is a value in logfmt.
func quoteValue(value string) string {
	if strings.Contains(value, " ") {
		return fmt.Sprintf("%q", value)
	}
	return value
}
