package wolkvoxtest

import (
	"iter"
	"time"
)

// Readings chooses one answer to each question that the vendor's documents
// leave open. The zero value is the most ordinary reading of all of them.
type Readings struct {
	SelectOn SelectOn // U1: what the range selects on
	Ends     Ends     // U2: whether its ends are inclusive
	ListOpen ListOpen // U3: whether a chat is listed before it has ended

	// FillDelay (U4) is how long after its end a row still shows go_to_agent
	// "no" and neither asa, time_with_agent nor any agent_ field.
	FillDelay time.Duration
	// Lateness (U5) is how long after its end a chat is first shown as ended;
	// nil means at once. A chat that is listed while open stays so until then.
	// It must give the same answer whenever it is asked about the same chat.
	Lateness func(Chat) time.Duration

	Empty         Empty     // U6: what says that nothing was found
	Durations     Durations // U8: how durations are written
	NumbersAsJSON bool      // U8: whatever reads as a number is one, as PHP's JSON_NUMERIC_CHECK does
	Absent        AbsentAs  // "-" or "": both are documented
	Yes           Yes       // U9: how yes is written
	BotConnID     BotConnID // U10: conn_id of a bot-only chat
	Cut           Cut       // U11: which rows survive the limit

	CodeAsString bool      // "200" on some endpoints, 200 on others
	DateStyle    DateStyle // how start_date and end_date are written
}

// SelectOn is the date of a chat that must lie in the range. The report is
// sorted by it. Start is the zero value because a report with open chats can
// only be about starts, and the help page says "from their start".
type SelectOn int

// Readings of U1. Under End a chat that is listed while open is listed when it
// started in the range, for it has no other date.
const (
	Start SelectOn = iota
	End
)

// Ends says which ends belong to the range.
type Ends int

// Readings of U2.
const (
	BothInclusive Ends = iota
	StartInclusive
	BothExclusive
)

// ListOpen says how a chat that has not ended is listed.
type ListOpen int

// Readings of U3: not at all, with an empty end_date, with the end_date "-".
const (
	NotListed ListOpen = iota
	EmptyEnd
	DashEnd
)

// Empty is the answer to a range without rows.
type Empty int

// Readings of U6.
const (
	EmptyArray Empty = iota // "data": []
	NullData                // "data": null
	Status404               // HTTP 404 with an error body
	Status204               // HTTP 204 without a body
	Code404                 // HTTP 200 with "code": 404
)

// Durations is the notation of time_on_chatbot, asa, time_with_agent and total_time.
type Durations int

// Readings of U8.
const (
	Clock         Durations = iota // "HH:MM:SS", hours above 24 too
	SecondsString                  // "75"
	SecondsNumber                  // 75
)

// AbsentAs is how a value that does not apply is written.
type AbsentAs int

// Notations of an absent value.
const (
	AbsentDash  AbsentAs = iota // "-"
	AbsentEmpty                 // ""
	AbsentNull                  // null
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

// Cut says which rows of too full a range survive.
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
	DateSpace   DateStyle = iota // 2026-01-18 19:34:31
	DateT                        // 2026-01-18T19:34:31
	DateCompact                  // 20260118193431
)

// EveryReading yields the ordinary reading and then each alternative to it, one
// at a time, under a name fit for a subtest.
func EveryReading() iter.Seq2[string, Readings] {
	after := func(d time.Duration) func(Chat) time.Duration {
		return func(Chat) time.Duration { return d }
	}
	all := []struct {
		name string
		r    Readings
	}{
		{"ordinary", Readings{}},
		{"U1-selects-on-end", Readings{SelectOn: End}},
		{"U2-start-inclusive", Readings{Ends: StartInclusive}},
		{"U2-both-exclusive", Readings{Ends: BothExclusive}},
		{"U3-open-with-empty-end", Readings{ListOpen: EmptyEnd}},
		{"U3-open-with-dash-end", Readings{ListOpen: DashEnd}},
		{"U1-U3-selects-on-end-lists-open", Readings{SelectOn: End, ListOpen: EmptyEnd}},
		{"U4-filled-in-later", Readings{FillDelay: 7 * time.Minute}},
		{"U5-minutes-late", Readings{Lateness: after(12 * time.Minute)}},
		{"U5-hours-late", Readings{Lateness: after(3 * time.Hour)}},
		{"U6-null-data", Readings{Empty: NullData}},
		{"U6-status-404", Readings{Empty: Status404}},
		{"U6-status-204", Readings{Empty: Status204}},
		{"U6-code-404", Readings{Empty: Code404}},
		{"U8-seconds-string", Readings{Durations: SecondsString}},
		{"U8-seconds-number", Readings{Durations: SecondsNumber}},
		{"U8-json-numbers", Readings{Durations: SecondsNumber, NumbersAsJSON: true}},
		{"U9-YES", Readings{Yes: YesUpper}},
		{"U9-si", Readings{Yes: YesSi}},
		{"U9-sí", Readings{Yes: YesAccent}},
		{"U9-1", Readings{Yes: YesOne}},
		{"U9-true", Readings{Yes: YesTrue}},
		{"U9-bool", Readings{Yes: YesBool}},
		{"U10-bot-conn-id-dash", Readings{BotConnID: Dash}},
		{"U11-last-rows-survive", Readings{Cut: Last}},
		{"absent-empty", Readings{Absent: AbsentEmpty}},
		{"absent-null", Readings{Absent: AbsentNull}},
		{"code-as-string", Readings{CodeAsString: true}},
		{"date-with-T", Readings{DateStyle: DateT}},
		{"date-compact", Readings{DateStyle: DateCompact}},
	}
	return func(yield func(string, Readings) bool) {
		for _, e := range all {
			if !yield(e.name, e.r) {
				return
			}
		}
	}
}

// state is what the report shows of a chat at some moment.
type state int

const (
	hidden   state = iota
	open           // listed without an end
	unfilled       // ended, the agent's part still missing
	complete
)

func (r *Readings) state(c *Chat, now time.Time) state {
	switch {
	case c.Start.After(now):
		return hidden
	case c.End.IsZero() || c.End.Add(r.lateness(c)).After(now):
		if r.ListOpen == NotListed {
			return hidden
		}
		return open
	case c.End.Add(r.FillDelay).After(now):
		return unfilled
	default:
		return complete
	}
}

func (r *Readings) lateness(c *Chat) time.Duration {
	if r.Lateness == nil {
		return 0
	}
	return r.Lateness(*c)
}
