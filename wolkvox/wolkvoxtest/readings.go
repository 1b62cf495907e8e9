package wolkvoxtest

import "time"

// Readings chooses one answer to each question that the vendor's documents
// leave open. The zero value has the most likely answers.
type Readings struct {
	SelectOn SelectOn // U1: what the range selects on
	Ends     Ends     // U2: whether its ends are inclusive
	ListOpen ListOpen // U3: whether a chat is listed before it has ended

	// FillDelay (U4) is how long after its end a row still shows go_to_agent
	// "no" and neither asa, time_with_agent nor any agent_ field.
	FillDelay time.Duration
	// Lateness (U5) is how long after its end a chat is first shown as ended;
	// nil means at once. A chat that is listed while open stays so until then.
	// It must return the same for the same chat.
	Lateness func(Chat) time.Duration

	Empty         Empty     // U6: how an empty result is written
	Durations     Durations // U8: how durations are written
	NumbersAsJSON bool      // U8: each numeric string is a number, as with PHP's JSON_NUMERIC_CHECK
	Absent        AbsentAs  // "-" or "": both are documented
	Yes           Yes       // U9: how yes is written
	BotConnID     BotConnID // U10: conn_id of a bot-only chat
	Cut           Cut       // U11: which rows are kept at the limit

	CodeAsString bool      // "200" on some endpoints, 200 on others
	DateStyle    DateStyle // how start_date and end_date are written

	// HandoffsOnly (U12) leaves out every row whose go_to_agent is not yes:
	// bot-only chats, and others until they are handed over.
	HandoffsOnly bool
	// Growth (U13) returns how long after a row was first shown whole its figures
	// become larger, once for each time, in ascending order and less than a day;
	// nil means never. It must return the same whenever it is called with the same
	// chat, which is the chat as it is first shown.
	Growth  func(Chat) []time.Duration
	GrowEnd bool    // U13: end_date, too, is later by that time
	Message Message // U14: the number of rows in msg
	Keys    Keys    // U15: how the keys of a row are spelled

	Code     Code      // code of a response that is a success
	Error    ErrorText // error of a response that is a success
	Data     Data      // what holds the rows
	Decimals bool      // "12.00": counts, and durations that are not clocks
	// WrongType returns a field of the chat whose value has another type than
	// documented, and the JSON that stands there; "" means none, and nil that no
	// chat has one. The field must be none of conn_id, session_id, start_date and
	// end_date. It must return the same whenever it is called with the same chat,
	// which is the chat as it is first shown.
	WrongType func(Chat) (field, value string)
}

// SelectOn is the date of a chat that must lie in the range. The report is
// sorted by it. Start is the zero value because a report with open chats can
// only be about starts, and the help page says "from their start".
type SelectOn int

// Readings of U1. With End, an open chat is listed if it started in the range: it has no
// other date.
const (
	Start SelectOn = iota
	End
)

// Ends are the ends that belong to the range.
type Ends int

// Readings of U2.
const (
	BothInclusive Ends = iota
	StartInclusive
	BothExclusive
)

// ListOpen is how a chat that has not ended is listed.
type ListOpen int

// Readings of U3: not at all, with an empty end_date, with the end_date "-".
const (
	NotListed ListOpen = iota
	EmptyEnd
	DashEnd
)

// Empty is the response to a range without rows.
type Empty int

// Readings of U6.
const (
	EmptyArray  Empty = iota // "data": []
	NullData                 // "data": null
	Status404                // HTTP 404 with an error body
	Status204                // HTTP 204 without a body
	Code404                  // HTTP 200 with "code": 404
	EmptyObject              // "data": {}
	EmptyText                // "data": ""
	FalseData                // "data": false
)

// Durations is the notation of time_on_chatbot, asa, time_with_agent and total_time.
type Durations int

// Readings of U8.
const (
	Clock         Durations = iota // "HH:MM:SS", hours above 24 too
	SecondsString                  // "75"
	SecondsNumber                  // 75
	ShortClock                     // "M:SS", or "H:MM:SS" from an hour on
)

// AbsentAs is how a value that does not apply is written.
type AbsentAs int

// Notations of an absent value.
const (
	AbsentDash     AbsentAs = iota // "-"
	AbsentEmpty                    // ""
	AbsentNull                     // null
	AbsentNA                       // "N/A"
	AbsentNullText                 // "NULL"
)

// Yes is the notation of go_to_agent and the other flags.
type Yes int

// Readings of U9.
const (
	YesNo     Yes = iota // "yes", "no"
	YesUpper             // "YES", "NO"
	YesSi                // "si", "no"
	YesAccent            // "sí", "no"
	YesOne               // "1", "0"
	YesTrue              // "true", "false"
	YesBool              // true, false
)

// BotConnID is the conn_id of a chat that stayed with the bot.
type BotConnID int

// Readings of U10: its number, or "-".
const (
	Number BotConnID = iota
	Dash
)

// Cut is which rows are kept if there are more than the limit.
type Cut int

// Readings of U11.
const (
	First Cut = iota
	Last
)

// DateStyle is the notation of a date.
type DateStyle int

// Notations of a date.
const (
	DateSpace    DateStyle = iota // 2026-01-18 19:34:31
	DateT                         // 2026-01-18T19:34:31
	DateCompact                   // 20260118193431
	DateFraction                  // 2026-01-18 19:34:31.000000
	DateOffset                    // 2026-01-18T19:34:31-05:00
)
