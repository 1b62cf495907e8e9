package wolkvox

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
)

// handshakeFailure says in our own words why a TLS handshake failed, and is nil
// for any other error. Those of crypto/x509 quote names of a certificate that was
// not verified.
func handshakeFailure(err error, host string) error {
	if operation, ok := errors.AsType[*net.OpError](err); ok && operation.Op == "proxyconnect" {
		host = "the proxy"
	}
	var (
		authority   x509.UnknownAuthorityError
		name        x509.HostnameError
		invalid     x509.CertificateInvalidError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &authority):
		return errors.New("the certificate of " + host + " is of an authority that is not trusted")
	case errors.As(err, &name):
		return errors.New("the certificate is not one of " + host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return errors.New("the certificate of " + host + " has expired or is not valid yet")
	case errors.As(err, &invalid), errors.As(err, &certificate):
		return errors.New("the certificate of " + host + " is not valid for this use")
	case errors.As(err, &record):
		return errors.New("the server does not speak TLS")
	case IsOldTLS(err):
		return errors.New("the TLS version of " + host + " is too old")
	default:
		return nil
	}
}

// IsOldTLS reports whether a handshake failed because the server has no version
// of TLS that is accepted here: TLS 1.2 is the least, unless the configuration
// asks for more. crypto/tls has no type for either form.
func IsOldTLS(err error) bool {
	const alertProtocolVersion = tls.AlertError(70)
	text := err.Error()
	return strings.Contains(text, "remote error: "+alertProtocolVersion.Error()) ||
		strings.Contains(text, "tls: server selected unsupported protocol version")
}
