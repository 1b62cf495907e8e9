package check

import (
	"errors"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// refusals holds the advice for requests that the API itself refuses. Four are a 403.
var refusals = map[wolkvox.Result]string{
	wolkvox.Unauthorized:  "find the proxy or gateway that removes the header wolkvox-token; if there is none, create a new token in the Manager",
	wolkvox.TokenRejected: "check that token and server belong to the same operation; if they do, create a new token in the Manager",
	wolkvox.TokenBusy:     "check again in a minute; give each program its own token",
	wolkvox.QuotaExceeded: "wait for the operation's midnight; find the other programs that use its tokens, or raise --poll.interval",
	wolkvox.Unavailable:   "check again in an hour: the vendor switches the API off during backups; if it lasts, add this machine's IP address to the operation's allow-list",
}

// unanswered holds the advice for requests that the API did not answer.
var unanswered = map[wolkvox.Result]string{
	wolkvox.BadRequest:  "check the server's digits or the URL, which ends before /api/v2; if they are right, look for a gateway that answers instead, or ask wolkvox's support whether the operation has the report chat_8",
	wolkvox.RateLimited: "check again in a few minutes; find the other programs that use this operation",
	wolkvox.ServerError: "check again later; if it lasts, ask wolkvox's support",
	wolkvox.Malformed:   "check the server's digits or the URL: something other than the API may have answered, such as a login page; if they are right, ask wolkvox's support: the API's response is broken",
	wolkvox.TooLarge:    "poll more often: lower --poll.interval and --poll.overlap",
	wolkvox.Redirected:  "check the server's digits or the URL: the token is never sent to another host",
	wolkvox.Timeout:     "check again; if it lasts, raise --wolkvox.timeout, and add this machine's IP address to the operation's allow-list",
	wolkvox.Network:     "check again; if it lasts, check firewalls and proxies on the route",
}

// answered reports whether the first request succeeded. If it failed, the failure is a
// finding of the token if the API judged it, and of the report otherwise.
func (r *round) answered(err error) bool {
	var failure *wolkvox.Error
	switch {
	case err == nil:
		return true
	case !errors.As(err, &failure):
		// The token's own file, in words that do not quote it.
		r.failed(Token, err.Error(), "fix the token file")
		r.skipRest("no token")
	case refusals[failure.Result] != "":
		r.failed(Token, failure.Error(), refusals[failure.Result])
		r.skipRest("the API refused the request")
	default:
		do := unanswered[failure.Result]
		if errors.Is(err, wolkvox.ErrProxy) {
			_, do = proxyRefusal(err, hostPort(r.Base))
		}
		r.skipped(Token, "the API did not judge it")
		r.skipped(Quota, "the report failed")
		r.failed(Report, failure.Error(), do)
		r.skipRest("the report failed")
	}
	return false
}

// token judges the token by what only a valid one receives: rows, or the day's requests.
// A proxy or gateway can also answer with a report without rows.
func (r *round) token(recent seen, info wolkvox.TokenInfo, err error) {
	const do = "check again in an hour with chats"
	var failure *wolkvox.Error
	switch {
	case recent.rows > recent.bad, err == nil && (info.Limit != nil || info.Used != nil):
		r.ok(Token, "accepted")
	case errors.As(err, &failure) && refusals[failure.Result] != "":
		r.failed(Token, failure.Error(), refusals[failure.Result])
	case err != nil:
		r.look(Token, "not proven: the report has no chat, and token_info failed: "+err.Error(), do)
	default:
		r.look(Token, "not proven: the report has no chat, and token_info has no figures", do)
	}
}
