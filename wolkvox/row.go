package wolkvox

import (
	"crypto/sha256"
	"encoding/binary"
	"unicode/utf8"
)

// column is a field of a row that the decoder reads: the [Field]s, and those
// whose text cannot be malformed. All others are skipped unseen.
type column = Field

const (
	connID = AllFields + column(iota)
	sessionID
	routingPoint
	channel
	agent
	agentName
	allColumns = AllFields + iota
)

var columns = func() map[string]column {
	byName := make(map[string]column, allColumns)
	for field, name := range fieldNames {
		byName[name] = Field(field)
	}
	byName["conn_id"], byName["session_id"] = connID, sessionID
	byName["rp_id"], byName["channel"] = routingPoint, channel
	byName["agent_id"], byName["agent_name"] = agent, agentName
	return byName
}()

var columnNames = func() (names [allColumns]string) {
	for name, column := range columns {
		names[column] = name
	}
	return names
}()

// documented are the names of a row in the documents' order, with those that are
// skipped unseen.
var documented = [...]string{
	"conn_id", "session_id", "times_chatted", "start_date", "end_date", "time_on_chatbot", "rp_id", "channel",
	"go_to_agent", "customer_phone", "customer_name", "customer_id", "customer_email", "agent_id", "agent_name",
	"time_with_agent", "total_time", "customer_chars", "agent_chars", "total_chars", "asa", "last_sender",
}

// heading is a documented name as it is mostly written, with its quotes and colon,
// and what it stands for if that is read.
type heading struct {
	written string
	column  column
	known   bool
}

var headings, places = func() (headings [len(documented)]heading, places [allColumns]int) {
	for i, name := range documented {
		column, known := columns[name]
		headings[i] = heading{`"` + name + `":`, column, known}
		if known {
			places[column] = i
		}
	}
	return headings, places
}()

// column reads a name and finds what it stands for. Rows keep to the documents'
// order, so it is mostly the one after the last, and nobody has to look it up.
func (d *decoder) column() (c column, known bool) {
	if d.place < len(headings) && d.json.takes(headings[d.place].written) {
		expected := &headings[d.place]
		d.place++
		return expected.column, expected.known
	}
	c, known = columns[string(d.json.name())]
	if known {
		d.place = places[c] + 1
	}
	return c, known
}

// wanted is what a reader wants to have of the chats beyond figures and labels.
type wanted struct {
	agentNames, connIDs bool
	shapes              func(field string, shape Shape) // told of what cannot be read; may be nil
}

func (w *wanted) tell(c column, shape Shape) {
	if w.shapes != nil {
		w.shapes(columnNames[c], shape)
	}
}

// row reads one element of data. The error is ErrBadRow or nil; whether there was a
// whole row, d.json.err tells.
func (d *decoder) row() (Chat, error) {
	if !d.object() {
		return Chat{}, ErrBadRow
	}
	chat := Chat{RoutingPoint: "-", Channel: "-"}
	d.connID, d.sessionID, d.startDate = d.connID[:0], d.sessionID[:0], d.startDate[:0]
	d.place = 0
	wrongType := false
	for d.json.next('}') {
		column, known := d.column()
		if !known || column == agentName && !d.wanted.agentNames {
			d.json.skip()
			continue
		}
		text, kind := d.text()
		switch {
		case d.json.err != nil:
		case !fits(column, kind):
			wrongType = wrongType || !dispensable(column)
			d.wanted.tell(column, shapeOfKind(kind))
		case !absent(text):
			d.set(&chat, column, text)
		}
	}
	identified := d.identify(&chat)
	clear(d.sessionID)
	if d.wanted.connIDs && plain(d.connID) {
		chat.ConnID = string(d.connID)
	}
	if wrongType || !identified {
		return Chat{}, ErrBadRow
	}
	return chat, nil
}

// plain tells whether a conn_id is the number, or the like, that it should be: it
// is shown to anybody.
func plain(id []byte) bool {
	const longest = 64 // OpenMetrics allows 128 characters for all of an exemplar's labels
	for _, c := range id {
		if !isDigit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(id) <= longest
}

// dispensable tells that a chat whose column cannot be read counts all the same.
func dispensable(c column) bool { return c == agent || c == agentName }

// fits tells whether a column may hold a value of that kind. Every field is
// documented as a string; some endpoints write numbers and booleans as such.
func fits(c column, kind kind) bool {
	switch kind {
	case kindString, kindNumber, kindNull:
		return true
	case kindTrue, kindFalse:
		return c == GoToAgent
	default:
		return false
	}
}

// set reads a value that is there into its place. Of several under one name
// the last one counts.
func (d *decoder) set(chat *Chat, c column, text []byte) {
	ok := true
	chat.Has.remove(c)
	chat.Malformed.remove(c)
	switch c {
	case connID:
		d.connID = append(d.connID[:0], text...)
	case sessionID:
		d.sessionID = append(d.sessionID[:0], text...)
	case StartDate:
		chat.Start, ok = parseDate(text)
		d.startDate = d.startDate[:0]
		if !ok {
			d.startDate = append(d.startDate, text...)
		}
	case EndDate:
		chat.End, ok = parseDate(text)
	case routingPoint:
		chat.RoutingPoint = intern(d.routingPoints, text, label)
	case channel:
		chat.Channel = intern(d.channels, text, lowerLabel)
	case agent:
		chat.Agent = intern(d.agents, text, label)
	case agentName:
		chat.AgentName = intern(d.agentNames, text, label)
	case GoToAgent:
		if chat.HandedOff, ok = parseYes(text); ok {
			chat.Has.add(c)
		}
	case LastSenderField:
		chat.LastSender = parseLastSender(text)
		chat.Has.add(c)
	case TimesChatted, CustomerChars, AgentChars:
		ok = chat.number(c, text, parseInteger)
	default:
		ok = chat.number(c, text, parseDuration)
	}
	if !ok {
		chat.Malformed.add(c)
		d.wanted.tell(c, shapeOf(text))
	}
}

func (c *Chat) number(f Field, text []byte, parse func([]byte) (float64, bool)) bool {
	n, ok := parse(text)
	if ok {
		c.Numbers[f] = n
		c.Has.add(f)
	}
	return ok
}

// parseDate reads a date; MySQL's zero date is an absent one.
func parseDate(text []byte) (LocalTime, bool) {
	switch string(text) {
	case "0000-00-00 00:00:00", "0000-00-00T00:00:00", "00000000000000", "0000-00-00":
		return 0, true
	}
	return parseLocalTime(text)
}

// intern makes the label of a text once per response, for as many texts as an
// operation has. The compiler looks string(text) up without copying it.
func intern(labels map[string]string, text []byte, clean func([]byte) string) string {
	const enough = 1000
	if known, ok := labels[string(text)]; ok {
		return known
	}
	made := clean(text)
	if len(labels) < enough && len(text) <= utf8.UTFMax*maxLabelRunes {
		labels[string(text)] = made
	}
	return made
}

// identify hashes what recognises a chat. It reports whether there was enough: a
// conn_id, or else a start.
func (d *decoder) identify(chat *Chat) bool {
	// One spelling of a date today and another tomorrow is one date.
	if chat.Start != 0 {
		d.startDate = binary.BigEndian.AppendUint64(d.startDate, uint64(chat.Start)) //nolint:gosec // Dates are positive.
	}
	if len(d.connID) == 0 && len(d.startDate) == 0 {
		return false
	}
	chat.ID = d.hash(d.connID)
	if len(d.connID) > 0 && len(d.sessionID) > 0 && len(d.startDate) > 0 {
		chat.Anonymous = d.hash(nil)
	}
	return true
}

// hash makes an ID. Every part is preceded by its length, so that no two
// different rows are the same bytes.
func (d *decoder) hash(conn []byte) ID {
	d.hashed = d.hashed[:0]
	for _, part := range [...][]byte{conn, d.sessionID, d.startDate} {
		d.hashed = binary.AppendUvarint(d.hashed, uint64(len(part)))
		d.hashed = append(d.hashed, part...)
	}
	sum := sha256.Sum256(d.hashed)
	clear(d.hashed)
	return ID(max(1, binary.BigEndian.Uint64(sum[:])))
}
