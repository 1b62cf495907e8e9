package wolkvox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrBadRow stands for a row that is not what was asked for: not an object, a
// field of the wrong type or of more than 64 KiB, or nothing to recognise it by.
// The rows after it follow.
var ErrBadRow = errors.New("malformed row")

// errStopped ends decoding because the caller wants no more rows.
var errStopped = errors.New("stopped by the caller")

// decoder reads one response, row by row, in memory that does not grow with it.
type decoder struct {
	json *jsontext.Decoder
	// element reads one of data.
	element func() error

	code      int
	message   string
	sawReport bool // code or data was there: it is the API that answers

	wanted wanted
	place  int // of a row's next name, in the documents' order

	// These hold each label once, by its text in the report.
	routingPoints, channels, agents, agentNames map[string]string

	// The parts of a row's identity, kept only until it is hashed.
	connID, sessionID, startDate []byte

	unquoted, hashed []byte // scratch
}

// decode reads a report of chats and yields each of them, as decodeRows does.
func decode(body io.Reader, wanted wanted, yield func(Chat, error) bool) (rows int, err error) {
	d := newDecoder(body)
	d.wanted = wanted
	return decodeRows(d, d.row, yield)
}

// decodeRows reads the envelope and yields what row makes of each element of its
// data. The error is nil, an *Error with the result that the envelope stands for,
// errStopped, or what the reader or the JSON decoder said.
func decodeRows[T any](d *decoder, row func() (T, error), yield func(T, error) bool) (rows int, err error) {
	d.element = func() error {
		made, err := row()
		if err != nil && !errors.Is(err, ErrBadRow) {
			return err
		}
		rows++
		if !yield(made, err) {
			return errStopped
		}
		return nil
	}
	err = d.document()
	return rows, err
}

// document reads an envelope and nothing after it.
func (d *decoder) document() error {
	if err := d.envelope(); err != nil {
		return err
	}
	if _, err := d.json.ReadToken(); err == nil {
		return d.malformed("text after the end of the JSON")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	switch {
	case !d.sawReport:
		return d.malformed("neither code nor data")
	case d.code == 0, d.code == http.StatusOK, d.code == http.StatusNoContent, d.code == http.StatusNotFound:
		return nil
	case d.code < 100 || d.code > 599:
		return d.malformed("a code that is no status") // It could be anything, a phone number too.
	default:
		return &Error{Result: classify(d.code, d.message), Status: d.code}
	}
}

func newDecoder(body io.Reader) *decoder {
	// The JSON decoder asks for 4 KiB at most, and each read of a connection costs as much as some rows.
	buffered := bufio.NewReaderSize(body, 16<<10)
	if mark, err := buffered.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = buffered.Discard(len(mark))
	}
	d := &decoder{
		routingPoints: map[string]string{},
		channels:      map[string]string{},
		agents:        map[string]string{},
		agentNames:    map[string]string{},
	}
	// PHP promises neither, and neither is a reason to lose a row.
	bounded := &tamed{from: buffered, longest: longest, deepest: deepest}
	bounded.json = jsontext.NewDecoder(bounded, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	d.json = bounded.json
	d.element = d.json.SkipValue
	return d
}

func (d *decoder) malformed(what string) error {
	return &Error{Result: Malformed, Err: fmt.Errorf("%s, at byte %d", what, d.json.InputOffset())}
}

// envelope reads {"code":…, "error":…, "msg":…, "data":[…]}, in any order.
func (d *decoder) envelope() error {
	if err := d.open('{', "no JSON object"); err != nil {
		return err
	}
	return d.members(func(name jsontext.Value) error {
		switch string(d.unquote(name)) {
		case "data":
			return d.data()
		case "code":
			return d.readCode()
		case "msg", "error":
			return d.readMessage()
		default:
			return d.json.SkipValue()
		}
	})
}

func (d *decoder) readCode() error {
	text, _, err := d.text()
	if err != nil {
		return err
	}
	if d.code, err = strconv.Atoi(string(text)); err != nil {
		return d.malformed("a code that is no number")
	}
	d.sawReport = true
	return nil
}

// readMessage keeps the start of what the API says, to tell one 403 from
// another.
func (d *decoder) readMessage() error {
	const enough = 256
	text, _, err := d.text()
	if len(d.message) < enough {
		d.message += " " + string(text[:min(len(text), enough)])
	}
	return err
}

// data reads the rows, or null for none.
func (d *decoder) data() error {
	d.sawReport = true
	if d.json.PeekKind() == kindNull {
		return d.json.SkipValue()
	}
	if err := d.open('[', "data that is no array"); err != nil {
		return err
	}
	for d.json.PeekKind() != ']' {
		if err := d.element(); err != nil {
			return err
		}
	}
	_, err := d.json.ReadToken()
	return err
}

// The kinds of JSON values that the decoder tells apart.
const (
	kindNull   jsontext.Kind = 'n'
	kindFalse  jsontext.Kind = 'f'
	kindTrue   jsontext.Kind = 't'
	kindString jsontext.Kind = '"'
	kindNumber jsontext.Kind = '0'
	kindObject jsontext.Kind = '{'
	kindArray  jsontext.Kind = '['
	kindLong   jsontext.Kind = 'l' // our own: only the start of the value may be left
)

// object reads an element of data by its members; read takes the value of each.
// The error is ErrBadRow if it is no object.
func (d *decoder) object(read func(name jsontext.Value) error) error {
	if d.json.PeekKind() != kindObject {
		if err := d.json.SkipValue(); err != nil {
			return err
		}
		return ErrBadRow
	}
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	return d.members(read)
}

// open reads the start of an object or array.
func (d *decoder) open(kind jsontext.Kind, otherwise string) error {
	token, err := d.json.ReadToken()
	if err == nil && token.Kind() != kind {
		err = d.malformed(otherwise)
	}
	return err
}

// members reads an object after its start; read takes the value of each member,
// whose name is still quoted.
func (d *decoder) members(read func(name jsontext.Value) error) error {
	for {
		name, err := d.member()
		if name == nil {
			return err
		}
		if err := read(name); err != nil {
			return err
		}
	}
}

// member reads the name of an object's next member. It is nil after the last
// one, or with an error, and good until the next read.
func (d *decoder) member() (jsontext.Value, error) {
	if d.json.PeekKind() != kindString {
		// The end; or no name, and whoever reads it as a value keeps the whole of it.
		_, err := d.json.ReadToken()
		return nil, err
	}
	return d.json.ReadValue()
}

// text reads a value as trimmed text, good until the next read. Objects, arrays
// and what is too long have none.
func (d *decoder) text() ([]byte, jsontext.Kind, error) {
	kind := d.json.PeekKind()
	if kind == kindObject || kind == kindArray {
		return nil, kind, d.json.SkipValue()
	}
	value, err := d.json.ReadValue()
	switch {
	case err != nil || kind == kindNull:
		return nil, kind, err
	case len(value) >= longest:
		return nil, kindLong, nil
	case kind == kindString:
		return bytes.TrimSpace(d.unquote(value)), kind, nil
	default:
		return value, kind, nil
	}
}

func (d *decoder) unquote(value jsontext.Value) []byte {
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	// The decoder has checked the syntax already; what is no UTF-8 is replaced.
	d.unquoted, _ = jsontext.AppendUnquote(d.unquoted[:0], value)
	return d.unquoted
}
