package wolkvoxtest

import (
	"bufio"
	"slices"
	"strconv"
	"strings"
	"time"
)

// BadRoutingPoint is the rp_id of the records that the faults BadFields,
// BadDates, BadDurations, BadNumbers, LongValue, LongConnID and DeepRow add, so
// that a test can ignore them. No other record has it.
const BadRoutingPoint = "666"

// badRowKind chooses the bad rows of a response.
type badRowKind int

const (
	noBadRows badRowKind = iota
	badTypes
	badFields
	badDates
	badDurations
	badNumbers
	longValue
	longConnID
	deepRow
)

// repeatedText is a part of a row: a text that is repeated n times.
type repeatedText struct {
	text string
	n    int
}

// writePieces writes repeated texts without holding them in memory.
func writePieces(w *bufio.Writer, pieces ...repeatedText) error {
	const enough = 64 << 10
	for _, p := range pieces {
		block := strings.Repeat(p.text, min(p.n, enough/len(p.text)+1))
		for left := p.n * len(p.text); left > 0; left -= len(block) {
			if _, err := w.WriteString(block[:min(left, len(block))]); err != nil {
				return err
			}
		}
	}
	return nil
}

// nonRecords are rows that are no objects, or objects without a field.
var nonRecords = []string{`"Array"`, `7`, `null`, `true`, `["1",["2",{}]]`, `[]`, `{}`, `""`, `-1e400`}

// badValues are the bad values of otherwise good records.
var badValues = map[badRowKind][]struct{ field, value string }{
	badFields: {
		{"total_time", `{"h":1,"m":["2"]}`},
		{"times_chatted", `["4"]`},
		{"go_to_agent", `{}`},
		{"channel", `["web"]`},
		{"conn_id", `{"id":"1"}`},
		{"session_id", `[]`},
		{"start_date", `{"date":"2026-01-18"}`},
		{"end_date", `[]`},
		{"customer_chars", `true`},
		{"asa", `false`},
		{"last_sender", `[["agent"]]`},
		{"agent_id", `{}`},
	},
	badDates: {
		{"start_date", `"2026-13-45 99:99:99"`},
		{"start_date", `"-"`},
		{"start_date", `"18/01/2026 19:34"`},
		{"end_date", `"yesterday"`},
		{"end_date", `"0000-00-00 00:00:00"`},
		{"end_date", `"2026-02-30 12:00:00"`},
		{"end_date", `"9999-12-31 23:59:59"`},
		{"end_date", `"2026-01-18"`},
		{"end_date", `1768782871`},
	},
	badDurations: {
		{"total_time", `"1h 5m"`},
		{"total_time", `"00:61:00"`},
		{"total_time", `"00:00:61"`},
		{"total_time", `"1:2:3:4"`},
		{"total_time", `"-00:00:05"`},
		{"total_time", `"-5"`},
		{"total_time", `-5`},
		{"total_time", `":"`},
		{"total_time", `"99999999:00:00"`},
		{"total_time", `"99999999999999999999"`},
		{"total_time", `1e300`},
		{"asa", `"NaN"`},
		{"asa", `"soon"`},
		{"time_with_agent", `"+Inf"`},
		{"time_on_chatbot", `"00:0x:00"`},
	},
	badNumbers: {
		{"times_chatted", `"many"`},
		{"times_chatted", `"-3"`},
		{"times_chatted", `-3`},
		{"times_chatted", `"NaN"`},
		{"times_chatted", `"99999999999999999999"`},
		{"times_chatted", `1e300`},
		{"times_chatted", `"0x10"`},
		{"customer_chars", `"1.000"`},
		{"customer_chars", `"12,5"`},
		{"agent_chars", `"Infinity"`},
		{"agent_chars", `"--"`},
	},
}

// badRows returns one row of each sort, with the date of a good one.
func (c *call) badRows(kind badRowKind, rows []listing, date time.Time) [][]repeatedText {
	if len(rows) > 0 {
		date = rows[0].date.time(c.cfg.Location)
	}
	arrays := []repeatedText{{"[", c.cfg.DeepRow}, {"]", c.cfg.DeepRow}}
	var bad [][]repeatedText
	switch kind {
	case badTypes:
		for _, row := range nonRecords {
			bad = append(bad, []repeatedText{{row, 1}})
		}
	case longValue:
		bad = [][]repeatedText{c.wrapValue(kind, date, "customer_name", repeatedText{`"`, 1}, repeatedText{"n", c.cfg.LongValue}, repeatedText{`"`, 1})}
	case longConnID:
		bad = [][]repeatedText{c.wrapValue(kind, date, "conn_id", repeatedText{`"`, 1}, repeatedText{"6", c.cfg.LongValue}, repeatedText{`"`, 1})}
	case deepRow:
		bad = [][]repeatedText{c.wrapValue(kind, date, unknownFieldName, arrays...), arrays}
	default:
		for i, spoil := range badValues[kind] {
			bad = append(bad, []repeatedText{{c.badRecord(kind, i, date, spoil.field, spoil.value), 1}})
		}
	}
	return bad
}

// wrapValue returns a record with the given pieces as the value of a field.
func (c *call) wrapValue(kind badRowKind, date time.Time, field string, value ...repeatedText) []repeatedText {
	const mark = `"<>"`
	before, after, _ := strings.Cut(c.badRecord(kind, 0, date, field, mark), mark)
	return slices.Concat([]repeatedText{{before, 1}}, value, []repeatedText{{after, 1}})
}

// badRecord returns a record in which only one field is bad.
func (c *call) badRecord(kind badRowKind, i int, date time.Time, field, value string) string {
	e := c.encoder()
	e.replacedField, e.replacement, e.unknownField = field, value, field == unknownFieldName
	e.row(listing{state: complete, chat: &Chat{
		ConnID: "666" + strconv.Itoa(100*int(kind)+i), SessionID: "573005550666_whatsapp", Start: date, End: date,
		BotTime: 20 * time.Second, Answer: 15 * time.Second, HandleTime: time.Minute, Total: 95 * time.Second,
		RoutingPoint: BadRoutingPoint, Channel: "whatsapp", HandedOff: true,
		Customer: Customer{Phone: "573005550666", Name: "Nadie Nunca", ID: "1000000666", Email: "nadie@example.com"},
		AgentID:  "1666", AgentName: "Nadie Nunca", Messages: 9, CustomerChars: 80, AgentChars: 120, LastSender: "agent",
	}})
	return string(e.buf)
}
