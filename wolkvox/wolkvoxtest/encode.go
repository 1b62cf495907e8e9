package wolkvoxtest

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// dateLayout is the documents' YYYYmmddHHiiss, PHP's notation.
const dateLayout = "20060102150405"

// unknownFieldName is an undocumented field, and unknownFieldValue its value, with the names
// of known fields in it.
const (
	unknownFieldName  = "intents"
	unknownFieldValue = `{"conn_id":"1","data":[{"end_date":"2026-01-18 19:34:31"},[[],{}]],"n":-1.5e3,"on":true}`
)

var (
	dateLayouts = [...]string{
		DateSpace: time.DateTime, DateT: "2006-01-02T15:04:05", DateCompact: dateLayout,
		DateFraction: "2006-01-02 15:04:05.000000", DateOffset: "2006-01-02T15:04:05-07:00",
	}
	openEnds  = [...]string{EmptyEnd: "", DashEnd: "-"}
	flagWords = [...][2]string{
		YesNo: {"no", "yes"}, YesUpper: {"NO", "YES"}, YesSi: {"no", "si"}, YesAccent: {"no", "sí"},
		YesOne: {"0", "1"}, YesTrue: {"false", "true"}, YesBool: {"false", "true"},
	}
)

// encoder writes JSON as PHP's json_encode does, with the readings.
type encoder struct {
	readings      *Readings
	loc           *time.Location
	now           time.Time
	buf           []byte
	replacedField string            // a field with another value, if any
	replacement   string            // the JSON of that value
	unknownField  bool              // records have an undocumented field
	keys          map[string]string // other spellings of keys, if any
}

// envelope writes a whole body; data is JSON.
func (e *encoder) envelope(code int, msg, data string) {
	e.head(code, msg)
	e.buf = append(e.buf, data...)
	e.tail()
}

func (e *encoder) head(code int, msg string) {
	e.buf = append(e.buf, '{')
	e.code(code)
	e.buf = append(e.buf, `"error":`...)
	if code == 200 {
		e.buf = append(e.buf, errorTexts[e.readings.Error]...)
	} else {
		e.text(msg)
	}
	e.buf = append(e.buf, `,"msg":`...)
	e.text(msg)
	if e.unknownField {
		e.raw("paging", unknownFieldValue)
	}
	e.buf = append(e.buf, `,"data":`...)
}

func (e *encoder) tail() { e.buf = append(e.buf, '}') }

// row writes a chat as a record of the report.
func (e *encoder) row(l listing) {
	c := *l.chat
	if w := e.readings.WrongType; w != nil && e.replacedField == "" {
		e.replacedField, e.replacement = w(*l.first)
		defer func() { e.replacedField = "" }()
	}
	bot := !c.HandedOff
	switch l.state {
	case open:
		e.maskOpenChat(&c)
	case unfilled:
		c.clearUnfilled()
	default:
	}
	if bot && e.readings.BotConnID == Dash {
		c.ConnID = "-"
	}
	e.buf = append(e.buf, '{')
	e.str("conn_id", c.ConnID)
	e.str("session_id", c.SessionID)
	if e.unknownField {
		e.raw(unknownFieldName, unknownFieldValue)
	}
	e.count("times_chatted", c.Messages)
	e.date("start_date", c.Start)
	if l.state == open {
		if e.key("end_date") {
			e.text(openEnds[e.readings.ListOpen])
		}
	} else {
		e.date("end_date", c.End)
	}
	e.duration("time_on_chatbot", c.BotTime)
	e.str("rp_id", c.RoutingPoint)
	e.str("channel", c.Channel)
	e.flag("go_to_agent", c.HandedOff)
	e.str("customer_phone", c.Customer.Phone)
	e.str("customer_name", c.Customer.Name)
	e.str("customer_id", c.Customer.ID)
	e.str("customer_email", c.Customer.Email)
	e.str("agent_id", c.AgentID)
	e.str("agent_name", c.AgentName)
	e.duration("time_with_agent", c.HandleTime)
	e.duration("total_time", c.Total)
	e.count("customer_chars", c.CustomerChars)
	e.count("agent_chars", c.AgentChars)
	e.count("total_chars", max(c.CustomerChars, 0)+max(c.AgentChars, 0))
	e.duration("asa", c.Answer)
	e.str("last_sender", c.LastSender)
	e.buf = append(e.buf, '}')
}

// maskOpenChat removes from c the values that are unknown while it is open. Its counts are
// below the final ones, so that a test detects a client that counts it now.
func (e *encoder) maskOpenChat(c *Chat) {
	elapsed := e.now.Sub(c.Start)
	c.HandedOff = c.HandedOff && elapsed >= c.BotTime
	if c.Answer < 0 || elapsed < c.BotTime+c.Answer {
		c.Answer, c.AgentID, c.AgentName, c.AgentChars = Absent, "", "", Absent
	}
	c.BotTime = min(c.BotTime, elapsed)
	c.HandleTime, c.Total = Absent, Absent
	for _, count := range []*int{&c.Messages, &c.CustomerChars, &c.AgentChars} {
		if *count > 0 {
			*count /= 2
		}
	}
}

// key begins a field. It returns false if the report leaves that field out.
func (e *encoder) key(name string) bool {
	if spelled, ok := e.keys[name]; ok {
		name = spelled
	}
	if name == "" {
		return false
	}
	if n := len(e.buf); n > 0 && e.buf[n-1] != '{' {
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
	return true
}

// raw writes a field whose value is JSON.
func (e *encoder) raw(name, value string) {
	if name == e.replacedField {
		value = e.replacement
	}
	if e.key(name) {
		e.buf = append(e.buf, value...)
	}
}

// str writes a field that is a string, absent when it is empty.
func (e *encoder) str(name, value string) {
	if value == "" {
		switch e.readings.Absent {
		case AbsentNull:
			e.raw(name, "null")
			return
		case AbsentDash:
			value = "-"
		case AbsentNA:
			value = "N/A"
		case AbsentNullText:
			value = "NULL"
		case AbsentEmpty:
		}
	}
	if name == e.replacedField || e.readings.NumbersAsJSON && isNumber(value) {
		e.raw(name, value)
		return
	}
	if e.key(name) {
		e.text(value)
	}
}

func (e *encoder) count(name string, n int) {
	if n < 0 {
		e.str(name, "")
		return
	}
	e.number(name, n, e.readings.NumbersAsJSON)
}

// number writes a number as JSON, or as a string.
func (e *encoder) number(name string, n int, asJSON bool) {
	value := strconv.Itoa(n)
	if e.readings.Decimals {
		value += ".00"
	}
	if asJSON {
		e.raw(name, value)
	} else {
		e.str(name, value)
	}
}

func (e *encoder) duration(name string, d time.Duration) {
	if d < 0 {
		e.str(name, "")
		return
	}
	seconds := int(d / time.Second)
	switch e.readings.Durations {
	case SecondsNumber:
		e.number(name, seconds, true)
	case SecondsString:
		e.number(name, seconds, e.readings.NumbersAsJSON)
	case ShortClock:
		e.str(name, shortClock(seconds))
	default:
		e.str(name, clock(seconds))
	}
}

// clock formats HH:MM:SS, with hours above 24.
func clock(seconds int) string {
	var buf [24]byte
	b := buf[:0]
	for i, n := range [...]int{seconds / 3600, seconds / 60 % 60, seconds % 60} {
		if i > 0 {
			b = append(b, ':')
		}
		if n < 10 {
			b = append(b, '0')
		}
		b = strconv.AppendInt(b, int64(n), 10)
	}
	return string(b)
}

// shortClock formats M:SS, or H:MM:SS from an hour on.
func shortClock(seconds int) string {
	s := clock(seconds)
	if seconds < 3600 {
		s = s[len("00:"):]
	}
	return strings.TrimPrefix(s, "0")
}

func (e *encoder) date(name string, t time.Time) {
	e.str(name, t.In(e.loc).Format(dateLayouts[e.readings.DateStyle]))
}

func (e *encoder) flag(name string, yes bool) {
	word := flagWords[e.readings.Yes][0]
	if yes {
		word = flagWords[e.readings.Yes][1]
	}
	if e.readings.Yes == YesBool {
		e.raw(name, word)
		return
	}
	e.str(name, word)
}

// isNumber reports whether a string can be written as a JSON number without
// changing it.
func isNumber(s string) bool {
	if s == "" || len(s) > 18 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// text writes a JSON string as json_encode does by default: slashes escaped,
// everything beyond ASCII as \u.
func (e *encoder) text(s string) {
	e.buf = append(e.buf, '"')
	for len(s) > 0 {
		n := 0
		for n < len(s) && s[n] >= ' ' && s[n] < utf8.RuneSelf && s[n] != '"' && s[n] != '\\' && s[n] != '/' {
			n++
		}
		e.buf = append(e.buf, s[:n]...)
		if s = s[n:]; s == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case r == '"' || r == '\\' || r == '/':
			e.buf = append(e.buf, '\\', byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			e.utf16Unit(high)
			e.utf16Unit(low)
		default:
			e.utf16Unit(r)
		}
	}
	e.buf = append(e.buf, '"')
}

// utf16Unit writes one unit of UTF-16.
func (e *encoder) utf16Unit(u rune) {
	const hex = "0123456789abcdef"
	e.buf = append(e.buf, '\\', 'u', hex[u>>12&15], hex[u>>8&15], hex[u>>4&15], hex[u&15])
}
