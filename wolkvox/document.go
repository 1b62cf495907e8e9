package wolkvox

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

// PHP writes its warnings into the response, before the JSON or behind it, and some
// editors leave byte-order marks or NULs in a file that it runs.

// begin reads up to the document. Without other text before it, that is what comes
// first; behind other text, the first object that begins like an envelope, within the
// first 64 KiB. A whole page of HTML has no document, whatever its scripts hold.
func (d *decoder) begin() {
	s := d.json
	if s.peek() == '{' {
		return
	}
	s.keep()
	blank := true
	for {
		c := s.look()
		switch {
		case s.err != nil:
			s.noDocument(blank)
			return
		case s.token < 0:
			s.malformed("no JSON in the first 64 KiB")
			return
		case c == '{' && (blank || s.ahead(s.startsEnvelope)), c == '[' && blank && s.ahead(s.startsRows):
			if isPage(s.buffer[s.token:s.at]) {
				s.malformed("a page of HTML")
			}
			s.token = -1
			d.extraText = !blank
			return
		}
		blank = blank && isFiller(c)
		if s.err == nil && s.token >= 0 {
			s.at++
		}
	}
}

// noDocument says what was there instead of a document.
func (s *scanner) noDocument(blank bool) {
	switch {
	case !errors.Is(s.err, io.EOF):
	case blank:
		s.err = errors.New("an empty body")
	default:
		s.err = errors.New("no JSON object")
	}
}

// end reads what is behind the document. Text there is no fault; more JSON is one, as
// the document is not the whole answer then.
func (d *decoder) end() {
	s := d.json
	if s.err != nil {
		return
	}
	blank := true
	for s.err == nil {
		c := s.look()
		switch {
		case s.err != nil:
		case blank && bytes.IndexByte([]byte("{}[],"), c) >= 0, c == '{' && s.aheadOf(s.startsEnvelope):
			s.malformed("JSON after the end of the JSON")
		default:
			blank = blank && isFiller(c)
			if s.look(); s.err == nil { // A look ahead can have read all that is there.
				s.at++
			}
		}
	}
	d.extraText = d.extraText || !blank
	if errors.Is(s.err, io.EOF) {
		s.err = nil
	}
}

// isFiller reports whether c is a part of what means nothing around a document: space,
// a NUL or a byte-order mark.
func isFiller(c byte) bool { return bytes.IndexByte([]byte(" \t\r\n\x00\xef\xbb\xbf"), c) >= 0 }

// isPage reports whether a text has tags that PHP's warnings have not.
func isPage(text []byte) bool {
	tags := [...]string{"<!doctype", "<html", "<head", "<body", "<title", "<script", "<form", "<?xml"}
	for {
		at := bytes.IndexByte(text, '<')
		if at < 0 {
			return false
		}
		text = text[at:]
		if slices.ContainsFunc(tags[:], func(tag string) bool {
			return len(text) >= len(tag) && bytes.EqualFold(text[:len(tag)], []byte(tag))
		}) {
			return true
		}
		text = text[1:]
	}
}

// startsEnvelope reads the start of an object and reports whether its first name is
// one of an envelope's.
func (s *scanner) startsEnvelope() bool {
	s.at++
	if s.peek() != '"' {
		return false
	}
	s.at++
	var name [16]byte
	n := 0
	for ; n < len(name) && s.look() != '"'; n++ {
		name[n] = s.look()
		if s.err != nil {
			return false
		}
		s.at++
	}
	if !s.accept(`"`) || s.peek() != ':' {
		return false
	}
	return slices.ContainsFunc(envelopeNames[:], func(known string) bool {
		return bytes.EqualFold(bytes.TrimSpace(name[:n]), []byte(known))
	})
}

// startsRows reads the start of an array and reports whether rows are in it, or
// nothing. A log's line can begin with a date in brackets.
func (s *scanner) startsRows() bool {
	s.at++
	c := s.peek()
	return c == '{' || c == ']'
}
