// Package postgres keeps the states of operations in PostgreSQL.
//
// A state is saved in the parts that package ledger divides it into. Every request is a
// single statement without names or session state, so that any connection pooler works.
package postgres

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/regular"
)

// urlParameters are the parameters that a URL may have.
var urlParameters = []string{"host", "sslmode", "sslrootcert", "sslcert", "sslkey", "channel_binding"}

// sslModes are the values of sslmode. The others, prefer and allow, would fall back to a
// connection without TLS.
var sslModes = []string{"verify-full", "verify-ca", "require", "disable"}

const urlForm = "postgres://USER@HOST[:PORT]/DATABASE[?sslmode=...]"

// CheckURL returns an error for a URL that cannot be used. It does not contain the URL, which
// may have a password.
func CheckURL(text string) error {
	_, _, err := parseURL(text)
	return err
}

// parseURL returns the URL with its sslmode, and the database and host for messages.
func parseURL(text string) (complete, target string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", fmt.Errorf("not a URL (%s)", urlForm)
	}
	query := u.Query()
	host, database := u.Hostname(), strings.TrimPrefix(u.Path, "/")
	if host == "" {
		host = query.Get("host")
	}
	_, hasPassword := u.User.Password()
	switch {
	case u.Scheme != "postgres" && u.Scheme != "postgresql":
		return "", "", fmt.Errorf("it does not begin with postgres:// (%s)", urlForm)
	case hasPassword || query.Has("password") || query.Has("sslpassword"):
		return "", "", errors.New("it has a password, which ps would show: use --storage.password-file, WOLKVOX_STORAGE_PASSWORD or PGPASSFILE")
	case u.User.Username() == "" || host == "" || database == "":
		return "", "", fmt.Errorf("it needs a user, a host and a database (%s)", urlForm)
	}
	for name := range query {
		if !slices.Contains(urlParameters, name) {
			return "", "", fmt.Errorf("unknown parameter %q (allowed: %s)", name, strings.Join(urlParameters, ", "))
		}
	}
	switch mode := query.Get("sslmode"); {
	case !query.Has("sslmode") && isLocal(host):
		query.Set("sslmode", "disable")
	case !query.Has("sslmode"):
		query.Set("sslmode", "verify-full")
	case !slices.Contains(sslModes, mode):
		return "", "", fmt.Errorf("invalid sslmode %q (allowed: %s)", mode, strings.Join(sslModes, ", "))
	}
	u.RawQuery = query.Encode()
	if port := u.Port(); port != "" {
		host = net.JoinHostPort(host, port)
	}
	return u.String(), fmt.Sprintf("%s on %s", database, host), nil
}

// isLocal reports whether a host is this machine: the folder of a socket, or a loopback
// address.
func isLocal(host string) bool {
	if filepath.IsAbs(host) || host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}

// maxPasswordFile is the largest size of a file with a password or an access token.
const maxPasswordFile = 64 << 10

// config returns how to connect, with the password of this moment.
func (o *Options) config() (*pgconn.Config, error) {
	complete, _, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	// It reads PGPASSFILE, and the files of certificates.
	config, err := pgconn.ParseConfig(complete)
	if err != nil {
		return nil, errors.New(lastCause(err).Error())
	}
	switch {
	case o.PasswordFile != "":
		content, err := regular.ReadFile(o.PasswordFile, maxPasswordFile)
		if err != nil {
			return nil, fmt.Errorf("reading --storage.password-file %q: %w", o.PasswordFile, err)
		}
		config.Password = strings.TrimRight(string(content), "\r\n")
		if config.Password == "" {
			return nil, fmt.Errorf("--storage.password-file %q is empty", o.PasswordFile)
		}
	case o.Password != "":
		config.Password = o.Password
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "wolkvox_exporter"
	}
	config.ConnectTimeout = connectTimeout
	config.DialFunc = (&net.Dialer{KeepAliveConfig: keepAlive}).DialContext
	// A standby shows old states and saves none.
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	return config, nil
}
