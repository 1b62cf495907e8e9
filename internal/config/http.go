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

// HTTP is what fits of the http_config of prometheus/common.
type HTTP struct {
	promconfig.ProxyConfig `yaml:",inline"`
	TLS                    promconfig.TLSConfig         `yaml:"tls_config"`
	Headers                map[string]promconfig.Header `yaml:"http_headers"`
}

// refused are keys that other programs take, and why this one does not.
var refused = map[string]string{
	"<<":                     "merge keys are not taken: write the keys out, or give a whole value an anchor",
	"authorization":          "not taken: the API is asked with its token alone",
	"basic_auth":             "not taken: the API is asked with its token alone; a name and a password for a gateway can be in url",
	"bearer_token":           "not taken: the API is asked with its token alone",
	"bearer_token_file":      "not taken: the API is asked with its token alone",
	"oauth2":                 "not taken: the API is asked with its token alone",
	"follow_redirects":       "not taken: redirects are followed on the same host only, so that no other gets the token",
	"enable_http2":           "not taken: the server decides",
	"proxy_from_environment": "not taken: the proxy of the environment is used unless there is a proxy_url",
	"ca_ref":                 "not taken: there is no secret manager",
	"cert_ref":               "not taken: there is no secret manager",
	"key_ref":                "not taken: there is no secret manager",
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

// check checks what does not depend on a file.
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

// transport is the client's own but for what h says: unlike that of prometheus/common
// it takes compressed responses and the proxy of the environment. The problems are those
// of files.
func (h *HTTP) transport() (http.RoundTripper, []problem) {
	if h == nil {
		return nil, nil
	}
	if problems := append(h.checkHeaderFiles(), h.checkTLSFiles()...); len(problems) > 0 {
		return nil, problems
	}
	secured, err := promconfig.NewTLSConfig(&h.TLS)
	if err != nil {
		return nil, []problem{{"http_config.tls_config", "", err.Error()}}
	}

	proxy := h.ProxyConfig // A copy: it keeps what Proxy makes of it.
	// Files that are read again: a client's certificate is so without this.
	files := promconfig.TLSRoundTripperSettings{}
	if h.TLS.CAFile != "" {
		files.CA = promconfig.NewFileSecret(h.TLS.CAFile)
	}
	transport, err := promconfig.NewTLSRoundTripper(secured, files, func(secured *tls.Config) (http.RoundTripper, error) {
		transport := wolkvox.NewTransport()
		transport.TLSClientConfig = secured
		if through := proxy.Proxy(); through != nil {
			transport.Proxy = through
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

// tlsFiles are the files that prometheus/common reads, by their keys.
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

const wantedProxy = "a URL such as http://proxy.example:3128 is wanted, or one with https, socks5 or socks5h"

func (h *HTTP) checkProxy() []problem {
	switch u := h.ProxyURL.URL; {
	case u == nil && (h.NoProxy != "" || len(h.ProxyConnectHeader) > 0):
		return []problem{{"http_config.proxy_url", "", "wanted with no_proxy and proxy_connect_header"}}
	case u != nil && (u.Hostname() == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme)):
		return []problem{{"http_config.proxy_url", "", wantedProxy}}
	}
	return nil
}

func (h *HTTP) checkHeaders() (problems []problem) {
	for name, header := range h.Headers {
		key, canonical := under("http_config.http_headers", name), http.CanonicalHeaderKey(name)
		_, reserved := promconfig.ReservedHeaders[canonical]
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			problems = append(problems, problem{key, "", "the name of a header is of letters, digits and hyphens"})
		case reserved || slices.Contains(ownHeaders, canonical):
			problems = append(problems, problem{key, "", "not taken: the exporter or Go sets it"})
		}
		values := slices.Clone(header.Values)
		for _, secret := range header.Secrets {
			values = append(values, string(secret))
		}
		if slices.ContainsFunc(values, func(value string) bool { return !httpguts.ValidHeaderFieldValue(value) }) {
			problems = append(problems, problem{key, "", "values of one line are wanted"})
		}
	}
	return problems
}

func (h *HTTP) checkHeaderFiles() (problems []problem) {
	for name, header := range h.Headers {
		key := under("http_config.http_headers", name) + ".files"
		for _, file := range header.Files {
			text, err := regular.ReadFile(file, maxSecretFile)
			switch {
			case err != nil:
				problems = append(problems, problem{key, "", fmt.Sprintf("%q: %s", file, err)})
			case !httpguts.ValidHeaderFieldValue(strings.TrimSpace(string(text))):
				problems = append(problems, problem{key, "", fmt.Sprintf("%q: a value of one line is wanted", file)})
			}
		}
	}
	return problems
}
