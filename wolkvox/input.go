package wolkvox

import (
	"fmt"
	"io"
	"strings"
)

// input is what was read of a reader and is not looked at yet, in a buffer that does
// not grow. Its first error ends it: then there is nothing left, whatever was there.
type input struct {
	from    io.Reader
	buffer  []byte // unread from at to end
	at, end int
	token   int   // where in buffer that begins which is to be kept; negative if nothing is
	before  int64 // bytes that have left the buffer
	err     error
}

func (in *input) fail(err error) {
	if in.err == nil {
		in.err = err
		in.at, in.end, in.token = 0, 0, -1
	}
}

// malformed ends the input because of what comes next.
func (in *input) malformed(what string) {
	in.fail(fmt.Errorf("%s, at byte %d", what, in.before+int64(in.at)))
}

// fill reads more when there is nothing left. What is to be kept stays, unless it
// takes up the whole buffer: then it is too long. An error that comes with bytes is met
// at the next read: a [body] repeats its errors.
func (in *input) fill() bool {
	if in.err != nil {
		return false
	}
	start := in.at
	if in.token == 0 && in.end == len(in.buffer) {
		in.token = -1
	} else if in.token >= 0 {
		start, in.token = in.token, 0
	}
	in.end = copy(in.buffer, in.buffer[start:in.end])
	in.at = in.end
	in.before += int64(start)
	n, err := io.ReadAtLeast(in.from, in.buffer[in.end:], 1)
	in.end += n
	if err != nil {
		in.fail(err)
	}
	return err == nil
}

// look is the next byte. It is 0, which is nowhere in JSON, if there is none.
func (in *input) look() byte {
	if in.at == in.end && !in.fill() {
		return 0
	}
	return in.buffer[in.at]
}

// peek is the next byte that is no space, as look is.
func (in *input) peek() byte {
	if in.at < in.end && in.buffer[in.at] > ' ' {
		return in.buffer[in.at]
	}
	return in.skipSpace()
}

func (in *input) skipSpace() byte {
	for in.accept(" \t\r\n") {
	}
	return in.look()
}

// accept reads the next byte if it is one of these.
func (in *input) accept(bytes string) bool {
	if strings.IndexByte(bytes, in.look()) < 0 {
		return false
	}
	in.at++
	return true
}

// expect reads the next byte that is no space, which should be this one.
func (in *input) expect(want byte, otherwise string) {
	if in.peek() != want {
		in.malformed(otherwise)
		return
	}
	in.at++
}

// keep begins with what comes next, and kept ends with what was read last. Its bytes
// are good until more is read; nil if they are too many.
func (in *input) keep() { in.token = in.at }

func (in *input) kept() []byte {
	start := in.token
	in.token = -1
	if start < 0 {
		return nil
	}
	return in.buffer[start:in.at]
}

// ahead reports what is says of what comes next, while what is kept stays where it
// is: nothing is read, unless that is the end or more than the buffer holds.
func (in *input) ahead(is func() bool) bool {
	offset := in.at - in.token
	ok := is()
	if in.token < 0 {
		return false
	}
	in.at = in.token + offset
	return ok
}

// aheadOf is ahead where nothing else is kept.
func (in *input) aheadOf(is func() bool) bool {
	in.keep()
	ok := in.ahead(is)
	in.token = -1
	return ok
}
