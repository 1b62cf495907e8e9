package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// certificate says why a TLS handshake has failed, in our own words: those of Go
// can quote what the other side has sent.
func certificate(err error, host string) (text, do string) {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		operation *net.OpError
		slow      interface{ Timeout() bool }
	)
	const inspected = "if a gateway of your own looks into TLS, give its authority as ca_file in http_config.tls_config; else somebody is in between"
	switch {
	case errors.As(err, &authority):
		return "the certificate is of an authority that is not trusted", inspected
	case errors.As(err, &name):
		return "the certificate is not one of " + host, "check the server's digits or the URL; " + inspected
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet", "check the clock of this machine; if it is right, tell whoever runs " + host
	case errors.As(err, &invalid):
		return "the certificate is not valid for this use", inspected
	case errors.As(err, &record):
		return "the server does not speak TLS", "check the port, and whether the URL should be http"
	case wolkvox.IsOldTLS(err):
		return "the server's TLS version is too old: 1.2 is the least", "tell whoever runs " + host + ", or the gateway on the way, to offer TLS 1.2 or newer; see min_version in http_config.tls_config, if it is set"
	case errors.As(err, &operation) && operation.Op == "remote error":
		return "the server ended the handshake: " + operation.Err.Error(), "see whether it wants a client's certificate, in http_config.tls_config"
	case errors.As(err, &slow) && slow.Timeout():
		return "no answer to the handshake", "see that the port is one of HTTPS, and what is on the way: firewalls, proxies"
	default:
		return "the handshake broke off", "let the operation's allow-list of IP addresses have this machine's public one; see what is on the way: firewalls, proxies"
	}
}
