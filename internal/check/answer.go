package check

import (
	"errors"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// refusals are what to do when the API itself says no. Four are a 403.
var refusals = map[wolkvox.Result]string{
	wolkvox.Unauthorized:  "see what is on the way: a proxy or gateway takes the header wolkvox-token away; if there is none, make a new token in the Manager",
	wolkvox.TokenRejected: "see that token and server are of the same operation; if they are, make a new token in the Manager",
	wolkvox.TokenBusy:     "check again in a minute; give each program a token of its own",
	wolkvox.QuotaExceeded: "they begin anew at the operation's midnight; see who else uses its tokens, or raise --poll.interval",
	wolkvox.Unavailable:   "check again in an hour: the vendor switches the API off during backups; if it lasts, see that the operation's allow-list has this machine's IP address",
}

// unanswered are what to do when no answer of the API has come.
var unanswered = map[wolkvox.Result]string{
	wolkvox.BadRequest:  "check the server's digits or the URL: it ends before /api/v2; if they are right, see what is on the way, such as a gateway, or ask wolkvox's support whether the operation has the report chat_8",
	wolkvox.RateLimited: "check again in some minutes; see who else asks this operation",
	wolkvox.ServerError: "check again later; if it lasts, ask wolkvox's support",
	wolkvox.Malformed:   "check the server's digits or the URL: something else than the API answers, such as a login page; if they are right, the API's answer is broken, such as by PHP's warnings: ask wolkvox's support",
	wolkvox.TooLarge:    "poll more often: lower --poll.interval and --poll.overlap",
	wolkvox.Redirected:  "check the server's digits or the URL: the token is sent to no other host",
	wolkvox.Timeout:     "check again; if it lasts, raise --wolkvox.timeout, and see that the operation's allow-list has this machine's IP address",
	wolkvox.Network:     "check again; if it lasts, see what is on the way: firewalls, proxies",
}

// answered says what has become of the first request if it failed: of the token, and
// if there was no judgement of it, of the report. It reports whether there is an answer
// to go on with.
func (r *round) answered(err error) bool {
	var failure *wolkvox.Error
	switch {
	case err == nil:
		return true
	case !errors.As(err, &failure):
		// The token's own file, in words that do not quote it.
		r.failed(Token, err.Error(), "fix the token file")
		r.skipRest("there is no token")
	case refusals[failure.Result] != "":
		r.failed(Token, failure.Error(), refusals[failure.Result])
		r.skipRest("the API answers no request")
	default:
		do := unanswered[failure.Result]
		if errors.Is(err, wolkvox.ErrProxy) {
			_, do = proxyRefusal(err, hostPort(r.Base))
		}
		r.skipped(Token, "the API has said nothing about it")
		r.skipped(Quota, "the report failed")
		r.failed(Report, failure.Error(), do)
		r.skipRest("the report failed")
	}
	return false
}

// token judges the token by what only a good one gets: rows, or the day's requests. A
// report without rows is what others can answer, too.
func (r *round) token(recent seen, info wolkvox.TokenInfo, err error) {
	const do = "check again at an hour with chats"
	var failure *wolkvox.Error
	switch {
	case recent.rows > recent.bad, err == nil && (info.Limit != nil || info.Used != nil):
		r.ok(Token, "accepted")
	case errors.As(err, &failure) && refusals[failure.Result] != "":
		r.failed(Token, failure.Error(), refusals[failure.Result])
	case err != nil:
		r.look(Token, "not proven: the report has no chat, and token_info failed: "+err.Error(), do)
	default:
		r.look(Token, "not proven: the report has no chat, and token_info no figures", do)
	}
}
