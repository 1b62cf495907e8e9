package wolkvoxtest

import (
	"strings"
	"time"
)

// Truth has the totals that a reader of the report must find if every chat counts once.
// Absent values and values of a wrong type are not observed.
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

// Stat counts and sums observations. Durations are in whole seconds, as in the report.
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

// Truth returns the totals at the time until: of all added chats that the report showed as
// ended by then, with the values that were filled in by then. A row that grew counts as
// it was first shown. Chats of the Source are not included, see [Server.TruthBetween].
func (s *Server) Truth(until time.Time) Truth {
	return s.TruthOf(until, func(Chat) bool { return true })
}

// TruthOf returns the Truth of the chats for which of returns true.
func (s *Server) TruthOf(until time.Time, of func(Chat) bool) Truth {
	t, r := newTruth(), &s.cfg.Readings
	s.chats.each(func(v *version) {
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

// TruthBetween returns the totals at the time until of the chats, including those of the
// Source, that a request from from to until would find without a limit of rows. A row that
// grew counts as it is shown at that time.
func (s *Server) TruthBetween(from, until time.Time) Truth {
	t := newTruth()
	loc := s.cfg.Location
	s.chats.find(toLocalTime(from, loc), toLocalTime(until, loc), until, func(l listing) {
		t.add(&s.cfg.Readings, version{chat: l.chat, first: l.first}, l.state)
	})
	return *t
}
