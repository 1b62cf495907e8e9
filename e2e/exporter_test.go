package e2e

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/wolkvoxtest"
)

// exporter is the program under test, which may be killed and started again.
type exporter struct {
	t       *testing.T
	dir     string
	token   string
	args    []string
	current atomic.Pointer[process]
}

// newExporter starts the program against a server, with a state that it keeps over restarts.
// Each exporter needs its own token: the vendor allows one request at a time for each.
func newExporter(t *testing.T, server *wolkvoxtest.Server, token, zone string, args ...string) *exporter {
	t.Helper()
	e := &exporter{t: t, dir: t.TempDir(), token: token, args: append([]string{
		"--wolkvox.url=" + server.URL(), "--wolkvox.server=0042", "--wolkvox.timezone=" + zone,
		"--web.listen-address=127.0.0.1:0", "--storage.path=state",
	}, args...)}
	e.start()
	return e
}

// start runs the program until kill, or the test's end.
func (e *exporter) start() {
	e.t.Helper()
	e.current.Store(startProcess(e.t, e.dir, []string{"WOLKVOX_TOKEN=" + e.token}, programFile, e.args...))
}

func (e *exporter) kill() { e.current.Load().kill() }

// isPolled reports whether the first poll since the start has succeeded.
func (e *exporter) isPolled() bool { return e.current.Load().answers("/-/ready") }

// proxy has an address of an exporter that stays the same if the program restarts on
// another port.
type proxy struct {
	*httptest.Server
	format atomic.Value // Content-Type of the last response
}

// newProxy starts a proxy. It requests the format accept, or, if that is empty, the one
// that Prometheus requests.
func (e *exporter) newProxy(accept string) *proxy {
	f := &proxy{}
	f.Server = httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			target, err := url.Parse(e.current.Load().baseURL())
			if err != nil {
				e.t.Error(err)
				return
			}
			r.SetURL(target)
			if accept != "" {
				r.Out.Header.Set("Accept", accept)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			f.format.Store(r.Header.Get("Content-Type"))
			return nil
		},
		// For Prometheus a kill is a failed scrape.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Transport:    client.Transport,
	})
	e.t.Cleanup(f.Close)
	return f
}

// target returns the address for Prometheus's configuration.
func (f *proxy) target() string { return strings.TrimPrefix(f.URL, "http://") }

// noonZone returns a time zone where it is between noon and one now, so that no end of a
// day or month lies between the chats of a test.
func noonZone() string { return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) }
