package main

const chatsUID = "wolkvox-chats"

const (
	chosen       filter = `operation=~"$operation", rp_id=~"$rp_id", channel=~"$channel"`
	chosenPoints filter = `operation=~"$operation", rp_id=~"$rp_id"`

	interactions  = "wolkvox_chat_interactions_total"
	handoffs      = "wolkvox_chat_handoffs_total"
	lastSender    = "wolkvox_chat_last_sender_total"
	speedOfAnswer = "wolkvox_chat_speed_of_answer_seconds"
	handleTime    = "wolkvox_chat_handle_time_seconds"
	botTime       = "wolkvox_chat_bot_time_seconds"
	duration      = "wolkvox_chat_duration_seconds"
	messages      = "wolkvox_chat_messages"
	characters    = "wolkvox_chat_characters"

	noBotOnly = "no bot-only chats in the report"
)

// always100 ends the descriptions of panels with a handoff rate.
const always100 = " If a line is always at 100 %, the report leaves out bot-only chats."

// Prometheus 3, and 2 from OpenMetrics or protobuf, have le="60.0" for le="60".
const inTime = `le=~"${answer_within}(\\.0)?"`

func handoffRate(over, by string) string {
	// A chat can be handed over in the report some minutes after it was counted.
	return "clamp_max(" + reliable(chosen.grown(handoffs, over, by), chosen.grown(interactions, over, by)) + ", 1)"
}

// handoffRateOrNone is -1 if the report leaves bot-only chats out: practically all chats of
// a day were handed over, as for the alert WolkvoxHandoffRateHigh.
func handoffRateOrNone() string {
	all := operations.grown(interactions, overDay, "")
	return "(" + ratio(operations.grown(handoffs, overDay, ""), all) + " > 0.99 and " + all + " >= 20) * 0 - 1 or " + handoffRate(overWindow, "")
}

// serviceLevel covers the operations whose histogram has the bound: bounds may differ. $unanswered is 1 if a chat that
// is not answered counts as missed, and 0 if it does not count.
func serviceLevel(over, by string) string {
	bounded := chosen.and(inTime).increase(speedOfAnswer+"_bucket", over)
	answered, handedOver := chosen.increase(speedOfAnswer+"_count", over), chosen.increase(handoffs, over)
	all := "(" + answered + " * (1 - $unanswered) + " + handedOver + " * $unanswered) and ignoring (le) " + bounded
	return "clamp_max(" + reliable(sum(by, bounded), sum(by, all)) + ", 1)"
}

func unanswered(over, by string) string {
	// The report can show the speed of answer some minutes after the chat, too.
	return "clamp_min(" + chosen.grown(handoffs, over, by) + " - " + chosen.grown(speedOfAnswer+"_count", over, by) + ", 0)"
}

func unansweredRate(over, by string) string {
	return reliable(unanswered(over, by), chosen.grown(handoffs, over, by))
}

func botOnly(over string) string {
	return "clamp_min(" + chosen.grown(interactions, over, "") + " - " + chosen.grown(handoffs, over, "") + ", 0)"
}

func chats() dashboard {
	return dashboard{
		uid:   chatsUID,
		title: "Chats",
		description: "Chat volume, handoffs to agents, speed of answer and service level, by operation, routing point and channel. " +
			"Days and hours are those of the dashboard's time zone.",
		from: "now-6h",
		variables: []object{
			datasource(),
			choice("operation", "Operation", "wolkvox_up"),
			namedChoice("rp_id", "Routing point", filter(`operation=~"$operation"`).names("rp_id", routingPointInfo, interactions, overRange)),
			choice("channel", "Channel", interactions+`{operation=~"$operation", rp_id=~"$rp_id"}`),
			window(),
			barsEvery(),
			setting("target", "SL %", "Service level target: share of the chats that should be answered in time.",
				"80", "50", "60", "70", "75", "80", "85", "90", "95", "99"),
			bound("answer_within", "within s", "A chat answered within this time meets the service level. The choices are the histogram's bounds. "+
				"Operations without the chosen bound are left out; all have 20, 30 and 60.",
				speedOfAnswer+`_bucket{operation=~"$operation"}`, "60"),
			withoutLabel(setting("unanswered", "Service level", "Whether the service level counts chats that were handed over and not answered. "+
				"Of answered leaves them out: in time / answered. Of handed over counts them as missed: in time / handed over.",
				"0", "of answered : 0", "of handed over : 1")),
			setting("asa_target", "ASA s", "Longest acceptable average speed of answer (ASA).",
				"60", "10", "20", "30", "45", "60", "90", "120", "180", "300", "600"),
			hidden(setting("unanswered_target", "Unanswered %", "Largest acceptable share of the handed-over chats that is not answered.",
				"5", "1", "2", "3", "5", "8", "10", "15", "20")),
			hidden(minChats()),
		},
		rows: []row{
			{panels: now()},
			{title: "Today, and the days before", panels: days()},
			{title: "Trends", panels: trends()},
			{title: "Routing points", panels: routingPoints()},
			{title: "Operations and channels", panels: groups()},
			{title: "Staffing: days and hours", panels: staffing()},
			{title: "Active alerts", collapsed: true, panels: []panel{alerts()}},
			{title: "Details: messages, last sender, bot time, duration", collapsed: true, panels: details()},
		},
	}
}

// minChats is the number of chats below which a rate or an average would be noise.
func minChats() object {
	return setting("min_chats", "Chats for a rate", "Rates, service levels and averages are shown from so many chats on.",
		"5", "1", "5", "10", "20", "50")
}
