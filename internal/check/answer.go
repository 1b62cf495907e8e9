package check

import (
	"errors"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// refusalAdvice holds the advice for requests that the API refuses. Four of these results
// are a status 403.
var refusalAdvice = map[wolkvox.Result]string{
	wolkvox.Unauthorized:  "find the proxy or gateway that removes the header wolkvox-token; if there is none, create a new token in the Manager",
	wolkvox.TokenRejected: "check that token and server belong to the same operation; if they do, create a new token in the Manager",
	wolkvox.TokenBusy:     "check again in a minute; give each program its own token",
	wolkvox.QuotaExceeded: "wait for the operation's midnight; find the other programs that use its tokens, or raise --poll.interval",
	wolkvox.Unavailable:   "check again in an hour: the vendor switches the API off during backups; if it lasts, add this machine's IP address to the operation's allow-list",
}

// failureAdvice holds the advice for requests that failed in any other way.
var failureAdvice = map[wolkvox.Result]string{
	wolkvox.BadRequest:  "check the server's digits or the URL, which ends before /api/v2; if they are right, look for a gateway that answers instead, or ask wolkvox's support whether the operation has the report chat_8",
	wolkvox.RateLimited: "check again in a few minutes; find the other programs that use this operation",
	wolkvox.ServerError: "check again later; if it lasts, ask wolkvox's support",
	wolkvox.Malformed:   "check the server's digits or the URL: something other than the API may have answered, such as a login page; if they are right, ask wolkvox's support: the API's response is broken",
	wolkvox.TooLarge:    "poll more often: lower --poll.interval and --poll.overlap",
	wolkvox.Redirected:  "check the server's digits or the URL: the token is never sent to another host",
	wolkvox.Timeout:     "check again; if it lasts, raise --wolkvox.timeout, and add this machine's IP address to the operation's allow-list",
	wolkvox.Network:     "check again; if it lasts, check firewalls and proxies on the route",
}

// checkResponse reports whether the first request succeeded. A failure is a finding of
// the token if the API refused the token, otherwise of the report.
func (c *operationCheck) checkResponse(err error) bool {
	var failure *wolkvox.Error
	switch {
	case err == nil:
		return true
	case !errors.As(err, &failure):
		// The token file could not be read. The error does not quote the token.
		c.failed(Token, err.Error(), "fix the token file")
		c.skipRest("no token")
	case refusalAdvice[failure.Result] != "":
		c.failed(Token, failure.Error(), refusalAdvice[failure.Result])
		c.skipRest("the API refused the request")
	default:
		advice := failureAdvice[failure.Result]
		if errors.Is(err, wolkvox.ErrProxy) {
			_, advice = explainProxyRefusal(err, hostPort(c.BaseURL))
		}
		c.skipped(Token, "the API did not check it")
		c.skipped(Quota, "the report failed")
		c.failed(Report, failure.Error(), advice)
		c.skipRest("the report failed")
	}
	return false
}

// checkToken looks for a response that only a valid token receives: rows, or the day's
// requests. A report without rows is no proof, as a proxy or gateway can send one.
func (c *operationCheck) checkToken(recent rowSummary, info wolkvox.TokenInfo, err error) {
	const advice = "check again in an hour with chats"
	var failure *wolkvox.Error
	switch {
	case recent.rows > recent.badRows, err == nil && (info.Limit != nil || info.Used != nil):
		c.ok(Token, "accepted")
	case errors.As(err, &failure) && refusalAdvice[failure.Result] != "":
		c.failed(Token, failure.Error(), refusalAdvice[failure.Result])
	case err != nil:
		c.warning(Token, "not proven: the report has no chat, and token_info failed: "+err.Error(), advice)
	default:
		c.warning(Token, "not proven: the report has no chat, and token_info has no numbers", advice)
	}
}
