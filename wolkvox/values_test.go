package wolkvox

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

const unreadable = -1 // no field's value is negative

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]float64{
		`"00:00:00"`: 0, `"00:00:42"`: 42, `"00:14:10"`: 850, `"23:59:59"`: 86399, `"24:00:00"`: 86400, `"27:46:40"`: 100000,
		`"1:00:01"`: 3601, `"100:00:00"`: 360000, `"0:00:07"`: 7, `" 00:00:42 "`: 42,
		`"0"`: 0, `"42"`: 42, `"042"`: 42, `42`: 42, `42.0`: 42, `42.5`: 42.5, `"42.5"`: 42.5, `4.2e1`: 42, `"000000000000000000042"`: 42,
		`"87660:00:00"`: 315576000, `"87660:00:01"`: unreadable, `315576000`: 315576000, `315576000.5`: unreadable, `"315576001"`: unreadable,
		`"00:60:00"`: unreadable, `"00:00:60"`: unreadable, `"00:1:00"`: unreadable, `"00-14:10"`: unreadable, `"00:14-10"`: unreadable, `"00:00:1"`: unreadable, `"00:001:00"`: unreadable,
		`"00:00"`: 0, `"1:05"`: 65, `"01:05"`: 65, `"59:59"`: 3599, `"60:00"`: unreadable, `"1:5"`: unreadable, `"001:05"`: unreadable, `":05"`: unreadable, `"1:"`: unreadable, `"1:60"`: unreadable,
		`"00:01:05.000"`: 65, `"00:01:05.5"`: 65.5, `"1:05.25"`: 65.25, `"00:01:05."`: unreadable, `"00:01.5:05"`: unreadable, `"00:00:59.9"`: 59.9, `"00:00:1.5"`: unreadable, `"00:00:01.1e1"`: unreadable, `"87660:00:00.5"`: unreadable, `"00:00:42.5.0"`: unreadable,
		`"00:00:00:00"`: unreadable, `":00:00"`: unreadable, `"00::00"`: unreadable, `"::"`: unreadable,
		`"-00:00:42"`: unreadable, `"00:-1:00"`: unreadable, `"+1:00:00"`: unreadable, `"00:00:42.5"`: 42.5, `"00:00:4٢"`: unreadable,
		`-42`: unreadable, `"-42"`: unreadable, `-0`: unreadable, `"+42"`: unreadable, `"--"`: unreadable,
		`"42s"`: unreadable, `"42 "`: 42, `"4 2"`: unreadable, `"1,5"`: unreadable, `"1m"`: unreadable, `".5"`: unreadable,
		`"0x10"`: unreadable, `"1_0"`: unreadable, `"Inf"`: unreadable, `"NaN"`: unreadable, `"e5"`: unreadable, `"1e"`: unreadable,
		`1e400`: unreadable, `1e-400`: 0, `"1e9"`: unreadable, `999999999999999999999`: unreadable,
		`18446744073709551621`: unreadable, `"18446744073709551621:00:00"`: unreadable, `"9999999999999999:00:00"`: unreadable, `"999999999999999:59:59"`: unreadable,
		`"42\u0000"`: unreadable, `"sí"`: unreadable, "\"4\xff\"": unreadable,
	} {
		for _, f := range []Field{TimeOnChatbot, ASA, TimeWithAgent, TotalTime} {
			wantValue(t, f, text, want)
		}
	}
}

func TestParseInteger(t *testing.T) {
	for text, want := range map[string]float64{
		`"0"`: 0, `"14"`: 14, `14`: 14, `14.0`: 14, `"14.0"`: 14, `" 14 "`: 14, `"007"`: 7,
		`1000000000000`: 1e12, `"1000000000000"`: 1e12, `1000000000000.0`: 1e12,
		`1000000000001`: unreadable, `"1000000000000.5"`: unreadable, `1e3`: unreadable, `1e13`: unreadable, `1e400`: unreadable, `".0"`: unreadable, `"14.00"`: 14, `14.00`: 14, `"14."`: unreadable, `"14.000"`: unreadable, `"14.0.00"`: unreadable, `"14.01"`: unreadable, `"99999999999999999999"`: unreadable, `18446744073709551621`: unreadable,
		`14.5`: unreadable, `"0.1"`: unreadable, `-1`: unreadable, `"-1"`: unreadable, `-0.0`: unreadable, `"+1"`: unreadable,
		`"many"`: unreadable, `"14 messages"`: unreadable, `"1.000.000"`: unreadable, `"1.000"`: unreadable, `"1,000"`: unreadable, `"00:00:14"`: unreadable, `"--"`: unreadable,
	} {
		for _, f := range []Field{TimesChatted, CustomerChars, AgentChars} {
			wantValue(t, f, text, want)
		}
	}
}

func wantValue(t *testing.T, f Field, text string, want float64) {
	t.Helper()
	have := decodeOneRow(t, rowWith(f.String(), text))
	switch {
	case want == unreadable && (have.Malformed != 1<<f || have.Present.Has(f) || have.Numbers[f] != 0):
		t.Errorf("%s %s: have %v, want it unreadable", f, text, have.Numbers[f])
	case want != unreadable && (have.Malformed != 0 || !have.Present.Has(f) || have.Numbers[f] != want):
		t.Errorf("%s %s: have %v, stated %v, unreadable %b, want %v", f, text, have.Numbers[f], have.Present.Has(f), have.Malformed, want)
	}
}

func TestParseDuration_BothNotations(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.IntRange(0, maxSeconds).Draw(t, "seconds")
		for _, text := range []string{
			fmt.Sprintf("%02d:%02d:%02d", want/3600, want/60%60, want%60),
			fmt.Sprintf("%d:%02d:%02d", want/3600, want/60%60, want%60),
			fmt.Sprint(want),
			fmt.Sprintf("%d.000", want),
		} {
			if have, ok := parseDuration([]byte(text)); !ok || have != float64(want) {
				t.Fatalf("%q: have %v, %v", text, have, ok)
			}
		}
	})
}

// Every number that is read can be summed without overflow.
func TestParse_NumbersAreSummable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[0-9:.eE+-]{0,20}`), rapid.StringMatching(`[-+]?[0-9]{0,400}(\.[0-9]*)?`)).Draw(t, "text")
		if n, ok := parseDuration([]byte(text)); ok && !(n >= 0 && n <= maxSeconds) {
			t.Fatalf("%q is a duration of %v", text, n)
		}
		if n, ok := parseInteger([]byte(text)); ok && !(n >= 0 && n <= maxInteger && n == math.Trunc(n)) {
			t.Fatalf("%q is a count of %v", text, n)
		}
	})
}

func TestLabel(t *testing.T) {
	long := strings.Repeat("ñ", 64)
	for _, c := range [][2]string{
		{`"12601"`, "12601"},
		{`12601`, "12601"},
		{`" 12601\t"`, "12601"},
		{`"\u00a0Ventas\u2003"`, "Ventas"},
		{`"Ventas Bogotá"`, "Ventas Bogotá"},
		{`"Ventas  Norte"`, "Ventas  Norte"},
		{`"VENTAS"`, "VENTAS"},
		{`"a\"b\\c\/d"`, `a"b\c/d`},
		{`"a\nb\u0000c\u007f\u0085d"`, "a\ufffdb\ufffdc\ufffd\ufffdd"},
		{"\"a\xff\xfeb\"", "a\ufffdb"},
		{"\"\xff\"", "\ufffd"},
		{`"\ud800x"`, "\ufffdx"},
		{`"\ud83d\ude00"`, "😀"},
		{`"` + long + `"`, long},
		{`"` + long + `x"`, long},
		{`"` + long[:len("ñ")*63] + ` x"`, long[:len("ñ")*63]},
		{`"-"`, "-"},
		{`""`, "-"},
		{`"   "`, "-"},
		{`null`, "-"},
		{`"\u2003"`, "-"},
		{`"--"`, "--"},
	} {
		have := decodeOneRow(t, rowWith("rp_id", c[0], "channel", c[0]))
		if have.RoutingPoint != c[1] {
			t.Errorf("rp_id %s: have %q, want %q", c[0], have.RoutingPoint, c[1])
		}
		if want := strings.ToLower(c[1]); have.Channel != want {
			t.Errorf("channel %s: have %q, want %q", c[0], have.Channel, want)
		}
		if have.Malformed != 0 {
			t.Errorf("%s: have unreadable %b", c[0], have.Malformed)
		}
	}
}

func requireLabel(t interface{ Fatalf(string, ...any) }, text, have string) {
	switch {
	case have == "":
		t.Fatalf("%q: have nothing", text)
	case !utf8.ValidString(have):
		t.Fatalf("%q: have %q, which is no UTF-8", text, have)
	case utf8.RuneCountInString(have) > 64:
		t.Fatalf("%q: have %d characters", text, utf8.RuneCountInString(have))
	case strings.TrimSpace(have) != have:
		t.Fatalf("%q: have %q, which is not trimmed", text, have)
	case strings.ContainsFunc(have, unicode.IsControl):
		t.Fatalf("%q: have %q with a control character", text, have)
	case label([]byte(have)) != have:
		t.Fatalf("%q: have %q, and %q the second time", text, have, label([]byte(have)))
	}
}

func TestLabel_OfAnyText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) })).Draw(t, "text")
		requireLabel(t, string(text), label(text))
		requireLabel(t, string(text), lowerLabel(text))
	})
}
