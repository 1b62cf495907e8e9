package wolkvox

import (
	"strings"
	"testing"
)

// decodeWithOptions decodes a report of one row with options.
func decodeWithOptions(t *testing.T, row string, options rowOptions) Chat {
	t.Helper()
	var have []Chat
	if _, err := decode(strings.NewReader(report(row)), options, func(c Chat, err error) bool {
		if err != nil {
			t.Fatal(err)
		}
		have = append(have, c)
		return true
	}); err != nil || len(have) != 1 {
		t.Fatalf("have %d chats and error %v, want 1", len(have), err)
	}
	return have[0]
}

func TestWithAgentNames(t *testing.T) {
	for _, test := range []struct{ name, value, want string }{
		{"a name", `" Canary\u00a0 Agent "`, "Canary\u00a0 Agent"},
		{"absent", `"-"`, ""},
		{"null", "null", ""},
		{"an object", `{"name": "Canary Agent"}`, ""},
		{"too long a name", `"` + strings.Repeat("é", 100) + `"`, strings.Repeat("é", 64)},
	} {
		t.Run(test.name, func(t *testing.T) {
			row := rowWith("agent_name", test.value)
			if have := decodeWithOptions(t, row, rowOptions{agentNames: true}).AgentName; have != test.want {
				t.Errorf("have %q, want %q", have, test.want)
			}
			if have := decodeWithOptions(t, row, rowOptions{connIDs: true}).AgentName; have != "" {
				t.Errorf("unasked: have %q, want none", have)
			}
		})
	}
}

func TestWithConnIDs_OnlyPlainIDs(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{`"1768782871.5521"`, "1768782871.5521"},
		{`1768782871`, "1768782871"},
		{`"a-B_9"`, "a-B_9"},
		{`"-"`, ""},
		{`"` + strings.Repeat("7", 64) + `"`, strings.Repeat("7", 64)},
		{`"` + strings.Repeat("7", 65) + `"`, ""},
		{`"573001112233@whatsapp"`, ""},
		{`"Canary Customer"`, ""},
		{`"12\n34"`, ""},
	} {
		row := rowWith("conn_id", test.value)
		if have := decodeWithOptions(t, row, rowOptions{connIDs: true}).ConnID; have != test.want {
			t.Errorf("%s: have %q, want %q", test.value, have, test.want)
		}
		if have := decodeWithOptions(t, row, rowOptions{agentNames: true}).ConnID; have != "" {
			t.Errorf("%s, unasked: have %q, want none", test.value, have)
		}
	}
}

// An agent is only a label of some figures: a malformed one does not make the row bad.
func TestChats_MalformedAgentIsAbsent(t *testing.T) {
	for _, value := range []string{`[5544]`, `{"id": 5544}`, "true", `"-"`, "null", `"` + strings.Repeat("x", maxTokenLen+1) + `"`} {
		have := decodeOneRow(t, rowWith("agent_id", value))
		if have.Agent != "" || !have.HandedOff {
			t.Errorf("%.20s: have %+v, want the chat without an agent", value, have)
		}
	}
	if have := decodeOneRow(t, rowWith("agent_id", "5544")).Agent; have != "5544" {
		t.Errorf("have agent %q, want that of a number", have)
	}
}
