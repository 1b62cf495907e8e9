package wolkvox

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
	"unicode/utf8"
)

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
	field   Field
	known   bool
}

// headings are those of the documented names, places where each of them is.
var headings, places = func() (headings [len(documented)]heading, places map[string]int) {
	places = make(map[string]int, len(documented))
	for i, name := range documented {
		field := slices.Index(fieldNames[:], name)
		headings[i] = heading{`"` + name + `":`, Field(max(field, 0)), field >= 0}
		places[name] = i
	}
	return headings, places
}()

// column reads a name and finds the field that it stands for. Rows keep to the
// documents' order, so it is mostly the one after the last, and needs no look-up.
func (d *decoder) column() (f Field, known bool) {
	if d.place < len(headings) && d.json.takes(headings[d.place].written) {
		expected := &headings[d.place]
		d.place++
		return expected.field, expected.known
	}
	name := d.json.name()
	place, documented := places[string(name)]
	if !documented {
		place, documented = places[string(d.normal(name))]
	}
	if !documented {
		return 0, false
	}
	d.place = place + 1
	return headings[place].field, headings[place].known
}

// wanted is what a reader wants to have of the chats beyond figures and labels.
type wanted struct {
	agentNames, connIDs bool
	zone                *time.Location                  // of dates with an offset; may be nil
	shapes              func(field string, shape Shape) // told of what cannot be read; may be nil
}

func (w *wanted) tell(f Field, shape Shape) {
	if w.shapes != nil {
		w.shapes(f.String(), shape)
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
	spoiled := false
	for d.json.next('}') {
		field, known := d.column()
		if known {
			chat.Keys.add(field)
		}
		if !known || field == AgentNameField && !d.wanted.agentNames {
			d.json.skip()
			continue
		}
		text, kind := d.text()
		switch {
		case d.json.err != nil:
		case !fits(field, kind):
			spoiled = spoiled || indispensable(field)
			d.malformed(&chat, field, shapeOfKind(kind))
		case !absent(text):
			d.set(&chat, field, text)
		}
	}
	identified := d.identify(&chat)
	clear(d.sessionID)
	if d.wanted.connIDs && plain(d.connID) {
		chat.ConnID = string(d.connID)
	}
	if spoiled || !identified {
		return Chat{Keys: chat.Keys}, ErrBadRow
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

// indispensable reports whether a chat cannot count whose field is of the wrong type:
// an end, or a part of the identity.
func indispensable(f Field) bool { return f == StartDate || f == EndDate || f >= AllFields }

// fits reports whether a field may hold a value of that kind. Every field is
// documented as a string; some endpoints write numbers and booleans as such.
func fits(f Field, kind kind) bool {
	switch kind {
	case kindString, kindNumber, kindNull:
		return true
	case kindTrue, kindFalse:
		return f == GoToAgent
	default:
		return false
	}
}

// malformed notes a value that cannot be read.
func (d *decoder) malformed(chat *Chat, f Field, shape Shape) {
	chat.Has.remove(f)
	if f < AllFields {
		chat.Malformed.add(f)
	}
	d.wanted.tell(f, shape)
}

// set reads a value that is there into its place. Of several under one name
// the last one counts.
func (d *decoder) set(chat *Chat, f Field, text []byte) {
	ok := true
	chat.Has.remove(f)
	chat.Malformed.remove(f)
	switch f {
	case ConnIDField:
		d.connID = append(d.connID[:0], text...)
	case SessionIDField:
		d.sessionID = append(d.sessionID[:0], text...)
	case StartDate:
		chat.Start, ok = parseDate(text, d.wanted.zone)
		d.startDate = d.startDate[:0]
		if !ok {
			d.startDate = append(d.startDate, text...)
		}
	case EndDate:
		chat.End, ok = parseDate(text, d.wanted.zone)
	case RoutingPointField:
		chat.RoutingPoint = intern(d.routingPoints, text, label)
	case ChannelField:
		chat.Channel = intern(d.channels, text, lowerLabel)
	case AgentField:
		chat.Agent = intern(d.agents, text, label)
	case AgentNameField:
		chat.AgentName = intern(d.agentNames, text, label)
	case GoToAgent:
		if chat.HandedOff, ok = parseYes(text); ok {
			chat.Has.add(f)
		}
	case LastSenderField:
		chat.LastSender = parseLastSender(text)
		chat.Has.add(f)
	case TimesChatted, CustomerChars, AgentChars:
		ok = chat.number(f, text, parseInteger)
	default:
		ok = chat.number(f, text, parseDuration)
	}
	if !ok {
		d.malformed(chat, f, shapeOf(text))
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
