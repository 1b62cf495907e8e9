package wolkvox

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shapesOf decodes a report for a reader who wants the shapes of what cannot be
// read.
func shapesOf(t *testing.T, rows ...string) map[string]string {
	t.Helper()
	have := map[string]string{}
	tell := func(field string, shape Shape) { have[field] = shape.String() }
	if _, err := decode(strings.NewReader(report(rows...)), wanted{shapes: tell}, &Response{}, func(Chat, error) bool { return true }); err != nil {
		t.Fatal(err)
	}
	return have
}

func TestWhatCannotBeReadIsToldByItsShape(t *testing.T) {
	for _, test := range []struct{ field, value, want string }{
		{"total_time", `"1,5"`, "digits and commas, up to 8 characters"},
		{"total_time", `"00:61:00"`, "digits and colons, up to 8 characters"},
		{"total_time", `-5`, "digits and hyphens, up to 8 characters"},
		{"total_time", `"1h 5m"`, "digits, letters and spaces, up to 8 characters"},
		{"asa", `"pronto"`, "letters, up to 8 characters"},
		{"times_chatted", `"99999999999999999999"`, "digits, 9 to 25 characters"},
		{"end_date", `"18/01/2026 19:34"`, "digits, colons, slashes and spaces, 9 to 25 characters"},
		{"end_date", `"2026.01.18"`, "digits and full stops, 9 to 25 characters"},
		{"start_date", `"` + strings.Repeat("7", 26) + `"`, "digits, more than 25 characters"},
		{"go_to_agent", `"¿?"`, "other signs, up to 8 characters"},
		{"channel", `["web"]`, "an object or an array"},
		{"session_id", `{}`, "an object or an array"},
		{"asa", `false`, "true or false"},
		{"conn_id", `"` + strings.Repeat("7", longest+1) + `"`, "more than 64 KiB"},
	} {
		have := shapesOf(t, rowWith(), rowWith(test.field, test.value))
		if want := map[string]string{test.field: test.want}; !maps.Equal(have, want) {
			t.Errorf("%s %.30s: have %v, want %v", test.field, test.value, have, want)
		}
	}
}

func TestNoShapeIsToldOfWhatCanBeRead(t *testing.T) {
	have := shapesOf(t, rowWith(), rowWith("asa", `"-"`, "end_date", `""`, "total_time", "null", "customer_name", `{"a":[1]}`, "agent_name", "true"), `"no row"`)
	if len(have) != 0 {
		t.Errorf("have %v, want none", have)
	}
}

func TestNoShapeIsToldOfWhatIsCut(t *testing.T) {
	body := report(rowWith())
	tell := func(field string, shape Shape) { t.Errorf("have %q for %s", shape, field) }
	for n := range body {
		if _, err := decode(strings.NewReader(body[:n]), wanted{shapes: tell}, &Response{}, func(Chat, error) bool { return true }); err == nil {
			t.Errorf("cut to %d bytes: have no error", n)
		}
	}
}

// Two texts of the same classes have one shape, so that none can be told from it.
func TestAShapeDoesNotDependOnTheText(t *testing.T) {
	classes := map[string]string{
		"0123456789": "4207", "abcXYZñé": "ñandú", " \t": " ", "@+¿€_": "=%",
	}
	rapid.Check(t, func(t *rapid.T) {
		var one, other strings.Builder
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			members := rapid.SampledFrom([]string{"0123456789", "abcXYZñé", " \t", "@+¿€_"}).Draw(t, "class")
			one.WriteRune(rapid.SampledFrom([]rune(members)).Draw(t, "a character"))
			other.WriteRune(rapid.SampledFrom([]rune(classes[members])).Draw(t, "another"))
		}
		if have, want := shapeOf([]byte(one.String())), shapeOf([]byte(other.String())); have != want {
			t.Fatalf("%q is %q, %q is %q", one.String(), have, other.String(), want)
		}
	})
}
