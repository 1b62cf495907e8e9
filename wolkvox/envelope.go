package wolkvox

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// envelopeNames are those of an envelope's members.
var envelopeNames = [...]string{"code", "error", "msg", "data"}

// envelope is what a response says beside its rows.
type envelope struct {
	code       int // 0 if none is given
	msg, fault string
	shape      dataShape

	sawCode, sawFault, sawMsg, sawData bool
	foreign                            bool // it has a member that no document knows
}

// dataShape is how the rows are written.
type dataShape uint8

const (
	rowArray  dataShape = iota
	bareArray           // without an envelope
	rowObject           // one row, or rows by names that are no numbers
)

// readEnvelope reads {"code":…, "error":…, "msg":…, "data":[…]}, in any order.
func (d *decoder) readEnvelope() {
	e := &d.envelope
	d.json.open(kindObject, "no JSON object")
	for d.json.next('}') {
		switch string(d.normal(d.json.name())) {
		case "data":
			e.sawData = true
			d.data()
		case "code":
			d.readCode()
		case "msg":
			e.sawMsg = true
			d.addMessage(&e.msg)
		case "error":
			e.sawFault = true
			d.addMessage(&e.fault)
		default:
			e.foreign = true
			d.json.skip()
		}
	}
}

// readCode reads a status. Some endpoints leave it blank, and PHP can write 200.0.
func (d *decoder) readCode() {
	text, kind := d.text()
	if kind == kindNull || kind == kindString && absent(text) {
		return
	}
	whole, fraction, _ := bytes.Cut(text, []byte("."))
	code, err := strconv.Atoi(string(whole))
	if err != nil || len(bytes.Trim(fraction, "0")) > 0 {
		d.json.malformed("a code that is no number")
	}
	d.envelope.code, d.envelope.sawCode = code, true
}

// addMessage keeps the start of what the API says, to tell one 403 from another.
func (d *decoder) addMessage(to *string) {
	const enough = 256
	if text, _ := d.text(); !absent(text) && len(*to) < enough {
		*to += " " + string(text[:min(len(text), enough)])
	}
}

// data reads the rows. PHP writes an array with holes as an object, and nothing in
// many ways.
func (d *decoder) data() {
	switch d.json.kind() {
	case kindArray:
		d.elements()
	case kindObject:
		d.members()
	default:
		if text, kind := d.text(); kind == kindLong || kind != kindFalse && !absent(text) {
			d.json.malformed("data that is no array")
		}
	}
}

func (d *decoder) elements() {
	for d.json.open(kindArray, "data that is no array"); d.json.next(']'); {
		d.element()
	}
}

// members reads an object as its rows, or as one row.
func (d *decoder) members() {
	keyed, numbered := false, false
	if !d.json.aheadOf(func() bool { keyed, numbered = d.json.startsKeyed(); return true }) {
		d.json.malformed("a name of more than 64 KiB")
	}
	if !numbered {
		d.envelope.shape = rowObject
	}
	if !keyed {
		d.element()
		return
	}
	for d.json.open(kindObject, ""); d.json.next('}'); d.element() {
		d.json.name()
	}
}

// startsKeyed reads the start of an object. It reports whether that holds rows rather
// than fields, and whether they have numbers for names. An object without members
// holds no rows.
func (s *scanner) startsKeyed() (keyed, numbered bool) {
	s.at++
	if s.peek() != '"' {
		return true, true
	}
	start := s.at - s.token
	s.quoted()
	if s.token < 0 {
		return false, false
	}
	name := s.buffer[s.token+start+1 : s.at-1]
	numbered = len(bytes.Trim(name, "0123456789")) == 0
	if s.peek() == ':' {
		s.at++
	}
	return numbered || s.peek() == '{', numbered
}

// verdict is what the whole of a response with HTTP status 200 stands for: nil for
// rows, or for none that the API says there are.
func (d *decoder) verdict() error {
	e := &d.envelope
	switch {
	case e.code != 0 && (e.code < 100 || e.code > 599):
		return errors.New("a code that is no status") // It could be anything, a phone number too.
	case !e.succeeded() && e.code != http.StatusNotFound:
		return &Error{Result: classify(e.code, e.fault+e.msg), Status: e.code}
	case d.good > 0, d.rows > 0 && e.shape == rowArray:
		return nil
	case d.rows > 0:
		return errors.New("other JSON than rows")
	case e.shape == bareArray:
		return nil
	default:
		return e.nothingFound()
	}
}

// nothingFound is nil if an envelope without rows says that there are none. Whatever
// else has no rows is an error: taken for an empty report, it would hide every chat.
func (e *envelope) nothingFound() error {
	said := strings.ToUpper(strings.Join(strings.Fields(e.fault+e.msg), " "))
	refused := refusalIn(said)
	switch {
	case !e.isOurs() && e.code == http.StatusNotFound:
		return &Error{Result: BadRequest, Status: e.code}
	case !e.isOurs():
		return errors.New("no envelope of the API's")
	case refused != "":
		return &Error{Result: refused, Status: e.code}
	case e.code != http.StatusNotFound && e.complains() && e.announced() != 0 && !saysNone(said):
		return &Error{Result: ServerError, Status: e.code}
	default:
		return nil
	}
}

// refusalIn is what the API means that says why, and yet a status of success; empty if
// it says nothing of the kind.
func refusalIn(said string) Result {
	said = strings.ReplaceAll(said, "NO EXISTEN", "") // as in "no existen registros"
	for _, refusal := range [...]struct {
		text   string
		result Result
	}{
		{"VALIDATE TOKEN", TokenRejected},
		{"TOKEN LIMIT EXCEEDED", QuotaExceeded},
		{"SIMULTANEOUS REQUESTS", TokenBusy},
		{"ENTER THE WOLKVOX-TOKEN", Unauthorized},
		{"DOES NOT EXIST", BadRequest},
		{"NO EXISTE", BadRequest},
		{"PARAMETER", BadRequest},
		{"PARAMETRO", BadRequest},
		{"PARÁMETRO", BadRequest},
	} {
		if strings.Contains(said, refusal.text) {
			return refusal.result
		}
	}
	return ""
}

// saysNone reports whether a message says that nothing was found.
func saysNone(said string) bool {
	return slices.ContainsFunc([]string{
		"NOT FOUND", "NO RECORD", "NO RESULT", "NO DATA", "NO ROWS", "SIN RESULTADOS", "SIN REGISTROS", "SIN DATOS",
		"NO SE ENCONTR", "NO HAY", "NO EXISTEN",
	}, func(text string) bool { return strings.Contains(said, text) })
}

func (e *envelope) succeeded() bool {
	switch e.code {
	case 0, http.StatusOK, http.StatusCreated, http.StatusAccepted, http.StatusNoContent:
		return true
	default:
		return false
	}
}

// isOurs reports whether an object is the API's envelope: it has nothing but the
// members of one, or all of them, and data or a message. A message without a code or
// data can be another server's.
func (e *envelope) isOurs() bool {
	complete := e.sawCode && e.sawFault && e.sawMsg && e.sawData
	speaks := e.sawMsg && (e.sawCode || e.announced() == 0)
	return complete || !e.foreign && (e.sawData || speaks)
}

// complains reports whether error names a fault. PHP writes what is none in many ways.
func (e *envelope) complains() bool {
	switch strings.ToUpper(strings.TrimSpace(e.fault)) {
	case "", "0", "FALSE", "NONE", "NO", "OK":
		return false
	default:
		return true
	}
}

// announced is the first number in msg, mostly how many rows it says were found; -1
// if there is none.
func (e *envelope) announced() int {
	const most = 9 // digits
	start := strings.IndexAny(e.msg, "0123456789")
	if start < 0 {
		return -1
	}
	digits := e.msg[start:]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, err := strconv.Atoi(digits)
	if err != nil || len(digits) > most {
		return -1
	}
	return n
}
