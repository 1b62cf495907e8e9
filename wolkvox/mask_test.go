package wolkvox

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// observedMasks decodes a report and returns the masks of unreadable values by field.
func observedMasks(t *testing.T, rows ...string) map[string]string {
	t.Helper()
	have := map[string]string{}
	observe := func(field, mask string) { have[field] = mask }
	if _, err := decode(strings.NewReader(report(rows...)), rowOptions{onMalformed: observe}, func(Chat, error) bool { return true }); err != nil {
		t.Fatal(err)
	}
	return have
}

func TestClient_ObservesMaskOfMalformedValue(t *testing.T) {
	for _, test := range []struct{ field, value, want string }{
		{"total_time", `"1,5"`, "9,9"},
		{"total_time", `"00:61:00"`, "99:99:99"},
		{"total_time", `-5`, "-9"},
		{"total_time", `"1h 5m"`, "9a 9a"},
		{"asa", `"pronto"`, "a"},
		{"asa", `"25 años @¿?"`, "99 a ???"},
		{"times_chatted", `"99999999999999999999"`, "99999999999999999999"},
		{"end_date", `"18/01/2026 19:34"`, "99/99/9999 99:99"},
		{"end_date", `"2026.01.18"`, "9999.99.99"},
		{"start_date", `"` + strings.Repeat("7", 25) + `"`, strings.Repeat("9", 25)},
		{"start_date", `"` + strings.Repeat("7", 26) + `"`, strings.Repeat("9", 25) + "…"},
		{"go_to_agent", `"¿?"`, "??"},
		{"channel", `["web"]`, "[…]"},
		{"session_id", `{}`, "{…}"},
		{"asa", `false`, "false"},
		{"asa", `-Infinity`, "-Infinity"},
		{"conn_id", `"` + strings.Repeat("7", maxTokenLen+1) + `"`, "more than 64 KiB"},
	} {
		have := observedMasks(t, rowWith(), rowWith(test.field, test.value))
		if want := map[string]string{test.field: test.want}; !maps.Equal(have, want) {
			t.Errorf("%s %.30s: have %v, want %v", test.field, test.value, have, want)
		}
	}
}

func TestClient_ObservesNoMaskOfReadableValue(t *testing.T) {
	have := observedMasks(t, rowWith(), rowWith("asa", `"-"`, "end_date", `""`, "total_time", "null", "customer_name", `{"a":[1]}`, "agent_name", "true"), `"no row"`)
	if len(have) != 0 {
		t.Errorf("have %v, want none", have)
	}
}

func TestClient_ObservesNoMaskOfCutValue(t *testing.T) {
	body := report(rowWith())
	observe := func(field, mask string) { t.Errorf("have %q for %s", mask, field) }
	for n := range body {
		if _, err := decode(strings.NewReader(body[:n]), rowOptions{onMalformed: observe}, func(Chat, error) bool { return true }); err == nil {
			t.Errorf("cut to %d bytes: have no error", n)
		}
	}
}

// Texts with the same classes of characters have the same mask, so that it identifies none of them.
func TestMask_DependsOnClassesOnly(t *testing.T) {
	classes := map[string]string{"0123456789": "4207", "abcXYZñé": "ñandú", "@+¿€_": "=%"}
	rapid.Check(t, func(t *rapid.T) {
		var one, other strings.Builder
		for range rapid.IntRange(1, 40).Draw(t, "length") {
			members := rapid.SampledFrom([]string{"0123456789", "abcXYZñé", "@+¿€_"}).Draw(t, "class")
			one.WriteRune(rapid.SampledFrom([]rune(members)).Draw(t, "a character"))
			other.WriteRune(rapid.SampledFrom([]rune(classes[members])).Draw(t, "another"))
		}
		if have, want := mask([]byte(one.String())), mask([]byte(other.String())); have != want {
			t.Fatalf("%q is %q, %q is %q", one.String(), have, other.String(), want)
		}
	})
}
