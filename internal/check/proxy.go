package check

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// explainProxyRefusal returns the status that a proxy answered with, to be appended to a
// text, and what to do. The status is empty if the proxy sent none.
func explainProxyRefusal(err error, target string) (status, advice string) {
	failure, ok := errors.AsType[*wolkvox.Error](err)
	if !ok || !errors.Is(err, wolkvox.ErrProxy) {
		return "", "check which hosts the proxy allows, and whether proxy_url needs a name and a password"
	}
	switch {
	case failure.Status == http.StatusProxyAuthRequired:
		advice = "set a name and a password in proxy_url, as in http://NAME:PASSWORD@HOST:PORT"
	case failure.Status >= http.StatusInternalServerError:
		advice = "check whether the proxy resolves and reaches " + target + ": its public address must be on the operation's allow-list"
	default:
		advice = "let the proxy allow " + target
	}
	return fmt.Sprintf(" (status %d)", failure.Status), advice
}
