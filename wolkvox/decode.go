package wolkvox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// ErrBadRow stands for a row that is not what was asked for: not an object, a
// field of the wrong type or of more than 64 KiB, or nothing to recognise it by.
// The rows after it follow.
var ErrBadRow = errors.New("malformed row")

// errStopped ends decoding because the caller wants no more rows.
var errStopped = errors.New("stopped by the caller")

// decoder reads one response, row by row, in memory that does not grow with it.
type decoder struct {
	json *scanner
	// element reads one of data.
	element func()

	code      int
	message   string
	sawReport bool // code or data was there: it is the API that answers

	wanted wanted
	place  int // of a row's next name, in the documents' order

	// These hold each label once, by its text in the report.
	routingPoints, channels, agents, agentNames map[string]string

	// The parts of a row's identity, kept only until it is hashed.
	connID, sessionID, startDate []byte

	hashed []byte // scratch
}

// decode reads a report of chats and yields each of them, as decodeRows does.
func decode(body io.Reader, wanted wanted, yield func(Chat, error) bool) (rows int, err error) {
	d := newDecoder(body)
	d.wanted = wanted
	return decodeRows(d, d.row, yield)
}

// decodeRows reads the envelope and yields what row makes of each element of its
// data; row's error is nil or ErrBadRow. The error is nil, an *Error with the result
// that the envelope stands for, errStopped, or what the reader or the scanner said.
func decodeRows[T any](d *decoder, row func() (T, error), yield func(T, error) bool) (rows int, err error) {
	d.element = func() {
		made, err := row()
		if d.json.err != nil {
			return // There was no whole row.
		}
		rows++
		if !yield(made, err) {
			d.json.fail(errStopped)
		}
	}
	err = d.document()
	return rows, err
}

// document reads an envelope and nothing after it.
func (d *decoder) document() error {
	d.envelope()
	d.json.finish()
	switch {
	case errors.Is(d.json.err, io.EOF):
		return errors.New("the end is missing")
	case d.json.err != nil:
		return d.json.err
	case !d.sawReport:
		return errors.New("neither code nor data")
	case d.code == 0, d.code == http.StatusOK, d.code == http.StatusNoContent, d.code == http.StatusNotFound:
		return nil
	case d.code < 100 || d.code > 599:
		return errors.New("a code that is no status") // It could be anything, a phone number too.
	default:
		return &Error{Result: classify(d.code, d.message), Status: d.code}
	}
}

func newDecoder(body io.Reader) *decoder {
	d := &decoder{
		json:          newScanner(body, longest),
		routingPoints: map[string]string{},
		channels:      map[string]string{},
		agents:        map[string]string{},
		agentNames:    map[string]string{},
	}
	if d.json.accept("\xef") {
		d.json.literal("\xbb\xbf") // That was a byte-order mark.
	}
	d.element = d.json.skip
	return d
}

// envelope reads {"code":…, "error":…, "msg":…, "data":[…]}, in any order.
func (d *decoder) envelope() {
	d.json.open(kindObject, "no JSON object")
	for d.json.next('}') {
		switch string(d.json.name()) {
		case "data":
			d.data()
		case "code":
			d.readCode()
		case "msg", "error":
			d.readMessage()
		default:
			d.json.skip()
		}
	}
}

func (d *decoder) readCode() {
	text, _ := d.text()
	code, err := strconv.Atoi(string(text))
	if err != nil {
		d.json.malformed("a code that is no number")
	}
	d.code, d.sawReport = code, true
}

// readMessage keeps the start of what the API says, to tell one 403 from
// another.
func (d *decoder) readMessage() {
	const enough = 256
	text, _ := d.text()
	if len(d.message) < enough {
		d.message += " " + string(text[:min(len(text), enough)])
	}
}

// data reads the rows, or null for none.
func (d *decoder) data() {
	d.sawReport = true
	if d.json.kind() == kindNull {
		d.json.skip()
		return
	}
	for d.json.open(kindArray, "data that is no array"); d.json.next(']'); {
		d.element()
	}
}

// kind is that of a JSON value. Most are the value's first byte; what begins
// otherwise is none.
type kind byte

const (
	kindNull   kind = 'n'
	kindFalse  kind = 'f'
	kindTrue   kind = 't'
	kindString kind = '"'
	kindNumber kind = '0'
	kindObject kind = '{'
	kindArray  kind = '['
	kindLong   kind = 'l' // a string or number that is too long to keep
)

// object reads the start of an element of data. It reports whether that is an
// object; if not, all of the element is read.
func (d *decoder) object() bool {
	if d.json.kind() != kindObject {
		d.json.skip()
		return false
	}
	d.json.open(kindObject, "")
	return true
}

// text is value without the space around it; null has none.
func (d *decoder) text() ([]byte, kind) {
	text, kind := d.json.value()
	if kind == kindNull {
		return nil, kind
	}
	return bytes.TrimSpace(text), kind
}
