package wolkvox

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
)

// A greater value is an error of the report, and would spoil a sum for good.
const (
	maxSeconds = 10 * 365.25 * 24 * 60 * 60
	maxInteger = 1e12
)

// maxLabelRunes limits the memory of a label.
const maxLabelRunes = 64

// isAbsent reports whether the report says that a value does not apply: by "-", by nothing, or
// in some exports by a word.
func isAbsent(text []byte) bool {
	switch len(text) {
	case 0:
		return true
	case 1:
		return text[0] == '-'
	case len("N/A"), len("NULL"):
		return equalsAny(text, "N/A", "NULL")
	default:
		return false
	}
}

// equalsAny reports whether text is one of words in any case.
func equalsAny(text []byte, words ...string) bool {
	for _, word := range words {
		if bytes.EqualFold(text, []byte(word)) {
			return true
		}
	}
	return false
}

// parseDuration reads HH:MM:SS, with hours above 24 too, M:SS, or plain seconds, and returns
// seconds. They can have a fraction.
func parseDuration(text []byte) (float64, bool) {
	last := bytes.LastIndexByte(text, ':')
	if last < 0 {
		return parseSeconds(text)
	}
	hours, minutes, long := bytes.Cut(text[:last], []byte(":"))
	if !long {
		hours, minutes = []byte("0"), hours
	}
	whole, fraction, fractional := bytes.Cut(text[last+1:], []byte("."))
	h, okH := parseDigits(hours)
	m, okM := parseDigits(minutes)
	s, okS := parseDigits(whole)
	ok := okH && okM && okS && m < 60 && s < 60 && len(whole) == 2 && len(minutes) <= 2 && (!long || len(minutes) == 2)
	if ok && fractional {
		if _, ok = parseDigits(fraction); ok {
			s, ok = parseSeconds(text[last+1:])
		}
	}
	total := h*3600 + m*60 + s
	return total, ok && total <= maxSeconds
}

// parseInteger reads a count. PHP can write 5 as 5.0 or 5.00. 1.000 can be a thousand or one,
// so it is neither.
func parseInteger(text []byte) (float64, bool) {
	whole, fraction, fractional := bytes.Cut(text, []byte("."))
	n, ok := parseDigits(whole)
	return n, ok && n <= maxInteger && (!fractional || string(fraction) == "0" || string(fraction) == "00")
}

// parseSeconds reads a JSON number without a sign. strconv would also accept hexadecimal numbers
// and infinity.
func parseSeconds(text []byte) (float64, bool) {
	if n, ok := parseDigits(text); ok {
		return n, n <= maxSeconds
	}
	for i, c := range text {
		if isDigit(c) {
			continue
		}
		if i == 0 || !strings.ContainsRune(".eE+-", rune(c)) {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(string(text), 64)
	return n, err == nil && n <= maxSeconds
}

// parseDigits reads up to 15 decimal digits, which a float64 holds exactly.
func parseDigits(text []byte) (float64, bool) {
	if len(text) == 0 || len(text) > 15 {
		return 0, false
	}
	var n int64
	for _, c := range text {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return float64(n), true
}

// parseYes reads the spellings of yes and no that users have seen.
func parseYes(text []byte) (yes, ok bool) {
	yes = equalsAny(text, "yes", "si", "sí", "1", "true")
	return yes, yes || equalsAny(text, "no", "0", "false")
}

// parseLastSender does not fail, as the vendor can add senders.
func parseLastSender(text []byte) LastSender {
	for sender := Agent; sender < SenderCount; sender++ {
		if equalsAny(text, senderNames[sender]) {
			return sender
		}
	}
	return UnknownSender
}

// label returns a text as a label: valid UTF-8 without control characters, at most 64
// characters, trimmed. Texts that look the same have the same label.
func label(text []byte) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(string(text), string(unicode.ReplacementChar))))
	count := 0
	for at := range clean {
		if count == maxLabelRunes {
			// A substring would keep all of the text in memory.
			return strings.Clone(strings.TrimSpace(clean[:at]))
		}
		count++
	}
	if clean == "" {
		return "-"
	}
	return clean
}

// lowerLabel returns a label in lower case. Some endpoints write a channel with a capital.
func lowerLabel(text []byte) string { return strings.ToLower(label(text)) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
