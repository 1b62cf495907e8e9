package wolkvoxtest

import (
	"net/http"
	"strconv"
	"strings"
)

// Message is the form of msg in a response with rows.
type Message int

// Readings of U14: the number of rows that are returned, the number that the
// range has even when the limit leaves some out, no number, and the number of
// rows that are returned in Spanish.
const (
	MessageReturned Message = iota
	MessageFound
	MessageSilent
	MessageSpanish
)

// message returns msg for a number of returned rows and of found ones.
func (r *Readings) message(returned, found int) string {
	switch r.Message {
	case MessageSilent:
		return "OK"
	case MessageSpanish:
		return strconv.Itoa(returned) + " registros encontrados"
	case MessageFound:
		returned = found
	default:
	}
	return strconv.Itoa(returned) + " records were found"
}

// Code is the code of a response that is a success.
type Code int

// The codes of successes that are in the vendor's samples. Readings.CodeAsString
// puts those that are numbers into a string.
const (
	CodeOK       Code = iota // 200
	CodeNull                 // null
	CodeEmpty                // ""
	CodeBlank                // " "
	CodeZero                 // "0"
	CodeDecimal              // "200.0"
	CodeCreated              // 201
	CodeAccepted             // 202
	CodeMissing              // no such key
)

var codes = [...]string{
	CodeOK: "200", CodeNull: "null", CodeEmpty: `""`, CodeBlank: `" "`, CodeZero: `"0"`, CodeDecimal: `"200.0"`,
	CodeCreated: "201", CodeAccepted: "202", CodeMissing: "",
}

// ErrorText is the error of a response that is a success.
type ErrorText int

// The errors of successes that are in the vendor's samples.
const (
	ErrorNull     ErrorText = iota // null
	ErrorNullText                  // "null"
	ErrorEmpty                     // ""
	ErrorBlank                     // " "
)

var errorTexts = [...]string{ErrorNull: "null", ErrorNullText: `"null"`, ErrorEmpty: `""`, ErrorBlank: `" "`}

// Data is what holds the rows.
type Data int

// What may hold the rows. Without rows, Readings.Empty decides.
const (
	DataArray  Data = iota // "data": [{…}, {…}]
	DataKeyed              // "data": {"0": {…}, "1": {…}}
	DataHoles              // "data": {"0": {…}, "2": {…}}, as PHP writes an array with holes
	DataSingle             // "data": {…} when there is one row
	DataBare               // [{…}, {…}] without an envelope
)

// code writes the key code and its value, which is also an HTTP status.
func (e *encoder) code(status int) {
	value := strconv.Itoa(status)
	if status == http.StatusOK {
		value = codes[e.readings.Code]
	}
	if value == "" {
		return
	}
	if e.readings.CodeAsString && isNumber(value) {
		value = `"` + value + `"`
	}
	e.buf = append(e.buf, `"code":`...)
	e.buf = append(e.buf, value...)
	e.buf = append(e.buf, ',')
}

// begin writes the text before the rows.
func (e *encoder) begin(data Data, msg string) {
	if data != DataBare {
		e.head(http.StatusOK, msg)
	}
	e.buf = append(e.buf, brackets[data][:len(brackets[data])/2]...)
}

// end writes the text after the rows.
func (e *encoder) end(data Data) {
	e.buf = append(e.buf, brackets[data][len(brackets[data])/2:]...)
	if data != DataBare {
		e.tail()
	}
}

var brackets = [...]string{DataArray: "[]", DataKeyed: "{}", DataHoles: "{}", DataSingle: "", DataBare: "[]"}

// separate begins the next row.
func (e *encoder) separate(sent int, data Data) {
	if sent > 0 {
		e.buf = append(e.buf, ',')
	}
	switch data {
	case DataHoles:
		sent *= 2
	case DataKeyed:
	default:
		return
	}
	e.text(strconv.Itoa(sent))
	e.buf = append(e.buf, ':')
}

// respondEmpty responds that nothing was found, as the reading says.
func (c *call) respondEmpty() {
	r := &c.cfg.Readings
	data := "[]"
	switch r.Empty {
	case Status404:
		c.refuse(http.StatusNotFound, msgNotFound)
		return
	case Status204:
		c.finish(http.StatusNoContent, 0, 0, false)
		c.w.WriteHeader(http.StatusNoContent)
		return
	case Code404:
		c.respondWithCode(http.StatusOK, http.StatusNotFound, msgNotFound)
		return
	case NullData:
		data = "null"
	case EmptyObject:
		data = "{}"
	case EmptyText:
		data = `""`
	case FalseData:
		data = "false"
	default:
	}
	e := c.encoder()
	if r.Data == DataBare && c.api == "chat_8" {
		e.buf = append(e.buf, data...)
	} else {
		e.envelope(http.StatusOK, r.message(0, 0), data)
	}
	c.respond(http.StatusOK, "application/json", e.buf)
}

// padded puts spaces between words and around them.
func padded(msg string) string { return "  " + strings.ReplaceAll(msg, " ", "  ") + " \n" }
