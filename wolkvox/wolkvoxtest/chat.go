package wolkvoxtest

import "time"

// Absent as a duration or a count of a [Chat] means that the report has no value
// there: "a value that does not apply is "-" or """. Zero is a value.
const Absent = -1

// Chat has all facts of one chat. The [Readings] decide what the report shows of it,
// and when. Durations are shown in whole seconds.
type Chat struct {
	ConnID    string
	SessionID string // customer and connector; personal data, it can contain a phone number
	Start     time.Time
	End       time.Time // zero or in the future: the chat is still open

	BotTime    time.Duration // time_on_chatbot
	Answer     time.Duration // asa
	HandleTime time.Duration // time_with_agent
	Total      time.Duration // total_time

	RoutingPoint string // rp_id
	Channel      string
	HandedOff    bool // go_to_agent
	Customer     Customer
	AgentID      string
	AgentName    string

	Messages      int // times_chatted
	CustomerChars int
	AgentChars    int
	LastSender    string // "agent", "chat_bot", "customer"
}

// Customer is the personal data of a chat.
type Customer struct {
	Phone, Name, ID, Email string
}

// RoutingPoint is one line of the routing_points call.
type RoutingPoint struct {
	ID, Name string
}

// sameRecord reports whether c and d are two states of one chat.
func (c *Chat) sameRecord(d *Chat) bool {
	return c.ConnID == d.ConnID && c.SessionID == d.SessionID && c.Start.Equal(d.Start)
}
