package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// explainHandshake returns why a TLS handshake failed and what to do. It does not use the
// error texts of Go, because they can quote what the server sent.
func explainHandshake(err error, host string) (text, advice string) {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		operation *net.OpError
		timeout   interface{ Timeout() bool }
	)
	const inspected = "if your own gateway inspects TLS, set its authority as ca_file in http_config.tls_config; otherwise the connection is intercepted"
	switch {
	case errors.As(err, &authority):
		return "the certificate was issued by an authority that is not trusted", inspected
	case errors.As(err, &name):
		return "the certificate is not valid for " + host, "check the server's digits or the URL; " + inspected
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet", "check the clock of this machine; if it is right, tell the operator of " + host
	case errors.As(err, &invalid):
		return "the certificate is not valid for this use", inspected
	case errors.As(err, &record):
		return "the server does not speak TLS", "check the port and the scheme of the URL"
	case wolkvox.IsOldTLS(err):
		return "the server's TLS version is too old (minimum: 1.2)", "ask the operator of " + host + " or of the gateway to offer TLS 1.2 or newer; check min_version in http_config.tls_config, if it is set"
	case errors.As(err, &operation) && operation.Op == "remote error":
		return "the server ended the handshake: " + operation.Err.Error(), "if the server requires a client certificate, set it in http_config.tls_config"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer to the handshake", "check that the port speaks HTTPS, and check firewalls and proxies on the route"
	default:
		return "the handshake was interrupted", "add this machine's public IP address to the operation's allow-list; check firewalls and proxies on the route"
	}
}
