package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// MaskCounts counts values that cannot be read, by field and mask.
type MaskCounts map[string]int

// Add counts a value that [wolkvox.WithMalformedObserver] has observed.
func (c MaskCounts) Add(field, mask string) { c[field+" cannot be read: "+mask]++ }

// missingKeyEffects describes what is not counted if the rows lack a key.
var missingKeyEffects = map[wolkvox.Field]string{
	wolkvox.TimeOnChatbot:     "wolkvox_chat_bot_time_seconds is not counted",
	wolkvox.ASA:               "wolkvox_chat_speed_of_answer_seconds is not counted",
	wolkvox.TimeWithAgent:     "wolkvox_chat_handle_time_seconds is not counted",
	wolkvox.TotalTime:         "wolkvox_chat_duration_seconds is not counted",
	wolkvox.TimesChatted:      "wolkvox_chat_messages is not counted",
	wolkvox.CustomerChars:     `wolkvox_chat_characters{sender="customer"} is not counted`,
	wolkvox.AgentChars:        `wolkvox_chat_characters{sender="agent"} is not counted`,
	wolkvox.GoToAgent:         "wolkvox_chat_handoffs_total and the metrics of agents are not counted",
	wolkvox.LastSenderField:   "wolkvox_chat_last_sender_total is not counted",
	wolkvox.StartDate:         "several chats of a session can be counted as one",
	wolkvox.EndDate:           "no chat is counted",
	wolkvox.RoutingPointField: `all chats are counted under rp_id="-"`,
	wolkvox.ChannelField:      `all chats are counted under channel="-"`,
	wolkvox.AgentField:        "wolkvox_agent_* are not counted",
	wolkvox.AgentNameField:    "wolkvox_agent_info has no names",
	wolkvox.ConnIDField:       "chats of the same session and second are counted as one",
	wolkvox.SessionIDField:    "chats are identified by fewer fields",
}

// missingKeys describes the documented keys that no row has.
func (c *operationCheck) missingKeys(keys wolkvox.Fields) (texts []string) {
	for _, key := range wolkvox.Keys() {
		if !keys.Has(key) && !slices.Contains(c.UnusedKeys, key) {
			texts = append(texts, fmt.Sprintf("no row has the key %s: %s", key, missingKeyEffects[key]))
		}
	}
	return texts
}

func (c *operationCheck) checkFields(rows, badRows int, keys wolkvox.Fields) {
	if rows == 0 {
		c.skipped(Fields, "no rows")
		return
	}
	var missing, unreadable []string
	if keys != 0 { // With no key at all, the rows are not objects.
		missing = c.missingKeys(keys)
	}
	if badRows > 0 {
		unreadable = append(unreadable, plural(badRows, "row")+" of "+fmt.Sprint(rows)+" cannot be read")
	}
	for _, malformed := range slices.Sorted(maps.Keys(c.Malformed)) {
		unreadable = append(unreadable, fmt.Sprintf("%s (%d×)", malformed, c.Malformed[malformed]))
	}
	const limit = 20
	if more := len(unreadable) - limit; more > 0 {
		unreadable = append(unreadable[:limit], fmt.Sprintf("and %d more", more))
	}
	text := strings.Join(append(missing, unreadable...), "; ")
	switch {
	case len(missing) > 0:
		c.failed(Fields, text, "the report has changed: update the exporter, or tell its developers and ask wolkvox's support for the key's new name")
	case len(unreadable) > 0:
		c.warning(Fields, text, "report this line to the exporter's developers: it contains no values")
	default:
		c.ok(Fields, "every field of "+plural(rows, "row")+" can be read")
	}
}
