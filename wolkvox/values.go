package wolkvox

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
)

// What is beyond these is a fault of the report, and one such value would spoil
// a sum for good.
const (
	maxSeconds = 10 * 365.25 * 24 * 60 * 60
	maxInteger = 1e12
)

// maxLabelRunes bounds what a label can cost whoever stores it.
const maxLabelRunes = 64

// isAbsent reports whether the report says that a value does not apply: it writes
// "-" or nothing then, and some exports a word for it.
func isAbsent(text []byte) bool {
	switch len(text) {
	case 0:
		return true
	case 1:
		return text[0] == '-'
	case len("N/A"):
		return bytes.EqualFold(text, []byte("N/A"))
	case len("NULL"):
		return bytes.EqualFold(text, []byte("NULL"))
	default:
		return false
	}
}

// parseDuration reads HH:MM:SS, with hours above 24 too, M:SS, or plain seconds, and
// answers in seconds. Seconds may have a fraction.
func parseDuration(text []byte) (float64, bool) {
	clock, fraction, fractional := bytes.Cut(text, []byte("."))
	last := bytes.LastIndexByte(clock, ':')
	if last < 0 {
		return parseSeconds(text)
	}
	hours, minutes, long := bytes.Cut(clock[:last], []byte(":"))
	if !long {
		hours, minutes = []byte("0"), hours
	}
	h, okH := parseDigits(hours)
	m, okM := parseDigits(minutes)
	s, okS := parseDigits(clock[last+1:])
	ok := okH && okM && okS && m < 60 && s < 60 && len(clock)-last == len(":SS") && len(minutes) <= 2 && (!long || len(minutes) == 2)
	if ok && fractional {
		if _, ok = parseDigits(fraction); ok {
			s, ok = parseSeconds(text[last+1:])
		}
	}
	total := h*3600 + m*60 + s
	return total, ok && total <= maxSeconds
}

// parseInteger reads a count. PHP may write 5 as 5.0 or 5.00; 1.000 is a thousand to
// some and one to others, so it is neither.
func parseInteger(text []byte) (float64, bool) {
	whole, fraction, fractional := bytes.Cut(text, []byte("."))
	n, ok := parseDigits(whole)
	return n, ok && n <= maxInteger && (!fractional || string(fraction) == "0" || string(fraction) == "00")
}

// parseSeconds reads a JSON number that is no more than the limit, which keeps
// out what strconv would take besides: signs, hexadecimal, infinity.
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

// parseYes reads every spelling of yes and no that users have met.
func parseYes(text []byte) (yes, ok bool) {
	for _, spelling := range [...]string{"yes", "si", "sí", "1", "true"} {
		if bytes.EqualFold(text, []byte(spelling)) {
			return true, true
		}
	}
	for _, spelling := range [...]string{"no", "0", "false"} {
		if bytes.EqualFold(text, []byte(spelling)) {
			return false, true
		}
	}
	return false, false
}

// parseLastSender never fails: the vendor may add senders.
func parseLastSender(text []byte) LastSender {
	for sender := Agent; sender < SenderCount; sender++ {
		if bytes.EqualFold(text, []byte(senderNames[sender])) {
			return sender
		}
	}
	return UnknownSender
}

// label makes a routing point's or channel's text fit to be a label: valid
// UTF-8 without control characters, at most 64 characters, trimmed. Two texts
// that look the same become the same label.
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
			// What is kept must not keep the rest, up to 64 KiB.
			return strings.Clone(strings.TrimSpace(clean[:at]))
		}
		count++
	}
	if clean == "" {
		return "-"
	}
	return clean
}

// lowerLabel is label for the names of channels, which some endpoints write
// with a capital.
func lowerLabel(text []byte) string { return strings.ToLower(label(text)) }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
