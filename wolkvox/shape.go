package wolkvox

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Shape says what kind of value a field has that cannot be read: which classes of
// characters, and about how many. Its few bits have no room for the value itself.
type Shape uint16

const (
	shapeDigits Shape = 1 << iota
	shapeLetters
	shapeColons
	shapeCommas
	shapeStops
	shapeHyphens
	shapeSlashes
	shapeSpaces
	shapeOthers
	shapeMedium // longer than a duration
	shapeLong   // longer than a date
	shapeBoolean
	shapeNested
	shapeHuge
)

// The longest texts of each class of length: 99:59:59, and a date with a zone.
const (
	shortShape  = 8
	mediumShape = 25
)

// String describes s: "digits and commas, up to 8 characters".
func (s Shape) String() string {
	switch {
	case s&shapeBoolean != 0:
		return "true or false"
	case s&shapeNested != 0:
		return "an object or an array"
	case s&shapeHuge != 0:
		return "more than 64 KiB"
	}
	var classes []string
	for i, name := range [...]string{"digits", "letters", "colons", "commas", "full stops", "hyphens", "slashes", "spaces", "other signs"} {
		if s&(1<<i) != 0 {
			classes = append(classes, name)
		}
	}
	length := "up to 8 characters"
	switch {
	case s&shapeLong != 0:
		length = "more than 25 characters"
	case s&shapeMedium != 0:
		length = "9 to 25 characters"
	}
	last := len(classes) - 1
	if last > 0 {
		classes[last-1] += " and " + classes[last]
		classes = classes[:last]
	}
	return strings.Join(classes, ", ") + ", " + length
}

// shapeOf classes a text.
func shapeOf(text []byte) Shape {
	var s Shape
	for _, r := range string(text) {
		s |= shapeOfRune(r)
	}
	switch length := utf8.RuneCount(text); {
	case length > mediumShape:
		s |= shapeLong
	case length > shortShape:
		s |= shapeMedium
	}
	return s
}

func shapeOfRune(r rune) Shape {
	switch {
	case '0' <= r && r <= '9':
		return shapeDigits
	case r == ':':
		return shapeColons
	case r == ',':
		return shapeCommas
	case r == '.':
		return shapeStops
	case r == '-':
		return shapeHyphens
	case r == '/':
		return shapeSlashes
	case unicode.IsLetter(r):
		return shapeLetters
	case unicode.IsSpace(r):
		return shapeSpaces
	default:
		return shapeOthers
	}
}

// shapeOfKind classes a value that no column can hold.
func shapeOfKind(kind kind) Shape {
	switch kind {
	case kindTrue, kindFalse:
		return shapeBoolean
	case kindLong:
		return shapeHuge
	case kindNaN, kindInfinity, kindUndefined:
		return shapeLetters
	default:
		return shapeNested
	}
}
