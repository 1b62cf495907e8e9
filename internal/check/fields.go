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

// losses are what is not counted without a key of the rows.
var losses = map[wolkvox.Field]string{
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

// missing says which documented keys no row has.
func (r *round) missing(keys wolkvox.Fields) (parts []string) {
	for _, key := range wolkvox.Keys() {
		if !keys.Has(key) && !slices.Contains(r.Unread, key) {
			parts = append(parts, fmt.Sprintf("no row has the key %s: %s", key, losses[key]))
		}
	}
	return parts
}

func (r *round) fields(rows, bad int, keys wolkvox.Fields) {
	if rows == 0 {
		r.skipped(Fields, "no rows")
		return
	}
	var missing, parts []string
	if keys != 0 { // Otherwise the rows are no objects.
		missing = r.missing(keys)
	}
	if bad > 0 {
		parts = append(parts, count(bad, "row")+" of "+fmt.Sprint(rows)+" cannot be read")
	}
	for _, what := range slices.Sorted(maps.Keys(r.Malformed)) {
		parts = append(parts, fmt.Sprintf("%s (%d×)", what, r.Malformed[what]))
	}
	const enough = 20
	if more := len(parts) - enough; more > 0 {
		parts = append(parts[:enough], fmt.Sprintf("and %d more", more))
	}
	text := strings.Join(append(missing, parts...), "; ")
	switch {
	case len(missing) > 0:
		r.failed(Fields, text, "the report has changed: update the exporter, or tell its developers and ask wolkvox's support for the key's new name")
	case len(parts) > 0:
		r.look(Fields, text, "report this line to the exporter's developers: it contains no values")
	default:
		r.ok(Fields, "every field of "+count(rows, "row")+" can be read")
	}
}
