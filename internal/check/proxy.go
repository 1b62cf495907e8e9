package check

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// proxyRefusal returns the status of a proxy that refused, for the end of a text,
// and what to do. The text has no status if the proxy gave none.
func proxyRefusal(err error, target string) (status, do string) {
	failure, ok := errors.AsType[*wolkvox.Error](err)
	if !ok || !errors.Is(err, wolkvox.ErrProxy) {
		return "", "check which hosts the proxy allows, and whether proxy_url needs a name and a password"
	}
	switch {
	case failure.Status == http.StatusProxyAuthRequired:
		do = "set a name and a password in proxy_url, as in http://NAME:PASSWORD@HOST:PORT"
	case failure.Status >= http.StatusInternalServerError:
		do = "check whether the proxy resolves and reaches " + target + ": its public address must be on the operation's allow-list"
	default:
		do = "let the proxy allow " + target
	}
	return fmt.Sprintf(" (status %d)", failure.Status), do
}
