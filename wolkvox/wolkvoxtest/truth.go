package wolkvoxtest

import (
	"strings"
	"time"
)

// Truth is what a reader of the report must arrive at when every chat counts
// once. An absent value is no observation, nor is one of a wrong type.
type Truth struct {
	Total  Figures
	By     map[Key]Figures
	Agents map[string]AgentFigures // by agent_id; chats that reached an agent

	FieldErrors map[string]int // chats whose value of that field has a wrong type
	Grown       int            // chats whose figures became larger after they were first shown
	Growths     int            // how often that was
}

// Key names a routing point and, in lower case, a channel.
type Key struct {
	RoutingPoint, Channel string
}

// Figures are the totals of some chats.
type Figures struct {
	Interactions int
	Handoffs     int
	LastSender   map[string]int // as the report writes it, in lower case; "" where it is absent

	BotTime       Stat
	SpeedOfAnswer Stat // handed-over chats only
	HandleTime    Stat // handed-over chats only
	Duration      Stat
	Messages      Stat
	CustomerChars Stat
	AgentChars    Stat // handed-over chats only
}

// AgentFigures are the totals of one agent's chats.
type AgentFigures struct {
	Chats         int
	HandleTime    Stat
	SpeedOfAnswer Stat
	Characters    Stat
}

// Stat counts and sums observations; durations in seconds, whole ones, as the
// report shows them.
type Stat struct {
	Count int
	Sum   float64
}

func (s *Stat) add(n int) {
	if n >= 0 {
		s.Count++
		s.Sum += float64(n)
	}
}

func (s *Stat) addDuration(d time.Duration) {
	if d >= 0 {
		s.add(int(d / time.Second))
	}
}

func newTruth() *Truth {
	return &Truth{By: map[Key]Figures{}, Agents: map[string]AgentFigures{}}
}

// add counts a version as far as the report shows it.
func (t *Truth) add(r *Readings, v version, st state) {
	if st != unfilled && st != complete {
		return
	}
	if field := r.wrongField(v.first); field != "" {
		if t.FieldErrors == nil {
			t.FieldErrors = map[string]int{}
		}
		t.FieldErrors[field]++
	}
	c := r.readable(v, st)
	key := Key{c.RoutingPoint, strings.ToLower(c.Channel)}
	figures := t.By[key]
	t.Total.add(&c)
	figures.add(&c)
	t.By[key] = figures
	if c.HandedOff && c.AgentID != "" {
		agent := t.Agents[c.AgentID]
		agent.Chats++
		agent.HandleTime.addDuration(c.HandleTime)
		agent.SpeedOfAnswer.addDuration(c.Answer)
		agent.Characters.add(c.AgentChars)
		t.Agents[c.AgentID] = agent
	}
}

func (f *Figures) add(c *Chat) {
	if f.LastSender == nil {
		f.LastSender = map[string]int{}
	}
	f.Interactions++
	f.LastSender[strings.ToLower(c.LastSender)]++
	f.BotTime.addDuration(c.BotTime)
	f.Duration.addDuration(c.Total)
	f.Messages.add(c.Messages)
	f.CustomerChars.add(c.CustomerChars)
	if c.HandedOff {
		f.Handoffs++
		f.SpeedOfAnswer.addDuration(c.Answer)
		f.HandleTime.addDuration(c.HandleTime)
		f.AgentChars.add(c.AgentChars)
	}
}

// Truth is the server's account at the moment until: everything that the
// report, read through, showed as ended by then, as far as its rows were filled
// in by then. A row that grew counts as it was first shown. It is about the chats
// added; those of an endless Source have no sum, see [Server.TruthBetween].
func (s *Server) Truth(until time.Time) Truth {
	return s.TruthOf(until, func(Chat) bool { return true })
}

// TruthOf is the Truth of those chats for which of returns true.
func (s *Server) TruthOf(until time.Time, of func(Chat) bool) Truth {
	t, r := newTruth(), &s.cfg.Readings
	s.book.each(func(v *version) {
		st := r.state(v.first, until)
		switch {
		case !of(*v.first):
		case v.n == 0:
			t.add(r, *v, st)
		case st == complete && !v.since.After(until):
			t.Growths++
			if v.n == 1 {
				t.Grown++
			}
		}
	})
	return *t
}

// TruthBetween is the account at the moment until of the chats, those of the
// Source too, that a request for the whole seconds from to until finds, were
// there no limit of rows. A row that grew counts as it is shown at that moment.
func (s *Server) TruthBetween(from, until time.Time) Truth {
	t := newTruth()
	loc := s.cfg.Location
	s.book.find(wallOf(from, loc), wallOf(until, loc), until, func(l listing) {
		t.add(&s.cfg.Readings, version{chat: l.chat, first: l.first}, l.state)
	})
	return *t
}
