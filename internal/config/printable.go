package config

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// unprintable describes the first character of a text that a terminal, a log or a label must
// not contain: a control character, a line end, a change of the writing direction, or bytes
// that are not UTF-8. It returns "" if there is none.
func unprintable(text string) string {
	if !utf8.ValidString(text) {
		return "bytes that are not UTF-8"
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("the character %U, which cannot be shown", r)
		}
	}
	return ""
}

// CheckName returns an error if a name is not allowed for an operation.
func CheckName(name string) error {
	if name == "" {
		return errors.New("the name is empty")
	}
	if character := unprintable(name); character != "" {
		return fmt.Errorf("the name %q has %s", name, character)
	}
	return nil
}
