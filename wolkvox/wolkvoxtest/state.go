package wolkvoxtest

import (
	"iter"
	"time"
)

// state is how much the report shows of a chat at a time.
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

// maxGrowth is the longest time after it is first shown in which a row can grow.
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

// grown returns c after the n-th growth of its row.
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

// versionState returns how much the report shows of a version.
func (r *Readings) versionState(v *version, now time.Time) state {
	if now.Before(v.since) || !v.until.IsZero() && !now.Before(v.until) {
		return hidden
	}
	return r.state(v.first, now)
}

// FirstShown returns c as the report first shows it as ended, with Absent for the values
// that no reader can know by then, and reports whether it is shown by then.
func (r Readings) FirstShown(c Chat, by time.Time) (shown Chat, ended bool) {
	for v := range r.versions(c) {
		st := r.state(v.first, by)
		return r.readable(v, st), st == unfilled || st == complete
	}
	return c, false
}

// Shown returns c as the report shows it at a time, with Absent for the values that no
// reader can know, and reports whether it is shown as ended.
func (r Readings) Shown(c Chat, at time.Time) (shown Chat, ended bool) {
	for v := range r.versions(c) {
		if st := r.versionState(&v, at); st == unfilled || st == complete {
			return r.readable(v, st), true
		}
	}
	return c, false
}

// readable returns a version with the values that can be read in a state.
func (r *Readings) readable(v version, st state) Chat {
	c := *v.chat
	if st == unfilled {
		c.clearUnfilled()
	}
	if field := r.wrongField(v.first); field != "" {
		clearField[field](&c)
	}
	return c
}

// clearUnfilled removes from c the values that are filled in after FillDelay.
func (c *Chat) clearUnfilled() {
	c.HandedOff, c.Answer, c.HandleTime = false, Absent, Absent
	c.AgentID, c.AgentName, c.AgentChars = "", "", Absent
}
