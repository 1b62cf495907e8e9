package wolkvox

import (
	"bytes"
	"errors"
	"io"
)

// ErrBadRow stands for a row that is not what was asked for: not an object, with an
// end or an identity of the wrong type or of more than 64 KiB, or nothing to recognise
// it by. The rows after it follow.
var ErrBadRow = errors.New("malformed row")

// errStopped ends decoding because the caller wants no more rows.
var errStopped = errors.New("stopped by the caller")

// decoder reads one response, row by row, in memory that does not grow with it.
type decoder struct {
	json *scanner
	// element reads one of data.
	element func()
	// rows counts the elements of data, good those of them that could be read.
	rows, good int

	envelope  envelope
	extraText bool // text that is no JSON was before or behind it

	wanted wanted
	place  int // of a row's next name, in the documents' order

	// These hold each label once, by its text in the report.
	routingPoints, channels, agents, agentNames map[string]string

	// The parts of a row's identity, kept only until it is hashed.
	connID, sessionID, startDate []byte

	hashed, lowered []byte // scratch
}

// decode reads a report of chats and yields each of them, as decodeRows does.
func decode(body io.Reader, wanted wanted, response *Response, yield func(Chat, error) bool) (rows int, err error) {
	d := newDecoder(body)
	d.wanted = wanted
	return decodeRows(d, response, d.row, yield)
}

// decodeRows reads the envelope and yields what row makes of each element of its
// data; row's error is nil or ErrBadRow. The error is nil, an *Error with the result
// that the envelope stands for, errStopped, or what the reader or the scanner said.
func decodeRows[T any](
	d *decoder, response *Response, row func() (T, error), yield func(T, error) bool,
) (rows int, err error) {
	d.element = func() {
		made, err := row()
		if d.json.err != nil {
			return // There was no whole row.
		}
		d.rows++
		if err == nil {
			d.good++
		}
		if !yield(made, err) {
			d.json.fail(errStopped)
		}
	}
	err = d.document()
	*response = Response{Announced: d.envelope.announced(), ExtraText: d.extraText && d.json.err == nil}
	return d.rows, err
}

// document reads a response with all that is around its JSON.
func (d *decoder) document() error {
	if err := d.read(); err != nil {
		return err
	}
	return d.verdict()
}

func (d *decoder) read() error {
	d.begin()
	if d.json.kind() == kindArray {
		d.envelope.shape = bareArray
		d.elements()
	} else {
		d.readEnvelope()
	}
	d.end()
	if errors.Is(d.json.err, io.EOF) {
		return errors.New("the end is missing")
	}
	return d.json.err
}

func newDecoder(body io.Reader) *decoder {
	d := &decoder{
		json:          newScanner(body, longest),
		routingPoints: map[string]string{},
		channels:      map[string]string{},
		agents:        map[string]string{},
		agentNames:    map[string]string{},
	}
	d.element = func() {
		d.json.skip()
		d.rows++
	}
	return d
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

	// JavaScript has these, JSON has not.
	kindNaN       kind = 'N'
	kindInfinity  kind = 'I'
	kindUndefined kind = 'u'
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

// normal is a name without the space around it and in small letters, good until
// normal is called again.
func (d *decoder) normal(name []byte) []byte {
	d.lowered = append(d.lowered[:0], bytes.TrimSpace(name)...)
	for i, c := range d.lowered {
		if 'A' <= c && c <= 'Z' {
			d.lowered[i] = c + 'a' - 'A'
		}
	}
	return d.lowered
}
