package wolkvoxtest

import (
	"strings"
	"time"
)

// Truth is what a reader of the report must arrive at when every chat counts
// once. An absent value is no observation.
type Truth struct {
	Total  Figures
	By     map[Key]Figures
	Agents map[string]AgentFigures // by agent_id; chats that reached an agent
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

// add counts a chat as far as the report shows it.
func (t *Truth) add(c *Chat, st state) {
	if st != unfilled && st != complete {
		return
	}
	key := Key{c.RoutingPoint, strings.ToLower(c.Channel)}
	handedOff := c.HandedOff && st == complete
	figures := t.By[key]
	t.Total.add(c, handedOff)
	figures.add(c, handedOff)
	t.By[key] = figures
	if handedOff && c.AgentID != "" {
		agent := t.Agents[c.AgentID]
		agent.Chats++
		agent.HandleTime.addDuration(c.HandleTime)
		agent.SpeedOfAnswer.addDuration(c.Answer)
		agent.Characters.add(c.AgentChars)
		t.Agents[c.AgentID] = agent
	}
}

func (f *Figures) add(c *Chat, handedOff bool) {
	if f.LastSender == nil {
		f.LastSender = map[string]int{}
	}
	f.Interactions++
	f.LastSender[strings.ToLower(c.LastSender)]++
	f.BotTime.addDuration(c.BotTime)
	f.Duration.addDuration(c.Total)
	f.Messages.add(c.Messages)
	f.CustomerChars.add(c.CustomerChars)
	if handedOff {
		f.Handoffs++
		f.SpeedOfAnswer.addDuration(c.Answer)
		f.HandleTime.addDuration(c.HandleTime)
		f.AgentChars.add(c.AgentChars)
	}
}

// Truth is the server's account at the moment until: everything that the
// report, read through, showed as ended by then, as far as its rows were filled
// in by then. It is about the chats added; those of an endless Source have no
// sum, see [Server.TruthBetween].
func (s *Server) Truth(until time.Time) Truth {
	t := newTruth()
	s.book.each(func(c *Chat) { t.add(c, s.cfg.Readings.state(c, until)) })
	return *t
}

// TruthBetween is the account at the moment until of the chats, those of the
// Source too, that a request for the whole seconds from to until finds, were
// there no limit of rows.
func (s *Server) TruthBetween(from, until time.Time) Truth {
	t := newTruth()
	loc := s.cfg.Location
	s.book.find(wallOf(from, loc), wallOf(until, loc), until, func(l listing) { t.add(l.chat, l.state) })
	return *t
}
