package wolkvoxtest

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// DayConfig describes the days that [Day] makes.
type DayConfig struct {
	Seed     uint64         // the same seed makes the same days
	Location *time.Location // whose clock has the rush hours; nil is America/Bogota
	TimedOut int            // of a hundred chats that an agent could have closed, those that a timeout closes, see TimedOut
}

// Day is a contact centre whose working days never end: busiest in the middle of
// the morning and of the afternoon, with some chats at any hour. Each minute's
// chats follow from the seed and the minute alone, so that any time, past or
// future, can be asked for at no other cost than its own minutes'.
//
// Every minute has one short chat that an agent answers, begun in the minute's
// first 20 seconds and ended 100 seconds later at most. Three whole ones lie in
// any five minutes, at three routing points and in three channels, so that no
// window is without a speed of answer and a handle time.
func Day(cfg DayConfig) Source {
	if cfg.Location == nil {
		cfg.Location = bogota()
	}
	return &day{cfg}
}

type day struct{ cfg DayConfig }

// The longest parts a chat can have. "A chat may wait in a routing point for up
// to 60 minutes."
const (
	maxBot    = 10 * time.Minute
	maxWait   = 60 * time.Minute
	maxHandle = 60 * time.Minute
)

// Longest implements [Source].
func (d *day) Longest() time.Duration {
	if d.cfg.TimedOut > 0 {
		return MaxTimeout
	}
	return maxBot + maxWait + maxHandle
}

// RoutingPoints implements [Source].
func (*day) RoutingPoints() []RoutingPoint {
	points := make([]RoutingPoint, len(desks))
	for i, d := range desks {
		points[i] = d.point
	}
	return points
}

// Started implements [Source].
func (d *day) Started(from, to time.Time) iter.Seq[Chat] {
	return func(yield func(Chat) bool) {
		var source rand.PCG
		m := maker{Rand: rand.New(&source)}
		timedOut := Share("timed out", d.cfg.TimedOut)
		for minute := from.Truncate(time.Minute); minute.Before(to); minute = minute.Add(time.Minute) {
			m.number = uint64(minute.Unix() / 60) //nolint:gosec // before 1970 it wraps, and is as good a number
			source.Seed(d.cfg.Seed, m.number)
			m.minute = minute.In(d.cfg.Location)
			m.rate, m.rush = busyness(m.minute)
			for i := range m.chats() {
				// A chat outside of the range is made all the same: the
				// minute's next ones depend on what it takes from m.Rand.
				c := m.chat(i)
				if i > 0 && c.HandedOff && timedOut(c) {
					c = TimedOut(c)
				}
				if !c.Start.Before(from) && c.Start.Before(to) && !yield(c) {
					return
				}
			}
		}
	}
}

// busyness gives the chats a minute that are to be expected at t, and how far
// that is from a quiet hour (0) towards the busiest (1).
func busyness(t time.Time) (rate, rush float64) {
	const quiet, office, morning, afternoon = 20, 8, 14, 12
	hour := float64(t.Hour()) + float64(t.Minute())/60
	bell := func(peak, width float64) float64 {
		return math.Exp(-(hour - peak) * (hour - peak) / (2 * width * width))
	}
	step := func(at float64) float64 { return 1 / (1 + math.Exp(-2*(hour-at))) }
	above := office*(step(7.5)-step(19)) + morning*bell(10.25, 1.2) + afternoon*bell(15.5, 1.5)
	return quiet + above, min(above/(office+morning), 1)
}

// maker makes the chats of one minute.
type maker struct {
	*rand.Rand
	number uint64 // of the minute, since 1970
	minute time.Time
	rate   float64
	rush   float64
}

func (m *maker) chats() int {
	return max(5, int(math.Round(m.rate+m.NormFloat64()*math.Sqrt(m.rate)/2)))
}

// chat makes the minute's i-th chat; the first is the short one.
func (m *maker) chat(i int) Chat {
	var c Chat
	c.Start = m.minute.Add(time.Duration(m.IntN(60)) * time.Second)
	m.customer(&c, i)
	desk := &desks[m.pick(deskShares)]
	c.Channel = channels[m.pick(channelShares)]
	switch handed := handedShare(m.rate) * desk.handed; {
	case i == 0:
		c.Start = m.minute.Add(m.seconds(0, 20))
		desk = &desks[m.number%uint64(len(desks))]
		c.Channel = shortChannels[m.number%uint64(len(shortChannels))]
		m.short(&c, desk)
	case m.Float64() >= handed:
		m.botOnly(&c)
	case m.Float64() < 0.05+0.10*m.rush:
		m.abandoned(&c)
	default:
		m.answered(&c, desk)
	}
	c.SessionID = c.Customer.Phone + "_" + c.Channel
	c.RoutingPoint = desk.point.ID
	c.End = c.Start.Add(c.Total)
	return c
}

// handedShare is the chance of any but the short chat to be handed over, for
// four of ten chats to be so in all.
func handedShare(rate float64) float64 { return (0.4*rate - 1) / (rate - 1) }

func (m *maker) short(c *Chat, d *contactDesk) {
	c.BotTime = m.seconds(8, 16)
	c.Answer = m.seconds(4, 15)
	m.handled(c, d, m.seconds(40, 70))
}

func (m *maker) botOnly(c *Chat) {
	c.BotTime = m.around(75*time.Second, 0.6, 5*time.Second, maxBot)
	c.Total = c.BotTime
	c.Answer, c.HandleTime, c.AgentChars = Absent, Absent, Absent
	c.Messages = 2 + int(c.BotTime/(11*time.Second)) + m.IntN(3)
	c.CustomerChars = m.typed(c.Messages/2, 18)
	c.LastSender = "chat_bot"
	if m.Float64() < 0.2 {
		c.LastSender = "customer"
	}
}

// abandoned is a chat that was handed over and that nobody answered.
func (m *maker) abandoned(c *Chat) {
	c.HandedOff = true
	c.BotTime = m.around(35*time.Second, 0.5, 5*time.Second, maxBot)
	c.Total = c.BotTime + m.around(4*time.Minute, 0.8, 30*time.Second, maxWait)
	c.Answer, c.HandleTime, c.AgentChars = Absent, Absent, Absent
	c.Messages = 4 + m.IntN(6)
	c.CustomerChars = m.typed(c.Messages/2, 25)
	c.LastSender = "customer"
	if m.Float64() < 0.4 {
		c.LastSender = "chat_bot"
	}
}

func (m *maker) answered(c *Chat, d *contactDesk) {
	c.BotTime = m.around(35*time.Second, 0.5, 5*time.Second, maxBot)
	typical := time.Duration(18*math.Pow(10, m.rush)) * time.Second
	c.Answer = m.around(typical, 0.7, 2*time.Second, maxWait)
	m.handled(c, d, m.around(d.handle, 0.6, time.Minute, maxHandle))
}

// handled gives c an agent for so long.
func (m *maker) handled(c *Chat, d *contactDesk, handle time.Duration) {
	c.HandedOff = true
	c.HandleTime = handle
	c.Total = c.BotTime + c.Answer + handle
	agent := d.agents[m.IntN(len(d.agents))]
	c.AgentID, c.AgentName = agents[agent].id, agents[agent].name
	lines := 2 + int(handle/(40*time.Second)) + m.IntN(3)
	c.Messages = 4 + 2*lines
	c.CustomerChars = m.typed(2+lines, 32)
	c.AgentChars = m.typed(lines, 75)
	c.LastSender = "agent"
	if m.Float64() < 0.3 {
		c.LastSender = "customer"
	}
}

// seconds is a whole number of them, in [low, high).
func (m *maker) seconds(low, high int) time.Duration {
	return time.Duration(low+m.IntN(high-low)) * time.Second
}

// around is a time of about the typical one: half of them are shorter, a few
// are much longer, as service times are.
func (m *maker) around(typical time.Duration, spread float64, low, high time.Duration) time.Duration {
	d := time.Duration(float64(typical) * math.Exp(spread*m.NormFloat64()))
	return min(max(d, low), high).Truncate(time.Second)
}

// typed is how many characters so many lines have.
func (m *maker) typed(lines, each int) int {
	return int(float64(lines*each) * (0.7 + 0.6*m.Float64()))
}

// pick chooses an index by its share; the shares make 100.
func (m *maker) pick(shares []int) int {
	n := m.IntN(100)
	for i, share := range shares {
		if n -= share; n < 0 {
			return i
		}
	}
	return len(shares) - 1
}
