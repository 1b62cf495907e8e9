package jsonscan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// SyntaxError says what was expected of the JSON, and where. It quotes nothing of it.
type SyntaxError struct {
	Message string
	Offset  int64 // bytes before it
}

// Error implements error.
func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at byte %d", e.Message, e.Offset) }

// reader hands out the bytes of an input from a buffer that does not grow.
type reader struct {
	from   *bufio.Reader
	window []byte // what from has buffered
	pos    int    // of the next byte in window
	token  int    // where in window the bytes to keep begin; -1 if there are none
	offset int64  // of window in the input
	err    error
}

// Err returns the first error: a [*SyntaxError], one of the input, or that of [Scanner.Stop].
func (r *reader) Err() error { return r.err }

// Offset returns how many bytes are read.
func (r *reader) Offset() int64 { return r.offset + int64(r.pos) }

// Stop ends reading with err, unless it has ended already.
func (r *reader) Stop(err error) {
	if r.err == nil {
		r.offset = r.Offset()
		r.window, r.pos, r.token, r.err = nil, 0, -1, err
	}
}

// Reject ends reading with a [*SyntaxError] at the next byte.
func (r *reader) Reject(message string) { r.Stop(&SyntaxError{message, r.Offset()}) }

// Peek returns up to n bytes that come next, without reading them: fewer if the input ends
// there, and none after an error. They are valid until the next call.
func (r *reader) Peek(n int) []byte {
	if r.err != nil {
		return nil
	}
	r.discard(r.pos)
	text, err := r.from.Peek(n)
	r.window, _ = r.from.Peek(r.from.Buffered())
	if len(text) == 0 && !errors.Is(err, io.EOF) {
		r.Stop(err)
	}
	return text
}

// Discard reads n bytes that [Scanner.Peek] has returned.
func (r *reader) Discard(n int) { r.pos += n }

// discard gives the first n bytes of the window up.
func (r *reader) discard(n int) {
	discarded, _ := r.from.Discard(n) // They are buffered.
	r.offset += int64(discarded)
	r.pos -= discarded
}

// fill reads on at the end of the window. Bytes to keep stay in it, unless they fill the buffer.
func (r *reader) fill() bool {
	if r.err != nil {
		return false
	}
	start := r.pos
	if r.token >= 0 {
		start, r.token = r.token, 0
	}
	r.discard(start)
	_, err := r.from.Peek(r.pos + 1)
	if errors.Is(err, bufio.ErrBufferFull) {
		r.token = -1
		r.discard(r.pos)
		_, err = r.from.Peek(1)
	}
	r.window, _ = r.from.Peek(r.from.Buffered())
	switch {
	case errors.Is(err, io.EOF):
		r.Reject("unexpected end")
	case err != nil:
		r.Stop(err)
	}
	return err == nil
}

// next returns the next byte without reading it; 0, which JSON does not have, after an error.
func (r *reader) next() byte {
	if r.pos == len(r.window) && !r.fill() {
		return 0
	}
	return r.window[r.pos]
}

// nextVisible skips white space and returns the byte after it, as next does.
func (r *reader) nextVisible() byte {
	if r.pos < len(r.window) && r.window[r.pos] > ' ' {
		return r.window[r.pos]
	}
	for r.accept(" \t\r\n") {
	}
	return r.next()
}

// accept reads the next byte if it is one of chars.
func (r *reader) accept(chars string) bool {
	if strings.IndexByte(chars, r.next()) < 0 {
		return false
	}
	r.pos++
	return true
}

// keep begins a token at the next byte.
func (r *reader) keep() { r.token = r.pos }

// kept ends the token and returns it; nil if it was too long. It is valid until the next call.
func (r *reader) kept() []byte {
	start := r.token
	r.token = -1
	if start < 0 {
		return nil
	}
	return r.window[start:r.pos]
}
