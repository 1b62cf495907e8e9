package wolkvoxtest

import (
	"iter"
	"time"
)

// state is what the report shows of a chat at some moment.
type state int

const (
	hidden   state = iota
	open           // listed without an end
	unfilled       // ended, the agent's part still missing
	complete
)

func (r *Readings) state(c *Chat, now time.Time) state {
	st := complete
	switch {
	case c.Start.After(now):
		return hidden
	case c.End.IsZero() || c.End.Add(r.lateness(c)).After(now):
		if r.ListOpen == NotListed {
			return hidden
		}
		st = open
	case c.End.Add(r.FillDelay).After(now):
		st = unfilled
	}
	if r.HandoffsOnly && (!c.HandedOff || st == unfilled || st == open && now.Sub(c.Start) < c.BotTime) {
		return hidden
	}
	return st
}

func (r *Readings) lateness(c *Chat) time.Duration {
	if r.Lateness == nil {
		return 0
	}
	return r.Lateness(*c)
}

// version is a chat as the report shows it from one growth of its row until the
// next.
type version struct {
	chat  *Chat
	first *Chat // as it is first shown
	n     int   // growths so far
	since time.Time
	until time.Time // zero: for ever
}

// maxGrowth bounds how long after it was first shown a row grows.
const maxGrowth = 24 * time.Hour

// versions yields c as it is first shown, and then each growth of it.
func (r *Readings) versions(c Chat) iter.Seq[version] {
	return func(yield func(version) bool) {
		v := version{chat: &c, first: &c}
		if r.Growth != nil && !c.End.IsZero() {
			whole := c.End.Add(max(r.lateness(&c), r.FillDelay))
			for _, after := range r.Growth(c) {
				v.until = whole.Add(after)
				if !yield(v) {
					return
				}
				v.n++
				v.since, v.until = v.until, time.Time{}
				grown := r.grown(c, v.n, after)
				v.chat = &grown
			}
		}
		yield(v)
	}
}

// grown is c after the n-th growth of its row.
func (r *Readings) grown(c Chat, n int, after time.Duration) Chat {
	for _, count := range []*int{&c.Messages, &c.CustomerChars, &c.AgentChars} {
		if *count >= 0 {
			*count += 10 * n
		}
	}
	for _, duration := range []*time.Duration{&c.BotTime, &c.Total} {
		if *duration >= 0 {
			*duration += time.Duration(5*n) * time.Second
		}
	}
	if r.GrowEnd {
		c.End = c.End.Add(after)
	}
	return c
}

// versionState is what the report shows of a version.
func (r *Readings) versionState(v *version, now time.Time) state {
	if now.Before(v.since) || !v.until.IsZero() && !now.Before(v.until) {
		return hidden
	}
	return r.state(v.first, now)
}

// FirstShown returns c as the report first shows it as ended, with Absent in
// the place of what no reader can know, and reports whether it does so by then.
// What is filled in by then is there.
func (r Readings) FirstShown(c Chat, by time.Time) (shown Chat, ended bool) {
	for v := range r.versions(c) {
		st := r.state(v.first, by)
		return r.readable(v, st), st == unfilled || st == complete
	}
	return c, false
}

// Shown returns c as the report shows it at a moment, with Absent in the place
// of what no reader can know, and reports whether it is shown as ended.
func (r Readings) Shown(c Chat, at time.Time) (shown Chat, ended bool) {
	for v := range r.versions(c) {
		if st := r.versionState(&v, at); st == unfilled || st == complete {
			return r.readable(v, st), true
		}
	}
	return c, false
}

// readable is what can be read of a version in a state.
func (r *Readings) readable(v version, st state) Chat {
	c := *v.chat
	if st == unfilled {
		c.unfill()
	}
	if field := r.wrongField(v.first); field != "" {
		absences[field](&c)
	}
	return c
}

// unfill takes from c what arrives only with FillDelay.
func (c *Chat) unfill() {
	c.HandedOff, c.Answer, c.HandleTime = false, Absent, Absent
	c.AgentID, c.AgentName, c.AgentChars = "", "", Absent
}
