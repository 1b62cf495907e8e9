package cli

import (
	"bytes"
	stdlog "log"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// libraryLog logs only the kind of each line that a library writes to the standard logger:
// net/http quotes what a server has sent, which can be customers' data.
type libraryLog struct{ logger log.Logger }

// captureLibraryLogs makes the standard logger, and with it the default of log/slog, write
// to logger.
func captureLibraryLogs(logger log.Logger) {
	stdlog.SetFlags(0)
	stdlog.SetOutput(libraryLog{logger})
}

// newLibraryLogger returns a standard logger for a library that takes one.
func newLibraryLogger(logger log.Logger) *stdlog.Logger { return stdlog.New(libraryLog{logger}, "", 0) }

// libraryLogs holds the kinds of lines, by their prefixes.
var libraryLogs = []struct{ prefix, kind string }{
	{"Unsolicited response", "unsolicited response"},
	{"RoundTripper returned", "response with an error"},
	{"http: TLS handshake error", "TLS handshake with a client"},
	{"http: Accept error", "accepting a connection"},
	{"http: panic serving", "panic while serving"},
	{"http2: panic serving", "panic while serving"},
	{"http: ", "HTTP"},
	{"http2: ", "HTTP/2"},
	{"protocol error: ", "HTTP/2"},
	{"Transport: unhandled", "HTTP/2"},
}

// Write implements io.Writer for one line.
func (l libraryLog) Write(line []byte) (int, error) {
	kind := "other"
	for _, known := range libraryLogs {
		if bytes.HasPrefix(line, []byte(known.prefix)) {
			kind = known.kind
			break
		}
	}
	level.Debug(l.logger).Log("msg", "a library reported a problem", "kind", kind)
	return len(line), nil
}
