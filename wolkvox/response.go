package wolkvox

import (
	"bytes"
	"errors"
	"io"
	"net/http"
)

// Response is what a response says beside its rows.
type Response struct {
	// Announced is how many rows msg says were found; -1 if it names no number.
	Announced int
	// ExtraText is set where other text was before the JSON or behind it.
	ExtraText bool
}

// LastResponse describes the response to the newest request of [Client.Chats], as far as
// it was read.
func (c *Client) LastResponse() Response { return c.response }

// decodeRefusal reads the body of a response whose HTTP status is none of success. It
// returns nil if that says that nothing was found, which only a 404 with the API's own
// envelope does. Rows beside such a status are not read: it says that they are not what
// was asked for. enveloped reports whether the API's envelope says why.
func decodeRefusal(status int, body io.Reader) (refusal *Error, enveloped bool) {
	const enough = 64 << 10
	text, _ := io.ReadAll(io.LimitReader(body, enough)) // What can be read of a broken one may still tell.
	d := newDecoder(bytes.NewReader(text))
	err := d.read()
	e := &d.envelope
	ours := err == nil && d.rows == 0 && e.shape == rowArray && (e.succeeded() || e.code == http.StatusNotFound)
	if status == http.StatusNotFound && ours {
		e.code = status
		if e.nothingFound() == nil {
			return nil, true
		}
	}
	failure := &Error{Result: classify(status, e.fault+e.msg), Status: status}
	if foreign := !ours || !e.isOurs(); foreign && status == http.StatusNotFound {
		failure.Err = errors.New("the answer is not the API's")
	}
	return failure, e.fault+e.msg != ""
}
