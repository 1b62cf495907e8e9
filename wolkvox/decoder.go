package wolkvox

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox/internal/jsonscan"
)

// maxTokenLen is how many bytes a string, a name or a number can have to be read, and how
// many bytes of other text may come before the JSON.
const maxTokenLen = 64 << 10

// ErrBadRow means that a row cannot be read: it is not an object, identifies nothing, or its
// end or identity is of the wrong type or longer than 64 KiB. The rows after it follow.
var ErrBadRow = errors.New("malformed row")

// errStopped ends decoding when the caller wants no more rows.
var errStopped = errors.New("stopped by the caller")

// decoder reads one response, row by row, in memory that does not grow with it.
type decoder struct {
	rowOptions

	json      *jsonscan.Scanner
	envelope  envelope
	extraText bool // there is other text before or after the JSON

	readRow  func() // reads an element of data
	rows     int    // elements of data so far
	goodRows int    // those that could be read

	columnIndex int // of the next column that a row is expected to have
	// Label texts by field and the text in the report.
	labels [allKeys]map[string]string
	// The identity of a row, kept until it is hashed.
	connID, sessionID, startDate []byte

	hashed, lowered []byte // scratch
}

func newDecoder(body io.Reader, options rowOptions) *decoder {
	return &decoder{rowOptions: options, json: jsonscan.New(body, maxTokenLen)}
}

// decodeRows reads a response and yields what row returns for each element of data, with nil
// or ErrBadRow. It returns nil, errStopped, or why the response is not a report.
func decodeRows[T any](d *decoder, row func(*decoder) (T, error), yield func(T, error) bool) error {
	d.readRow = func() {
		value, err := row(d)
		if d.json.Err() != nil {
			return // The row was cut.
		}
		d.rows++
		if err == nil {
			d.goodRows++
		}
		if !yield(value, err) {
			d.json.Stop(errStopped)
		}
	}
	if err := d.readDocument(); err != nil {
		return err
	}
	return d.envelope.verdict(d.rows, d.goodRows)
}

// response describes what was read.
func (d *decoder) response() Response {
	return Response{Announced: d.envelope.announced(), ExtraText: d.extraText && d.json.Err() == nil}
}

// readDocument reads the response's JSON and the text around it: PHP writes its warnings into
// the response, and some editors add byte-order marks or NULs to a file that PHP runs.
func (d *decoder) readDocument() error {
	d.readLeadingText()
	if d.json.PeekKind() == jsonscan.Array {
		d.envelope.shape = bareArray
		d.readArray()
	} else {
		d.readEnvelope()
	}
	d.readTrailingText()
	return d.json.Err()
}

var (
	envelopeStart = regexp.MustCompile(`(?i)\{[ \t\r\n]*"\s*(code|error|msg|data)\s*"[ \t\r\n]*:`)
	rowArrayStart = regexp.MustCompile(`^\[[ \t\r\n]*[{\]]`) // a log line can begin with a date in brackets
	// htmlTag matches tags of a page of HTML, which PHP's warnings do not have.
	htmlTag = regexp.MustCompile(`(?i)<(!doctype|html|head|body|title|script|form|\?xml)`)
)

// readLeadingText reads up to the JSON: the first object or array of rows, or behind other
// text the first object that begins like an envelope. A page of HTML has no JSON, whatever
// its scripts contain.
func (d *decoder) readLeadingText() {
	next := d.json.Peek(1)
	for len(next) > 0 && isFiller(next[0]) {
		d.json.Discard(1)
		next = d.json.Peek(1)
	}
	if len(next) == 0 {
		d.json.Stop(malformed("the body is empty"))
		return
	}
	if next[0] == '{' {
		return
	}
	text := d.json.Peek(maxTokenLen)
	if rowArrayStart.Match(text) {
		return
	}
	start := envelopeStart.FindIndex(text)
	switch {
	case start != nil && htmlTag.Match(text[:start[0]]):
		d.json.Stop(malformed("a page of HTML"))
	case start != nil:
		d.extraText = true
		d.json.Discard(start[0])
	default:
		d.json.Discard(len(text))
		d.json.Peek(1) // The text can end with an error.
		d.json.Stop(malformed("no JSON in the first 64 KiB"))
	}
}

// readTrailingText reads what is behind the JSON. More JSON there is an error, as the
// first is not the whole response then.
func (d *decoder) readTrailingText() {
	const maxEnvelopeStart = 256
	blank := true
	for text := d.json.Peek(maxEnvelopeStart); len(text) > 0; text = d.json.Peek(maxEnvelopeStart) {
		start := []int(nil)
		if text[0] == '{' {
			start = envelopeStart.FindIndex(text)
		}
		if blank && bytes.IndexByte([]byte("{}[],"), text[0]) >= 0 || start != nil && start[0] == 0 {
			d.json.Reject("unexpected JSON after the end")
			return
		}
		blank = blank && isFiller(text[0])
		d.json.Discard(1)
	}
	d.extraText = d.extraText || !blank
}

// isFiller reports whether c has no meaning around JSON: it is white space, a NUL or a byte
// of a byte-order mark.
func isFiller(c byte) bool { return bytes.IndexByte([]byte(" \t\r\n\x00\xef\xbb\xbf"), c) >= 0 }

// openObject reads the start of an element of data. It reports whether that is an object; if
// not, it reads all of the element.
func (d *decoder) openObject() bool {
	if d.json.PeekKind() != jsonscan.Object {
		d.json.Skip()
		return false
	}
	d.json.Open(jsonscan.Object)
	return true
}

// text reads a value and returns its text without the white space around it; nil for null.
func (d *decoder) text() ([]byte, jsonscan.Kind) {
	text, kind := d.json.Value()
	if kind == jsonscan.Null {
		return nil, kind
	}
	return bytes.TrimSpace(text), kind
}

// normalize returns a name in lower case without the white space around it, valid until the
// next call.
func (d *decoder) normalize(name []byte) []byte {
	d.lowered = append(d.lowered[:0], bytes.TrimSpace(name)...)
	for i, c := range d.lowered {
		if 'A' <= c && c <= 'Z' {
			d.lowered[i] = c + 'a' - 'A'
		}
	}
	return d.lowered
}

// texts reads an element of data and returns the texts of these members; nil where one is
// absent. ok is false if the element is not an object.
func (d *decoder) texts(names ...string) (texts [][]byte, ok bool) {
	texts = make([][]byte, len(names))
	if !d.openObject() {
		return texts, false
	}
	for d.json.Next() {
		index := slices.Index(names, string(d.normalize(d.json.Name())))
		if index < 0 {
			d.json.Skip()
		} else if text, _ := d.text(); !isAbsent(text) {
			texts[index] = bytes.Clone(text)
		}
	}
	return texts, true
}
