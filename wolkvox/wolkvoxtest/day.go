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
	TimedOut int            // percentage of the handed-over chats that a timeout closes, see TimedOut
}

// Day returns a source of chats for any time, past or future: busiest in the middle of
// the morning and of the afternoon, with some chats at any hour. The chats of a minute
// depend on the seed and the minute alone, so that the cost of a range is that of its
// minutes.
//
// Every minute has one short chat that an agent answers. It starts in the minute's first
// 20 seconds and ends at most 100 seconds later. Any five minutes have three whole ones,
// at three routing points and in three channels, so that every window has a speed of
// answer and a handle time.
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
	points := make([]RoutingPoint, len(queues))
	for i, d := range queues {
		points[i] = d.point
	}
	return points
}

// Started implements [Source].
func (d *day) Started(from, to time.Time) iter.Seq[Chat] {
	return func(yield func(Chat) bool) {
		var source rand.PCG
		m := chatMaker{Rand: rand.New(&source)}
		timedOut := Share("timed out", d.cfg.TimedOut)
		for minute := from.Truncate(time.Minute); minute.Before(to); minute = minute.Add(time.Minute) {
			m.number = uint64(minute.Unix() / 60) //nolint:gosec // a negative number wraps, which does no harm
			source.Seed(d.cfg.Seed, m.number)
			m.minute = minute.In(d.cfg.Location)
			m.rate, m.rush = busyness(m.minute)
			for i := range m.chats() {
				// A chat outside the range is generated, too: it advances m.Rand
				// for the next chats of the minute.
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

// busyness returns the expected number of chats a minute at t, and its place between
// a quiet hour (0) and the busiest (1).
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

// chatMaker generates the chats of one minute.
type chatMaker struct {
	*rand.Rand
	number uint64 // of the minute, since 1970
	minute time.Time
	rate   float64
	rush   float64
}

func (m *chatMaker) chats() int {
	return max(5, int(math.Round(m.rate+m.NormFloat64()*math.Sqrt(m.rate)/2)))
}

// chat generates the minute's i-th chat; the first is the short one.
func (m *chatMaker) chat(i int) Chat {
	var c Chat
	c.Start = m.minute.Add(time.Duration(m.IntN(60)) * time.Second)
	m.customer(&c, i)
	desk := &queues[m.pick(queueShares)]
	c.Channel = channels[m.pick(channelShares)]
	switch handed := handedShare(m.rate) * desk.handed; {
	case i == 0:
		c.Start = m.minute.Add(m.seconds(0, 20))
		desk = &queues[m.number%uint64(len(queues))]
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

// handedShare returns the probability that a chat other than the short one is handed
// over, so that four of ten chats are in all.
func handedShare(rate float64) float64 { return (0.4*rate - 1) / (rate - 1) }

func (m *chatMaker) short(c *Chat, d *queue) {
	c.BotTime = m.seconds(8, 16)
	c.Answer = m.seconds(4, 15)
	m.handled(c, d, m.seconds(40, 70))
}

func (m *chatMaker) botOnly(c *Chat) {
	c.BotTime = m.logNormal(75*time.Second, 0.6, 5*time.Second, maxBot)
	c.Total = c.BotTime
	c.Answer, c.HandleTime, c.AgentChars = Absent, Absent, Absent
	c.Messages = 2 + int(c.BotTime/(11*time.Second)) + m.IntN(3)
	c.CustomerChars = m.typed(c.Messages/2, 18)
	c.LastSender = "chat_bot"
	if m.Float64() < 0.2 {
		c.LastSender = "customer"
	}
}

// abandoned makes c a chat that was handed over and not answered.
func (m *chatMaker) abandoned(c *Chat) {
	c.HandedOff = true
	c.BotTime = m.logNormal(35*time.Second, 0.5, 5*time.Second, maxBot)
	c.Total = c.BotTime + m.logNormal(4*time.Minute, 0.8, 30*time.Second, maxWait)
	c.Answer, c.HandleTime, c.AgentChars = Absent, Absent, Absent
	c.Messages = 4 + m.IntN(6)
	c.CustomerChars = m.typed(c.Messages/2, 25)
	c.LastSender = "customer"
	if m.Float64() < 0.4 {
		c.LastSender = "chat_bot"
	}
}

func (m *chatMaker) answered(c *Chat, d *queue) {
	c.BotTime = m.logNormal(35*time.Second, 0.5, 5*time.Second, maxBot)
	typical := time.Duration(18*math.Pow(10, m.rush)) * time.Second
	c.Answer = m.logNormal(typical, 0.7, 2*time.Second, maxWait)
	m.handled(c, d, m.logNormal(d.handle, 0.6, time.Minute, maxHandle))
}

// handled gives c an agent and a handle time.
func (m *chatMaker) handled(c *Chat, d *queue, handle time.Duration) {
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

// seconds returns a random number of whole seconds in [low, high).
func (m *chatMaker) seconds(low, high int) time.Duration {
	return time.Duration(low+m.IntN(high-low)) * time.Second
}

// logNormal returns a random duration whose median is typical. A few are much longer,
// as service times are.
func (m *chatMaker) logNormal(typical time.Duration, spread float64, low, high time.Duration) time.Duration {
	d := time.Duration(float64(typical) * math.Exp(spread*m.NormFloat64()))
	return min(max(d, low), high).Truncate(time.Second)
}

// typed returns a random number of characters for a number of lines.
func (m *chatMaker) typed(lines, each int) int {
	return int(float64(lines*each) * (0.7 + 0.6*m.Float64()))
}

// pick returns a random index by share; the shares add up to 100.
func (m *chatMaker) pick(shares []int) int {
	n := m.IntN(100)
	for i, share := range shares {
		if n -= share; n < 0 {
			return i
		}
	}
	return len(shares) - 1
}
