// Package wolkvox is a client of the report API of a wolkvox operation. It makes requests for
// windows of time and decodes the chats of a response as they arrive.
//
// Where the vendor's documents disagree or say nothing, it accepts all readings of them. A
// customer's name, phone, e-mail, id and session do not leave the decoder: a chat is identified
// by a hash.
package wolkvox

// ID identifies a chat in all responses that show it: the first 64 bits of the SHA-256 of its
// conn_id, session_id and start_date. Two chats of a million share one with a probability of 3
// in 10^8. The zero ID means "none".
type ID uint64

// Chat is a row of the report chat_8, without personal data.
type Chat struct {
	ID ID
	// FallbackID is the ID of the same chat in a row without conn_id, as in the vendor's own
	// example; zero if session_id and start_date do not identify it.
	FallbackID ID

	Start LocalTime // zero if absent or malformed
	End   LocalTime // zero while the chat lasts

	RoutingPoint string // rp_id as the API writes it, a label; "-" if absent
	Channel      string // the same, in lower case

	HandedOff  bool // go_to_agent
	LastSender LastSender

	Agent     string // agent_id, the extension number, a label; empty if absent
	AgentName string // personal data: empty without [WithAgentNames]
	ConnID    string // empty without [WithConnIDs], or if it can be personal data

	// Numbers are seconds, messages or characters, by field. Present says which of them, of
	// go_to_agent and of last_sender the row has.
	Numbers [NumericFieldCount]float64
	Present Fields
	// Malformed says which fields have a value that cannot be read.
	Malformed Fields
	// Keys says which of [Keys] the row has, whatever their values. It is set with [ErrBadRow],
	// too.
	Keys Fields
}

// Ended reports whether the report shows the chat as ended.
func (c *Chat) Ended() bool { return c.End != 0 }

// Field is a column of the report that is read. Those below FieldCount can be malformed; the
// others are the rest of a chat's identity.
type Field uint8

// The numeric fields come first, as they are indexes of [Chat.Numbers].
const (
	TimeOnChatbot Field = iota // seconds with the bot
	ASA                        // seconds until an agent had the chat: speed of answer
	TimeWithAgent              // seconds of handling
	TotalTime                  // seconds from start to completion
	TimesChatted               // messages
	CustomerChars              // characters typed
	AgentChars                 // characters typed

	NumericFieldCount = iota // how many there are
)

// The other columns that can be malformed.
const (
	GoToAgent = NumericFieldCount + Field(iota)
	LastSenderField
	StartDate
	EndDate
	RoutingPointField
	ChannelField
	AgentField
	AgentNameField

	FieldCount = NumericFieldCount + iota // how many there are
)

// The fields that identify a chat beside its start. If one cannot be read, the row is bad.
const (
	ConnIDField = FieldCount + Field(iota)
	SessionIDField

	allKeys = FieldCount + iota // how many there are
)

var fieldNames = [allKeys]string{
	TimeOnChatbot:   "time_on_chatbot",
	ASA:             "asa",
	TimeWithAgent:   "time_with_agent",
	TotalTime:       "total_time",
	TimesChatted:    "times_chatted",
	CustomerChars:   "customer_chars",
	AgentChars:      "agent_chars",
	GoToAgent:       "go_to_agent",
	LastSenderField: "last_sender",
	StartDate:       "start_date",
	EndDate:         "end_date",

	RoutingPointField: "rp_id",
	ChannelField:      "channel",
	AgentField:        "agent_id",
	AgentNameField:    "agent_name",

	ConnIDField:    "conn_id",
	SessionIDField: "session_id",
}

// String returns the API's name of f.
func (f Field) String() string { return fieldNames[f] }

// Keys returns the documented keys of a row that are read.
func Keys() []Field {
	keys := make([]Field, allKeys)
	for i := range keys {
		keys[i] = Field(i)
	}
	return keys
}

// Fields is a set of fields.
type Fields uint32

// Has reports whether f is in the set.
func (s Fields) Has(f Field) bool { return s&(1<<f) != 0 }

func (s *Fields) add(f Field)    { *s |= 1 << f }
func (s *Fields) remove(f Field) { *s &^= 1 << f }

// LastSender is the sender of a chat's last message.
type LastSender uint8

// The documented senders, and any other.
const (
	UnknownSender LastSender = iota
	Agent
	ChatBot
	Customer
	SenderCount // how many there are
)

var senderNames = [SenderCount]string{"unknown", "agent", "chat_bot", "customer"}

// String returns the API's name of s.
func (s LastSender) String() string { return senderNames[s] }
