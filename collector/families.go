package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// family is a metric family of a [LedgerSource] or of a [PollingSource].
type family uint8

const (
	interactions family = iota
	handoffs
	lastSenders
	botTime
	speedOfAnswer
	handleTime
	duration
	messages
	characters

	agentChats
	agentHandleTime
	agentSpeedOfAnswer
	agentCharacters
	agentInfo

	records
	lateRecords
	fieldErrors
	completeUntil
	labelSets
	labelSetsOverflowed

	up
	notLoaded
	tokenRequestsLimit
	tokenRequestsUsed
	newestEnd
	zoneBehind
	lastSuccess
	truncatedWindows
	truncatedSeconds
	unreadableSeconds
	fieldMissing
	skippedSeconds
	routingPointInfo

	apiRequests
	apiRequestDuration
	apiClockSkew
	apiExtraText

	stateBytes
	stateSaveDuration
	stateSaveFailures

	families = iota // how many there are
)

// definitions holds the name, the help text and the labels besides operation of each family.
var definitions = [families]struct {
	name, help string
	labels     []string
}{
	interactions: {
		"wolkvox_chat_interactions_total",
		"Chats that have ended, bot-only ones included (rows of chat_8 with an end_date).",
		[]string{"rp_id", "channel"},
	},
	handoffs: {
		"wolkvox_chat_handoffs_total",
		"Chats that were handed over to a human agent (go_to_agent is yes).",
		[]string{"rp_id", "channel"},
	},
	lastSenders: {
		"wolkvox_chat_last_sender_total",
		"Chats by who wrote the last message (last_sender); unknown is a sender that the API does not document.",
		[]string{"rp_id", "channel", "last_sender"},
	},
	botTime: {
		"wolkvox_chat_bot_time_seconds",
		"Time that a chat spent with the bot, in seconds (time_on_chatbot).",
		[]string{"rp_id", "channel"},
	},
	speedOfAnswer: {
		"wolkvox_chat_speed_of_answer_seconds",
		"Time until an agent received a chat that was handed over, in seconds (asa).",
		[]string{"rp_id", "channel"},
	},
	handleTime: {
		"wolkvox_chat_handle_time_seconds",
		"Time that an agent handled a chat that was handed over, in seconds (time_with_agent).",
		[]string{"rp_id", "channel"},
	},
	duration: {
		"wolkvox_chat_duration_seconds",
		"Time from the start of a chat to its completion, in seconds (total_time).",
		[]string{"rp_id", "channel"},
	},
	messages: {
		"wolkvox_chat_messages",
		"Messages sent in a chat (times_chatted).",
		[]string{"rp_id", "channel"},
	},
	characters: {
		"wolkvox_chat_characters",
		"Characters typed in a chat by its customer (customer_chars) or by the agent it was handed over to (agent_chars).",
		[]string{"rp_id", "channel", "sender"},
	},

	routingPointInfo: {
		"wolkvox_routing_point_info",
		"Name of a routing point that has chats (rp_name in the last list of routing_points); always 1.",
		[]string{"rp_id", "rp_name"},
	},
	agentChats: {
		"wolkvox_agent_chats_total",
		"Chats that were handed over to an agent, by agent (agent_id).",
		[]string{"agent_id"},
	},
	agentHandleTime: {
		"wolkvox_agent_handle_time_seconds",
		"Time that an agent handled chats, in seconds (time_with_agent).",
		[]string{"agent_id"},
	},
	agentSpeedOfAnswer: {
		"wolkvox_agent_speed_of_answer_seconds",
		"Time until an agent received the chats, in seconds (asa).",
		[]string{"agent_id"},
	},
	agentCharacters: {
		"wolkvox_agent_characters_total",
		"Characters that an agent typed (agent_chars).",
		[]string{"agent_id"},
	},
	agentInfo: {
		"wolkvox_agent_info",
		"Name of an agent (agent_name), which is personal data; only with --collector.agent-names.",
		[]string{"agent_id", "agent_name"},
	},

	up: {
		"wolkvox_up",
		"Whether the last poll of the API succeeded: 1 if it did, 0 if it failed, none has ended yet, or polling is stuck.",
		nil,
	},
	notLoaded: {
		"wolkvox_exporter_operation_not_loaded",
		"Why an operation could not be loaded and is not polled: 1 until it is loaded. Absent otherwise.",
		[]string{"reason"},
	},
	tokenRequestsLimit: {
		"wolkvox_api_token_requests_limit",
		"Requests to the API that the operation is allowed today, for all of its tokens (token_info).",
		nil,
	},
	tokenRequestsUsed: {
		"wolkvox_api_token_requests_used",
		"Requests to the API that the operation has made today, with all of its tokens (all_token_today of token_info).",
		nil,
	},
	records: {
		"wolkvox_exporter_records_total",
		"Rows fetched, by outcome: counted rows are new chats, completed rows add missing values, and changed rows have other values than those counted.",
		[]string{"outcome"},
	},
	lateRecords: {
		"wolkvox_exporter_late_records_total",
		"Chats that only a reconcile found, because the report showed them later than --poll.overlap.",
		nil,
	},
	fieldErrors: {
		"wolkvox_exporter_field_errors_total",
		"Values that could not be read, by the name of the field in the API.",
		[]string{"field"},
	},
	completeUntil: {
		"wolkvox_exporter_complete_until_timestamp_seconds",
		"Every chat that the API showed as ended before this is counted, in seconds since the epoch.",
		nil,
	},
	newestEnd: {
		"wolkvox_exporter_newest_end_timestamp_seconds",
		"Newest end of a chat in the last poll with rows, in the operation's time zone, in seconds since the epoch. A difference of hours from now means a wrong time zone or clock.",
		nil,
	},
	zoneBehind: {
		"wolkvox_exporter_time_zone_behind_seconds",
		"How far the configured time zone is behind the operation's, according to chats that end ahead of its clock, in seconds, rounded up to whole hours. 0 if there are none.",
		nil,
	},
	lastSuccess: {
		"wolkvox_exporter_last_success_timestamp_seconds",
		"Start of the newest successful poll since the exporter started, or of the newest successful reconcile, in seconds since the epoch.",
		[]string{"kind"},
	},
	truncatedWindows: {
		"wolkvox_exporter_truncated_windows_total",
		"Windows that were split and fetched again because the API truncated the response, at 60,000 rows or fewer.",
		nil,
	},
	truncatedSeconds: {
		"wolkvox_exporter_truncated_seconds_total",
		"Seconds with chats that may be missing because the API truncated the response and a second cannot be split.",
		nil,
	},
	unreadableSeconds: {
		"wolkvox_exporter_unreadable_seconds_total",
		"Seconds that were skipped because no response with them could be read, although their neighbours could. Reconciles read them again.",
		nil,
	},
	fieldMissing: {
		"wolkvox_report_field_missing",
		"Whether the rows of the report lack a documented key: 1 if they do, 0 if they have it. Absent before the first rows.",
		[]string{"field"},
	},
	skippedSeconds: {
		"wolkvox_exporter_skipped_seconds_total",
		"Time that was never fetched because it was longer ago than --poll.max-catch-up, in seconds.",
		nil,
	},
	labelSets: {
		"wolkvox_exporter_label_sets",
		"Pairs of rp_id and channel in use, without the pair for chats beyond --collector.max-label-sets.",
		nil,
	},
	labelSetsOverflowed: {
		"wolkvox_exporter_label_sets_overflowed_total",
		`Rows counted under rp_id="other", channel="other", or under agent_id="other", because --collector.max-label-sets was reached.`,
		nil,
	},

	apiRequests: {
		"wolkvox_api_requests_total",
		"Requests to the API, by their result.",
		[]string{"api", "result"},
	},
	apiRequestDuration: {
		"wolkvox_api_request_duration_seconds",
		"Duration of a request to the API, including reading the response and failed requests, in seconds.",
		[]string{"api"},
	},
	apiClockSkew: {
		"wolkvox_api_clock_skew_seconds",
		"How far the clock of the API is ahead of the clock of the exporter, in whole seconds (header Date of the newest response).",
		nil,
	},
	apiExtraText: {
		"wolkvox_api_extra_text_total",
		"Responses with other text before or after the JSON, such as a PHP warning. They are read anyway.",
		[]string{"api"},
	},

	stateBytes: {
		"wolkvox_exporter_state_bytes",
		"Size of the state that was last loaded or saved, in bytes.",
		nil,
	},
	stateSaveDuration: {
		"wolkvox_exporter_state_save_duration_seconds",
		"Duration of saving the state, including failed attempts, in seconds.",
		nil,
	},
	stateSaveFailures: {
		"wolkvox_exporter_state_save_failures_total",
		"Failed attempts to save the state. The metrics do not change until a save succeeds.",
		nil,
	},
}

// descs is shared by all collectors.
var descs = func() (all [families]*prometheus.Desc) {
	for f, d := range definitions {
		all[f] = prometheus.NewDesc(d.name, d.help, append([]string{"operation"}, d.labels...), nil)
	}
	return all
}()

// measures holds the family of each measure, and its label sender if it has one.
var measures = [ledger.Measures]struct {
	family family
	sender string
}{
	ledger.BotTime:            {family: botTime},
	ledger.SpeedOfAnswer:      {family: speedOfAnswer},
	ledger.HandleTime:         {family: handleTime},
	ledger.Duration:           {family: duration},
	ledger.Messages:           {family: messages},
	ledger.CustomerCharacters: {characters, "customer"},
	ledger.AgentCharacters:    {characters, "agent"},
}
