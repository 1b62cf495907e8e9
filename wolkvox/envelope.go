package wolkvox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
)

// envelope is what a response says beside its rows.
type envelope struct {
	code       int // 0 if none is given
	msg, fault string
	shape      dataShape

	hasCode, hasFault, hasMsg, hasData bool

	foreign bool // it has a member that no document names
}

// dataShape is how the rows are written.
type dataShape uint8

const (
	rowArray  dataShape = iota
	bareArray           // without an envelope
	rowObject           // one row, or rows by names that are not numbers
)

// readEnvelope reads {"code":…, "error":…, "msg":…, "data":[…]}, in any order.
func (d *decoder) readEnvelope() {
	e := &d.envelope
	for d.json.Open(jsonscan.Object); d.json.Next(); {
		switch string(d.normalize(d.json.Name())) {
		case "data":
			e.hasData = true
			d.readData()
		case "code":
			d.readCode()
		case "msg":
			e.hasMsg = true
			d.readMessage(&e.msg)
		case "error":
			e.hasFault = true
			d.readMessage(&e.fault)
		default:
			e.foreign = true
			d.json.Skip()
		}
	}
}

// readCode reads a status. Some endpoints leave it blank, and PHP can write 200.0.
func (d *decoder) readCode() {
	text, kind := d.text()
	if kind == jsonscan.Null || kind == jsonscan.String && isAbsent(text) {
		return
	}
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	code, err := strconv.Atoi(string(whole))
	if err != nil || len(bytes.Trim(fraction, "0")) > 0 {
		d.json.Reject("expected a number as code")
	}
	d.envelope.code, d.envelope.hasCode = code, true
}

// readMessage appends the start of a text, enough to classify it.
func (d *decoder) readMessage(message *string) {
	const maxLen = 256
	if text, _ := d.text(); !isAbsent(text) && len(*message) < maxLen {
		*message += " " + string(text[:min(len(text), maxLen)])
	}
}

// readData reads the rows. PHP writes an array with holes as an object, and no rows in
// several ways.
func (d *decoder) readData() {
	switch d.json.PeekKind() {
	case jsonscan.Array:
		d.readArray()
	case jsonscan.Object:
		d.readDataObject()
	default:
		text, kind := d.text()
		none := isAbsent(text) || kind == jsonscan.Literal && string(text) == "false"
		if kind == jsonscan.TooLong || !none {
			d.json.Reject("expected an array as data")
		}
	}
}

func (d *decoder) readArray() {
	for d.json.Open(jsonscan.Array); d.json.Next(); {
		d.readRow()
	}
}

var (
	numberedStart = regexp.MustCompile(`^\{[ \t\r\n]*("[0-9]*"|[^" \t\r\n])`)
	nestedStart   = regexp.MustCompile(`^\{[ \t\r\n]*"([^"\\]|\\.)*"[ \t\r\n]*:[ \t\r\n]*\{`)
)

// readDataObject reads an object as one row, or as rows by their names: the names are numbers
// or the first value is an object. An empty object has no rows.
func (d *decoder) readDataObject() {
	start := d.json.Peek(maxTokenLen)
	numbered := numberedStart.Match(start)
	if !numbered {
		d.envelope.shape = rowObject
		if !nestedStart.Match(start) {
			d.readRow()
			return
		}
	}
	for d.json.Open(jsonscan.Object); d.json.Next(); d.readRow() {
		d.json.Name()
	}
}

// verdict returns nil if a response with HTTP status 200 is a report, with rows or without.
func (e *envelope) verdict(rows, goodRows int) error {
	switch {
	case e.code != 0 && (e.code < 100 || e.code > 599):
		return malformed("the code is not a status") // It could be anything, a phone number too.
	case !e.isSuccess() && e.code != http.StatusNotFound:
		return &Error{Result: classify(e.code, e.fault+e.msg), Status: e.code}
	case goodRows > 0, rows > 0 && e.shape == rowArray:
		return nil
	case rows > 0:
		return malformed("other JSON than rows")
	case e.shape == bareArray:
		return nil
	default:
		return e.checkEmpty()
	}
}

// checkEmpty returns nil if an envelope without rows says that there are none. Taken for an
// empty report, any other would hide every chat.
func (e *envelope) checkEmpty() error {
	message := normalizeMessage(e.fault + e.msg)
	refusal := refusalIn(message)
	switch {
	case !e.isOurs() && e.code == http.StatusNotFound:
		return &Error{Result: BadRequest, Status: e.code}
	case !e.isOurs():
		return malformed("no envelope of the API's")
	case refusal != "":
		return &Error{Result: refusal, Status: e.code}
	case e.code != http.StatusNotFound && e.hasComplaint() && e.announced() != 0 && !saysNothingFound(message):
		return &Error{Result: ServerError, Status: e.code}
	default:
		return nil
	}
}

func malformed(reason string) error { return &Error{Result: Malformed, Err: errors.New(reason)} }

func (e *envelope) isSuccess() bool {
	return slices.Contains([]int{0, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent}, e.code)
}

// isOurs reports whether an object is an envelope of the API: it has only members of one, or
// all of them, and data or a message. A message without a code or data can be another server's.
func (e *envelope) isOurs() bool {
	complete := e.hasCode && e.hasFault && e.hasMsg && e.hasData
	speaks := e.hasMsg && (e.hasCode || e.announced() == 0)
	return complete || !e.foreign && (e.hasData || speaks)
}

// hasComplaint reports whether error names a fault. PHP writes "none" in several ways.
func (e *envelope) hasComplaint() bool {
	return !slices.Contains([]string{"", "0", "FALSE", "NONE", "NO", "OK"}, normalizeMessage(e.fault))
}

var firstNumber = regexp.MustCompile(`[0-9]+`)

// announced returns the first number in msg, in most cases how many rows were found; -1 if
// there is none.
func (e *envelope) announced() int {
	digits := firstNumber.FindString(e.msg)
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > len("999999999") {
		return -1
	}
	return n
}

// decodeRefusal reads the body of a response whose HTTP status is not a success. The refusal
// is nil if the body says that nothing was found, as the API's own envelope does with 404.
// Rows beside such a status are not read: they are not what was asked for. hasMessage reports
// whether an envelope says why.
func decodeRefusal(status int, body io.Reader) (refusal *Error, hasMessage bool, readErr error) {
	text, readErr := io.ReadAll(io.LimitReader(body, maxTokenLen)) // A part can be enough.
	d := newDecoder(bytes.NewReader(text), rowOptions{})
	d.readRow = func() {
		d.json.Skip()
		d.rows++
	}
	err := d.readDocument()
	e := &d.envelope
	ours := err == nil && d.rows == 0 && e.shape == rowArray && (e.isSuccess() || e.code == http.StatusNotFound)
	if status == http.StatusNotFound && ours {
		e.code = status
		if e.checkEmpty() == nil {
			return nil, true, readErr
		}
	}
	refusal = &Error{Result: classify(status, e.fault+e.msg), Status: status}
	if status == http.StatusNotFound && (!ours || !e.isOurs()) {
		refusal.Err = errors.New("the answer is not the API's")
	}
	return refusal, e.fault+e.msg != "", readErr
}
