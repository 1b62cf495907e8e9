package config

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// unprintable returns which character a text has that a terminal, a log or a label
// must not have: a control character, one that sets the direction of writing or the
// end of a line, or no UTF-8 at all. It returns "" if there is none.
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

// CheckName returns an error if an operation must not have the name.
func CheckName(name string) error {
	if name == "" {
		return errors.New("an operation has a name")
	}
	if what := unprintable(name); what != "" {
		return fmt.Errorf("the name %q has %s", name, what)
	}
	return nil
}
