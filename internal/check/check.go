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
	// MaxRequests is how many a check may spend on an operation.
	MaxRequests = 4
	// recently is the time whose chats are looked at.
	recently = time.Hour
	// odd is how far apart clocks are when it is time to tell, and far is when the
	// exporter believes neither, whatever --poll.max-catch-up is.
	odd = time.Minute
	far = 24 * time.Hour
	// many ended chats, each handed over, hardly come about by chance.
	many = 20
)

// API is what is asked: a [wolkvox.Client].
type API interface {
	Chats(context.Context, wolkvox.Window) iter.Seq2[wolkvox.Chat, error]
	TokenInfo(context.Context) (wolkvox.TokenInfo, error)
	ClockSkew() (ahead time.Duration, ok bool)
}

// Operation is one to be looked at.
type Operation struct {
	Base      *url.URL
	Zone      *time.Location
	Problem   error     // why serve would not poll it, a line for each mistake; nil if it would
	Added     []float64 // service levels that the exporter adds to the bounds
	State     Finding   // of its saved state
	API       API
	Malformed MaskCounts      // values that cannot be read
	Needs     int             // requests that the exporter makes in a day
	Unread    []wolkvox.Field // keys that the exporter makes nothing of, as it is configured
}

// round is one look at an operation.
type round struct {
	*Operation
	list
	left int // requests
}

// seen is what some rows of the report have told.
type seen struct {
	rows, bad     int
	ended, handed int               // chats, and those of them with an agent
	keys          wolkvox.Fields    // of all rows together
	newest        wolkvox.LocalTime // end of a chat
	err           error
}

var errSpent = errors.New("the check has used all of its requests")

// Findings looks at the operation: at most MaxRequests requests, one at a time.
func (o *Operation) Findings(ctx context.Context) []Finding {
	r := &round{Operation: o, left: MaxRequests}
	began := time.Now()
	if o.Problem != nil {
		for line := range strings.Lines(o.Problem.Error()) {
			r.failed(Configuration, strings.TrimSpace(line), "fix this file")
		}
		r.add(o.State)
		for _, id := range ofOperation[2:] {
			r.skipped(id, "the exporter does not poll this operation")
		}
		return r.findings
	}
	r.ok(Configuration, fmt.Sprintf("%s, %s (%s)%s", o.Base.Redacted(), o.Zone, offset(began.In(o.Zone)), addedBounds(o.Added)))
	r.add(o.State)

	var way way
	recent := r.ask(way.trace(ctx), began.Add(-recently), began)
	way.failure = recent.err
	connected := way.findings(o.Base)
	r.add(connected...)
	if !Fine(connected) {
		r.skipRest("no connection")
		return r.findings
	}
	r.clock()
	if !r.answered(recent.err) {
		return r.findings
	}
	r.left--
	info, err := r.API.TokenInfo(ctx)
	r.token(recent, info, err)
	r.quota(info, err)
	r.report(recent)
	others := r.zone(ctx, recent)
	r.fields(recent.rows+others.rows, recent.bad+others.bad, recent.keys|others.keys)
	return r.findings
}

// addedBounds says which service levels the exporter adds to the bounds of the
// configuration.
func addedBounds(seconds []float64) string {
	if len(seconds) == 0 {
		return ""
	}
	text := strings.Trim(fmt.Sprint(seconds), "[]")
	return "; bounds that the exporter adds to speed_of_answer_seconds for the rules: " + strings.ReplaceAll(text, " ", ", ")
}

// ask reads the chats of a time, the newest windows first: there is more than one
// where a month ends and where clocks go back.
func (r *round) ask(ctx context.Context, from, to time.Time) (s seen) {
	latest := latestAnywhere(to)
	for _, window := range slices.Backward(wolkvox.Windows(from, to, r.Zone)) {
		if r.left == 0 {
			s.err = errSpent
			return s
		}
		r.left--
		for chat, err := range r.API.Chats(ctx, window) {
			s.keys |= chat.Keys
			switch {
			case errors.Is(err, wolkvox.ErrBadRow):
				s.rows++
				s.bad++
			case err != nil:
				s.err = err
				return s
			default:
				s.rows++
				if chat.End <= latest {
					s.newest = max(s.newest, chat.End)
				}
				if chat.Ended() {
					s.ended++
				}
				if chat.Ended() && chat.HandedOff {
					s.handed++
				}
			}
		}
	}
	return s
}

func (r *round) clock() {
	ahead, ok := r.API.ClockSkew()
	const do = "set this machine's clock by NTP"
	direction := "behind"
	if ahead < 0 {
		direction = "ahead of"
	}
	text := fmt.Sprintf("this machine's clock is %s %s the API's", span(ahead.Abs()), direction)
	switch {
	case !ok:
		r.skipped(Clock, "no response of the API has a date")
	case ahead.Abs() > far:
		r.failed(Clock, text, do)
	case ahead.Abs() > odd:
		r.look(Clock, text, do)
	case ahead.Abs() < time.Second:
		r.ok(Clock, "this machine's clock and the API's are less than a second apart")
	default:
		r.ok(Clock, text)
	}
}

func (r *round) quota(info wolkvox.TokenInfo, err error) {
	const less = "raise --poll.interval and --poll.reconcile-interval"
	switch {
	case err != nil:
		r.look(Quota, "could not be read: "+err.Error(), "")
	case info.Limit == nil:
		r.look(Quota, "the API does not report the day's limit", "")
	case *info.Limit < float64(r.Needs):
		r.failed(Quota, fmt.Sprintf("%.0f requests in a day, but the exporter makes %d", *info.Limit, r.Needs), less)
	case info.Used == nil:
		r.ok(Quota, fmt.Sprintf("%.0f requests in a day; the exporter makes %d", *info.Limit, r.Needs))
	default:
		left := *info.Limit - *info.Used
		text := fmt.Sprintf("%.0f of today's %.0f requests are left; the exporter makes %d in a day", left, *info.Limit, r.Needs)
		if left < *info.Limit/10 {
			r.look(Quota, text, "find the other programs that use the operation's tokens, or "+less)
			return
		}
		r.ok(Quota, text)
	}
}

func (r *round) report(recent seen) {
	switch {
	case recent.rows == 0:
		r.look(Report, "no chat in the last hour", "nothing, if the hour is quiet; otherwise see time_zone")
	case recent.bad == recent.rows:
		r.failed(Report, fmt.Sprintf("%s in the last hour, all unreadable", count(recent.rows, "row")), "report the line fields to the exporter's developers")
	case recent.rows >= wolkvox.MaxRows:
		r.look(Report, fmt.Sprintf("%d rows in the last hour, the most that a response holds", recent.rows), "nothing: the exporter splits the window")
	case recent.ended >= many && recent.handed == recent.ended:
		r.look(Report, count(recent.rows, "row")+" in the last hour, and every chat was handed over: if the report leaves out bot-only chats, there is no handoff rate",
			"compare with the Manager's report of the hour; ask wolkvox's support whether chat_8 includes chats that stayed with the bot")
	default:
		r.ok(Report, count(recent.rows, "row")+" in the last hour")
	}
}

// zone looks for chats that end ahead of the zone's clock, and if there are none in
// the last hour, behind it.
func (r *round) zone(ctx context.Context, recent seen) (others seen) {
	now := time.Now()
	if ahead, ok := r.API.ClockSkew(); ok {
		now = now.Add(ahead)
	}
	_, seconds := now.In(r.Zone).Zone()
	east := time.Duration(seconds) * time.Second
	from, to := now, now.Add(eastmost-east)
	if recent.newest == 0 {
		from = now.Add(westmost - east - recently)
	}
	others = r.ask(ctx, from, to)
	finding := judgeZone(r.Zone, now, max(recent.newest, others.newest))
	if others.err != nil && finding.Status != Failed {
		finding.Status = Look
		finding.Text += "; the hours of other time zones could not be read: " + others.err.Error()
	}
	r.add(finding)
	return others
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
