package wolkvox

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
)

// columnNames are the names of a row's members in the documents' order, with those that are
// not read.
var columnNames = [...]string{
	"conn_id", "session_id", "times_chatted", "start_date", "end_date", "time_on_chatbot", "rp_id", "channel",
	"go_to_agent", "customer_phone", "customer_name", "customer_id", "customer_email", "agent_id", "agent_name",
	"time_with_agent", "total_time", "customer_chars", "agent_chars", "total_chars", "asa", "last_sender",
}

// rowOptions says what to read of a row beside figures and labels, and how.
type rowOptions struct {
	agentNames, connIDs bool
	zone                *time.Location           // of dates with an offset; may be nil
	onMalformed         func(field, mask string) // may be nil
}

// notRead is the field of a column that is not read.
const notRead = Field(allKeys)

// columnKeys are the names as they are written in most reports, with quotes and colon;
// columnFields their fields; and columnIndexes their indexes.
var columnKeys, columnFields, columnIndexes = func() (keys [len(columnNames)]string, fields [len(columnNames)]Field, indexes map[string]int) {
	indexes = make(map[string]int, len(columnNames))
	for i, name := range columnNames {
		keys[i], fields[i], indexes[name] = `"`+name+`":`, notRead, i
		if f := slices.Index(fieldNames[:], name); f >= 0 {
			fields[i] = Field(f)
		}
	}
	return keys, fields, indexes
}()

// readColumn reads a name and returns its field. In most rows it is the column after the last
// one. To expect that makes decoding a third faster.
func (d *decoder) readColumn() Field {
	if d.columnIndex >= len(columnKeys) || !d.json.ConsumeKey(columnKeys[d.columnIndex]) {
		name := d.json.Name()
		index, documented := columnIndexes[string(name)]
		if !documented {
			index, documented = columnIndexes[string(d.normalize(name))]
		}
		if !documented {
			return notRead
		}
		d.columnIndex = index
	}
	d.columnIndex++
	return columnFields[d.columnIndex-1]
}

// chat reads an element of data as a row of the report.
func (d *decoder) chat() (Chat, error) {
	if !d.openObject() {
		return Chat{}, ErrBadRow
	}
	chat := Chat{RoutingPoint: "-", Channel: "-"}
	d.connID, d.sessionID, d.startDate = d.connID[:0], d.sessionID[:0], d.startDate[:0]
	d.columnIndex = 0
	bad := false
	for d.json.Next() {
		f := d.readColumn()
		if f != notRead {
			chat.Keys.add(f)
		}
		if f == notRead || f == AgentNameField && !d.agentNames {
			d.json.Skip()
			continue
		}
		text, kind := d.text()
		switch {
		case d.json.Err() != nil:
		case !f.allows(kind):
			bad = bad || f == StartDate || f == EndDate || f >= FieldCount // The row cannot be counted without.
			d.markMalformed(&chat, f, maskOfKind(kind, text))
		case !isAbsent(text):
			d.set(&chat, f, text)
		}
	}
	identified := d.identify(&chat)
	clear(d.sessionID)
	if d.connIDs && isPlainID(d.connID) {
		chat.ConnID = string(d.connID)
	}
	if bad || !identified {
		return Chat{Keys: chat.Keys}, ErrBadRow
	}
	return chat, nil
}

// isPlainID reports whether a conn_id is a number or similar. Anything else can be personal
// data and is not shown.
func isPlainID(id []byte) bool {
	const maxLen = 64 // OpenMetrics allows 128 characters for all of an exemplar's labels.
	for _, c := range id {
		if !isDigit(c) && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(id) <= maxLen
}

// allows reports whether f can have a value of that kind. All fields are documented as
// strings; some endpoints write numbers and booleans as such.
func (f Field) allows(kind jsonscan.Kind) bool {
	switch kind {
	case jsonscan.String, jsonscan.Number, jsonscan.Null:
		return true
	default:
		return kind == jsonscan.Literal && f == GoToAgent
	}
}

// markMalformed records that a value cannot be read.
func (d *decoder) markMalformed(chat *Chat, f Field, mask string) {
	chat.Present.remove(f)
	if f < FieldCount {
		chat.Malformed.add(f)
	}
	if d.onMalformed != nil {
		d.onMalformed(f.String(), mask)
	}
}

// set reads a value that is not absent. A later value of the same field replaces it.
func (d *decoder) set(chat *Chat, f Field, text []byte) {
	ok := true
	chat.Present.remove(f)
	chat.Malformed.remove(f)
	switch f {
	case ConnIDField:
		d.connID = append(d.connID[:0], text...)
	case SessionIDField:
		d.sessionID = append(d.sessionID[:0], text...)
	case StartDate:
		chat.Start, ok = parseDate(text, d.zone)
		d.startDate = d.startDate[:0]
		if !ok {
			d.startDate = append(d.startDate, text...)
		}
	case EndDate:
		chat.End, ok = parseDate(text, d.zone)
	case RoutingPointField:
		chat.RoutingPoint = d.intern(f, text, label)
	case ChannelField:
		chat.Channel = d.intern(f, text, lowerLabel)
	case AgentField:
		chat.Agent = d.intern(f, text, label)
	case AgentNameField:
		chat.AgentName = d.intern(f, text, label)
	case GoToAgent:
		if chat.HandedOff, ok = parseYes(text); ok {
			chat.Present.add(f)
		}
	case LastSenderField:
		chat.LastSender = parseLastSender(text)
		chat.Present.add(f)
	case TimesChatted, CustomerChars, AgentChars:
		ok = chat.setNumber(f, text, parseInteger)
	default:
		ok = chat.setNumber(f, text, parseDuration)
	}
	if !ok {
		d.markMalformed(chat, f, mask(text))
	}
}

func (c *Chat) setNumber(f Field, text []byte, parse func([]byte) (float64, bool)) bool {
	n, ok := parse(text)
	if ok {
		c.Numbers[f] = n
		c.Present.add(f)
	}
	return ok
}

// intern returns the label of a text. It keeps as many labels as an operation has. The
// compiler looks string(text) up without a copy.
func (d *decoder) intern(f Field, text []byte, clean func([]byte) string) string {
	const maxLabels = 1000
	labels := d.labels[f]
	if known, ok := labels[string(text)]; ok {
		return known
	}
	cleaned := clean(text)
	if labels == nil {
		labels = map[string]string{}
		d.labels[f] = labels
	}
	if len(labels) < maxLabels && len(text) <= utf8.UTFMax*maxLabelRunes {
		labels[string(text)] = cleaned
	}
	return cleaned
}

// identify sets a chat's IDs. It reports whether the row has a conn_id, or else a start.
func (d *decoder) identify(chat *Chat) bool {
	// A date that is spelled in another way tomorrow is the same date.
	if chat.Start != 0 {
		d.startDate = binary.BigEndian.AppendUint64(d.startDate, uint64(chat.Start)) //nolint:gosec // Dates are positive.
	}
	if len(d.connID) == 0 && len(d.startDate) == 0 {
		return false
	}
	chat.ID = d.hash(d.connID)
	if len(d.connID) > 0 && len(d.sessionID) > 0 && len(d.startDate) > 0 {
		chat.FallbackID = d.hash(nil)
	}
	return true
}

// hash returns the ID of the row with this conn_id. Each part is preceded by its length, so
// that no two different rows are the same bytes.
func (d *decoder) hash(connID []byte) ID {
	d.hashed = d.hashed[:0]
	for _, part := range [...][]byte{connID, d.sessionID, d.startDate} {
		d.hashed = binary.AppendUvarint(d.hashed, uint64(len(part)))
		d.hashed = append(d.hashed, part...)
	}
	sum := sha256.Sum256(d.hashed)
	clear(d.hashed)
	return ID(max(1, binary.BigEndian.Uint64(sum[:])))
}
