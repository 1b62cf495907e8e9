package config

import (
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	promconfig "github.com/prometheus/common/config"
	"golang.org/x/net/http/httpguts"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// HTTP holds the supported keys of the http_config of prometheus/common.
type HTTP struct {
	promconfig.ProxyConfig `yaml:",inline"`
	TLS                    promconfig.TLSConfig         `yaml:"tls_config"`
	Headers                map[string]promconfig.Header `yaml:"http_headers"`
}

// unsupported holds keys of other programs, with the reason why they are not supported.
var unsupported = map[string]string{
	"<<":                     "merge keys are not supported: write the keys out, or use an anchor for a whole value",
	"authorization":          "not supported: the API only needs its token",
	"basic_auth":             "not supported: the API only needs its token; a name and a password for a gateway can be in url",
	"bearer_token":           "not supported: the API only needs its token",
	"bearer_token_file":      "not supported: the API only needs its token",
	"oauth2":                 "not supported: the API only needs its token",
	"follow_redirects":       "not supported: redirects are only followed on the same host, so that no other host gets the token",
	"enable_http2":           "not supported: the server decides",
	"proxy_from_environment": "not supported: the proxy of the environment is used unless proxy_url is set",
	"ca_ref":                 "not supported: there is no secret manager",
	"cert_ref":               "not supported: there is no secret manager",
	"key_ref":                "not supported: there is no secret manager",
}

// ownHeaders are set by the client of the API.
var ownHeaders = []string{"Accept", "Wolkvox-Token", "Wolkvox_server"}

func (h *HTTP) setDirectory(folder string) {
	if h == nil {
		return
	}
	h.TLS.SetDirectory(folder)
	for _, header := range h.Headers {
		header.SetDirectory(folder)
	}
}

// check returns the problems that do not depend on files.
func (h *HTTP) check() []problem {
	if h == nil {
		return nil
	}
	problems := append(h.checkProxy(), h.checkHeaders()...)
	err := h.TLS.Validate()
	if err == nil && len(h.tlsFiles()) == 0 {
		_, err = promconfig.NewTLSConfig(&h.TLS)
	}
	if err != nil {
		problems = append(problems, problem{"http_config.tls_config", "", err.Error()})
	}
	return problems
}

// transport returns the client's own transport with the settings of h: unlike the transport
// of prometheus/common, it accepts compressed responses and uses the proxy of the
// environment. The problems are those of files.
func (h *HTTP) transport() (http.RoundTripper, []problem) {
	if h == nil {
		return nil, nil
	}
	if problems := append(h.checkHeaderFiles(), h.checkTLSFiles()...); len(problems) > 0 {
		return nil, problems
	}
	tlsConfig, err := promconfig.NewTLSConfig(&h.TLS)
	if err != nil {
		return nil, []problem{{"http_config.tls_config", "", err.Error()}}
	}

	proxy := h.ProxyConfig // A copy, because Proxy caches its result in it.
	// Files that are read again: a client's certificate is so without this.
	files := promconfig.TLSRoundTripperSettings{}
	if h.TLS.CAFile != "" {
		files.CA = promconfig.NewFileSecret(h.TLS.CAFile)
	}
	transport, err := promconfig.NewTLSRoundTripper(tlsConfig, files, func(tlsConfig *tls.Config) (http.RoundTripper, error) {
		transport := wolkvox.NewTransport()
		transport.TLSClientConfig = tlsConfig
		if proxyFunc := proxy.Proxy(); proxyFunc != nil {
			transport.Proxy = proxyFunc
		}
		transport.ProxyConnectHeader = proxy.GetProxyConnectHeader()
		return transport, nil
	})
	if err != nil {
		return nil, []problem{{"http_config.tls_config", "", err.Error()}}
	}
	transport = promconfig.NewHeadersRoundTripper(&promconfig.Headers{Headers: h.Headers}, transport)
	var read []string
	for _, file := range h.tlsFiles() {
		read = append(read, file)
	}
	for _, header := range h.Headers {
		read = append(read, header.Files...)
	}
	if len(read) > 0 {
		transport = fileChecker{read, transport}
	}
	return transport, nil
}

// tlsFiles returns the files that prometheus/common reads, by their keys.
func (h *HTTP) tlsFiles() map[string]string {
	files := map[string]string{"ca_file": h.TLS.CAFile, "cert_file": h.TLS.CertFile, "key_file": h.TLS.KeyFile}
	maps.DeleteFunc(files, func(_, file string) bool { return file == "" })
	return files
}

func (h *HTTP) checkTLSFiles() (problems []problem) {
	for key, file := range h.tlsFiles() {
		if err := checkFile(file); err != nil {
			problems = append(problems, problem{"http_config.tls_config." + key, "", err.Error()})
		}
	}
	return problems
}

const invalidProxyURL = "must be a URL with http, https, socks5 or socks5h (example: http://proxy.example:3128)"

func (h *HTTP) checkProxy() []problem {
	switch u := h.ProxyURL.URL; {
	case u == nil && (h.NoProxy != "" || len(h.ProxyConnectHeader) > 0):
		return []problem{{"http_config.proxy_url", "", "required with no_proxy and proxy_connect_header"}}
	case u != nil && (u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)):
		return []problem{{"http_config.proxy_url", "", invalidProxyURL}}
	}
	return nil
}

func (h *HTTP) checkHeaders() (problems []problem) {
	for name, header := range h.Headers {
		key, canonical := joinPath("http_config.http_headers", name), http.CanonicalHeaderKey(name)
		_, reserved := promconfig.ReservedHeaders[canonical]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			problems = append(problems, problem{key, "", "the name of a header must consist of letters, digits and hyphens"})
		case reserved || slices.Contains(ownHeaders, canonical):
			problems = append(problems, problem{key, "", "not allowed: the exporter or Go sets it"})
		}
		values := slices.Clone(header.Values)
		for _, secret := range header.Secrets {
			values = append(values, string(secret))
		}
		if slices.ContainsFunc(values, func(value string) bool { return !httpguts.ValidHeaderFieldValue(value) }) {
			problems = append(problems, problem{key, "", "each value must be one line"})
		}
	}
	return problems
}

func (h *HTTP) checkHeaderFiles() (problems []problem) {
	for name, header := range h.Headers {
		key := joinPath("http_config.http_headers", name) + ".files"
		for _, file := range header.Files {
			text, err := regular.ReadFile(file, maxSecretFile)
			switch {
			case err != nil:
				problems = append(problems, problem{key, "", fmt.Sprintf("%q: %s", file, err)})
			case !httpguts.ValidHeaderFieldValue(strings.TrimSpace(string(text))):
				problems = append(problems, problem{key, "", fmt.Sprintf("%q: the value must be one line", file)})
			}
		}
	}
	return problems
}
