package check

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

const (
	// MaxRequests is the most requests that the check of one operation makes.
	MaxRequests = 4
	// recentWindow is the length of the window that is read first.
	recentWindow = time.Hour
	// skewWarning is the clock skew above which there is a warning.
	skewWarning = time.Minute
	// skewFailure is the clock skew above which the exporter does not poll, whatever
	// --poll.max-catch-up is.
	skewFailure = 24 * time.Hour
	// handoffSample is the number of chats from which on a handoff rate of 100 % is
	// unlikely to be a coincidence.
	handoffSample = 20
)

// API makes the requests of a check. It is a [wolkvox.Client].
type API interface {
	Chats(context.Context, wolkvox.Window) iter.Seq2[wolkvox.Chat, error]
	TokenInfo(context.Context) (wolkvox.TokenInfo, error)
	ClockSkew() (ahead time.Duration, ok bool)
}

// Operation is an operation to check.
type Operation struct {
	BaseURL        *url.URL
	Zone           *time.Location
	Problem        error     // why serve would not poll it, one line for each mistake; nil if it would
	AddedBounds    []float64 // service levels that the exporter adds to the bounds
	State          Finding   // of its saved state
	API            API
	Malformed      MaskCounts      // values that cannot be read
	RequestsPerDay int             // that the exporter makes
	UnusedKeys     []wolkvox.Field // keys that the exporter does not use, as it is configured
}

// operationCheck is one check of an operation.
type operationCheck struct {
	*Operation
	findingList
	requestsLeft int
}

// rowSummary summarizes the rows of one or more responses.
type rowSummary struct {
	rows, badRows    int
	ended, handedOff int               // chats that have ended, and those of them that were handed over
	keys             wolkvox.Fields    // the keys that at least one row has
	newestEnd        wolkvox.LocalTime // of all chats; 0 without chats
	err              error
}

var errNoRequestsLeft = errors.New("the check has used all of its requests")

// Findings checks the operation with at most [MaxRequests] requests, one at a time.
func (o *Operation) Findings(ctx context.Context) []Finding {
	c := &operationCheck{Operation: o, requestsLeft: MaxRequests}
	start := time.Now()
	if o.Problem != nil {
		for line := range strings.Lines(o.Problem.Error()) {
			c.failed(Configuration, strings.TrimSpace(line), "fix this file")
		}
		c.add(o.State)
		for _, id := range operationIDs[2:] {
			c.skipped(id, "the exporter does not poll this operation")
		}
		return c.findings
	}
	c.ok(Configuration, fmt.Sprintf("%s, %s (%s)%s", o.BaseURL.Redacted(), o.Zone, formatOffset(start.In(o.Zone)), describeAddedBounds(o.AddedBounds)))
	c.add(o.State)

	var trace connTrace
	recent := c.readChats(trace.attach(ctx), start.Add(-recentWindow), start)
	trace.requestErr = recent.err
	connected := trace.findings(o.BaseURL)
	c.add(connected...)
	if !Passed(connected) {
		c.skipRest("no connection")
		return c.findings
	}
	c.checkClock()
	if !c.checkResponse(recent.err) {
		return c.findings
	}
	c.requestsLeft--
	info, err := c.API.TokenInfo(ctx)
	c.checkToken(recent, info, err)
	c.checkQuota(info, err)
	c.checkReport(recent)
	others := c.checkZone(ctx, recent)
	c.checkFields(recent.rows+others.rows, recent.badRows+others.badRows, recent.keys|others.keys)
	return c.findings
}

// describeAddedBounds describes the service levels that the exporter adds to the bounds of
// the configuration.
func describeAddedBounds(seconds []float64) string {
	if len(seconds) == 0 {
		return ""
	}
	text := strings.Trim(fmt.Sprint(seconds), "[]")
	return "; bounds that the exporter adds to speed_of_answer_seconds for the rules: " + strings.ReplaceAll(text, " ", ", ")
}

// readChats reads the chats of a time span, the newest window first. There is more than
// one window at the end of a month and when clocks go back.
func (c *operationCheck) readChats(ctx context.Context, from, to time.Time) (s rowSummary) {
	latest := latestAnywhere(to)
	for _, window := range slices.Backward(wolkvox.Windows(from, to, c.Zone)) {
		if c.requestsLeft == 0 {
			s.err = errNoRequestsLeft
			return s
		}
		c.requestsLeft--
		for chat, err := range c.API.Chats(ctx, window) {
			s.keys |= chat.Keys
			switch {
			case errors.Is(err, wolkvox.ErrBadRow):
				s.rows++
				s.badRows++
			case err != nil:
				s.err = err
				return s
			default:
				s.rows++
				if chat.End <= latest {
					s.newestEnd = max(s.newestEnd, chat.End)
				}
				if chat.Ended() {
					s.ended++
				}
				if chat.Ended() && chat.HandedOff {
					s.handedOff++
				}
			}
		}
	}
	return s
}

func (c *operationCheck) checkClock() {
	ahead, ok := c.API.ClockSkew()
	const advice = "set this machine's clock by NTP"
	direction := "behind"
	if ahead < 0 {
		direction = "ahead of"
	}
	text := fmt.Sprintf("this machine's clock is %s %s the API's", formatDuration(ahead.Abs()), direction)
	switch {
	case !ok:
		c.skipped(Clock, "no response of the API has a date")
	case ahead.Abs() > skewFailure:
		c.failed(Clock, text, advice)
	case ahead.Abs() > skewWarning:
		c.warning(Clock, text, advice)
	case ahead.Abs() < time.Second:
		c.ok(Clock, "this machine's clock and the API's are less than a second apart")
	default:
		c.ok(Clock, text)
	}
}

func (c *operationCheck) checkQuota(info wolkvox.TokenInfo, err error) {
	const fewerRequests = "raise --poll.interval and --poll.reconcile-interval"
	switch {
	case err != nil:
		c.warning(Quota, "could not be read: "+err.Error(), "")
	case info.Limit == nil:
		c.warning(Quota, "the API does not report the day's limit", "")
	case *info.Limit < float64(c.RequestsPerDay):
		c.failed(Quota, fmt.Sprintf("%.0f requests in a day, but the exporter makes %d", *info.Limit, c.RequestsPerDay), fewerRequests)
	case info.Used == nil:
		c.ok(Quota, fmt.Sprintf("%.0f requests in a day; the exporter makes %d", *info.Limit, c.RequestsPerDay))
	default:
		left := *info.Limit - *info.Used
		text := fmt.Sprintf("%.0f of today's %.0f requests are left; the exporter makes %d in a day", left, *info.Limit, c.RequestsPerDay)
		if left < *info.Limit/10 {
			c.warning(Quota, text, "find the other programs that use the operation's tokens, or "+fewerRequests)
			return
		}
		c.ok(Quota, text)
	}
}

func (c *operationCheck) checkReport(recent rowSummary) {
	switch {
	case recent.rows == 0:
		c.warning(Report, "no chat in the last hour", "nothing, if the hour is quiet; otherwise see time_zone")
	case recent.badRows == recent.rows:
		c.failed(Report, fmt.Sprintf("%s in the last hour, all unreadable", plural(recent.rows, "row")), "report the line fields to the exporter's developers")
	case recent.rows >= wolkvox.MaxRows:
		c.warning(Report, fmt.Sprintf("%d rows in the last hour, the most that a response holds", recent.rows), "nothing: the exporter splits the window")
	case recent.ended >= handoffSample && recent.handedOff == recent.ended:
		c.warning(Report, plural(recent.rows, "row")+" in the last hour, and every chat was handed over: if the report leaves out bot-only chats, there is no handoff rate",
			"compare with the Manager's report of the hour; ask wolkvox's support whether chat_8 includes chats that stayed with the bot")
	default:
		c.ok(Report, plural(recent.rows, "row")+" in the last hour")
	}
}

// checkZone reads chats that end ahead of the zone's clock, and if the last hour has no
// chat, also those that ended before it.
func (c *operationCheck) checkZone(ctx context.Context, recent rowSummary) (others rowSummary) {
	now := time.Now()
	if ahead, ok := c.API.ClockSkew(); ok {
		now = now.Add(ahead)
	}
	_, seconds := now.In(c.Zone).Zone()
	utcOffset := time.Duration(seconds) * time.Second
	from, to := now, now.Add(maxOffset-utcOffset)
	if recent.newestEnd == 0 {
		from = now.Add(minOffset - utcOffset - recentWindow)
	}
	others = c.readChats(ctx, from, to)
	finding := zoneFinding(c.Zone, now, max(recent.newestEnd, others.newestEnd))
	if others.err != nil && finding.Status != Failed {
		finding.Status = Warning
		finding.Text += "; the hours of other time zones could not be read: " + others.err.Error()
	}
	c.add(finding)
	return others
}

// plural returns a number with its noun, in the plural unless n is 1.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
