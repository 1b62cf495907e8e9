package ledger

import (
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// report is every way in which the API has shown, shows or may show its chats:
// by their true number, all versions of their rows, the newest last.
type report struct {
	chats [][]wolkvox.Chat
}

// A chat's number, in its row with a conn_id and in one without.
func named(n int) wolkvox.ID     { return wolkvox.ID(2*n + 1) }
func anonymous(n int) wolkvox.ID { return wolkvox.ID(2*n + 2) }

func hasNoConnID(chat *wolkvox.Chat) bool { return chat.ID%2 == 0 }

func (r *report) newest(n int) wolkvox.Chat { return r.chats[n][len(r.chats[n])-1] }

// lastEnd is the latest end that a row of the chat has shown.
func (r *report) lastEnd(n int) (end wolkvox.LocalTime) {
	for _, version := range r.chats[n] {
		end = max(end, version.End)
	}
	return end
}

var (
	allLabels = []Labels{{"1", "web"}, {"1", "whatsapp"}, {"2", "web"}, {"3", "web"}, {"-", "-"}, Overflow}
	allAgents = []string{"", "1201", "1202", "1203", OverflowAgent}
	allValues = []float64{0, 0.5, 1, 2, 5, 7, 10, 60, 300, 3600, 86400, 1e6, 1e12}

	someLabels = rapid.SampledFrom(allLabels)
	someAgent  = rapid.SampledFrom(allAgents)
	someValue  = rapid.SampledFrom(allValues)
	someNumber = rapid.SampledFrom([]wolkvox.Field{
		wolkvox.TimeOnChatbot, wolkvox.ASA, wolkvox.TimeWithAgent, wolkvox.TotalTime,
		wolkvox.TimesChatted, wolkvox.CustomerChars, wolkvox.AgentChars,
	})
	someField = rapid.SampledFrom([]wolkvox.Field{
		wolkvox.ASA, wolkvox.TimesChatted, wolkvox.GoToAgent, wolkvox.LastSenderField, wolkvox.StartDate,
	})
	// someEnd is mostly in the last hours, and now and then days old or to come.
	someEnd = rapid.Custom(func(t *rapid.T) time.Duration {
		return -time.Duration(rapid.OneOf(rapid.IntRange(0, 3*60), rapid.IntRange(-48*60, 72*60)).Draw(t, "minutes ago")) * time.Minute
	})
)

// open adds a chat that has just begun. Some have no session, and can only be
// recognised by the same conn_id or none.
func (r *report) open(t *rapid.T) {
	n := len(r.chats)
	labels := someLabels.Draw(t, "labels")
	chat := wolkvox.Chat{ID: named(n), RoutingPoint: labels.RoutingPoint, Channel: labels.Channel, Agent: someAgent.Draw(t, "agent")}
	if rapid.Bool().Draw(t, "without conn_id") {
		chat.ID = anonymous(n)
	} else if rapid.Bool().Draw(t, "with session") {
		chat.FallbackID = anonymous(n)
	}
	r.chats = append(r.chats, []wolkvox.Chat{chat})
}

// change gives a chat's row a new version, which may end at most then; zero is
// no limit.
func (r *report) change(t *rapid.T, n int, now time.Time, limit wolkvox.LocalTime) {
	chat := r.newest(n)
	changes := map[string]func(){
		"ends": func() {
			chat.End = clock(now.Add(someEnd.Draw(t, "end")))
			chat.Malformed &^= 1 << wolkvox.EndDate
			if limit > 0 {
				chat.End = min(chat.End, limit)
			}
		},
		"shows no end": func() { chat.End = 0; chat.Malformed &^= 1 << wolkvox.EndDate },
		"withUnreadable its end": func() {
			chat.End = 0
			chat.Malformed |= 1 << wolkvox.EndDate
		},
		"is handed off":  func() { chat.Malformed &^= 1 << wolkvox.GoToAgent; handedOff(&chat) },
		"stays with bot": func() { chat.Malformed &^= 1 << wolkvox.GoToAgent; keptByBot(&chat) },
		"has a sender": func() {
			lastWrote(wolkvox.LastSender(rapid.IntRange(0, int(wolkvox.SenderCount)-1).Draw(t, "sender")))(&chat)
		},
		"fills in":        func() { states(someNumber.Draw(t, "field"), someValue.Draw(t, "value"))(&chat) },
		"fills in more":   func() { r.fillIn(t, &chat) },
		"withUnreadable":  func() { withUnreadable(someField.Draw(t, "field"))(&chat) },
		"leaves out":      func() { chat.Present &^= 1 << someField.Draw(t, "field") },
		"changes labels":  func() { l := someLabels.Draw(t, "labels"); under(l.RoutingPoint, l.Channel)(&chat) },
		"changes agent":   func() { chat.Agent = someAgent.Draw(t, "agent") },
		"gets a conn_id":  func() { chat.ID, chat.FallbackID = named(n), anonymous(n) },
		"loses a conn_id": func() { chat.ID, chat.FallbackID = anonymous(n), 0 },
	}
	if !hasNoConnID(&chat) {
		delete(changes, "gets a conn_id")
	}
	if !hasNoConnID(&r.chats[n][0]) {
		// Only a conn_id that comes late is a reading of the documents.
		delete(changes, "loses a conn_id")
	}
	names := rapid.SampledFrom(slices.Sorted(maps.Keys(changes)))
	for range rapid.IntRange(1, 4).Draw(t, "changes") {
		changes[names.Draw(t, "change")]()
	}
	r.chats[n] = append(r.chats[n], chat)
}

func (r *report) fillIn(t *rapid.T, chat *wolkvox.Chat) {
	for f := range wolkvox.Field(wolkvox.NumericFieldCount) {
		states(f, someValue.Draw(t, f.String()))(chat)
	}
}
