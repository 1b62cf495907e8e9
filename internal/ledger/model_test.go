package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// model is what a ledger must be, kept as plainly as possible: chats by their
// true number, everything counted of one by name, every value in a list.
type model struct {
	limit   int
	agents  bool // are counted
	floor   wolkvox.LocalTime
	chats   map[int]memory
	figures map[Labels]figures
	byAgent map[string]agentFigures

	rows             uint64
	records          [Outcomes]uint64
	errors           [wolkvox.FieldCount]uint64
	late, overflowed uint64
}

type memory struct {
	counted     map[string]bool         // what is remembered; nil when it is forgotten
	rows        map[string]wolkvox.Chat // that each of it was last seen in
	until       wolkvox.LocalTime
	hasNoConnID bool // remembered from a row without conn_id
	settled     bool // counted or seeded, once and for all
}

// forgotten reports whether a chat was counted or seeded and the ledger has forgotten it.
func (m memory) forgotten() bool { return m.settled && !m.counted["interaction"] }

type figures struct {
	born                   time.Time
	initial                bool
	interactions, handoffs uint64
	senders                [wolkvox.SenderCount]uint64
	values                 [Measures][]float64
}

func newModel(limit int, agents bool) model {
	return model{limit: limit, agents: agents, chats: map[int]memory{}, figures: map[Labels]figures{}, byAgent: map[string]agentFigures{}}
}

func (m model) clone() model {
	m.chats, m.figures, m.byAgent = maps.Clone(m.chats), maps.Clone(m.figures), maps.Clone(m.byAgent)
	for n, chat := range m.chats {
		chat.counted, chat.rows = maps.Clone(chat.counted), maps.Clone(chat.rows)
		m.chats[n] = chat
	}
	return m
}

// specified is where each measure comes from, as the contract and the issue say.
var specified = [Measures]struct {
	field     wolkvox.Field
	handedOff bool
	bounds    []float64
}{
	BotTime:            {wolkvox.TimeOnChatbot, false, []float64{5, 10, 30, 60, 120, 300, 600, 1800, 3600}},
	SpeedOfAnswer:      {wolkvox.ASA, true, []float64{5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800}},
	HandleTime:         {wolkvox.TimeWithAgent, true, []float64{30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 14400, 28800, 86400}},
	Duration:           {wolkvox.TotalTime, false, []float64{30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400}},
	Messages:           {wolkvox.TimesChatted, false, []float64{1, 2, 5, 10, 20, 50, 100, 200}},
	CustomerCharacters: {wolkvox.CustomerChars, false, []float64{10, 50, 100, 250, 500, 1000, 2500, 5000, 10000}},
	AgentCharacters:    {wolkvox.AgentChars, true, []float64{10, 50, 100, 250, 500, 1000, 2500, 5000, 10000}},
}

// apply answers with what must become of a row, and fails if it would count a
// chat for the second time.
func (m *model) apply(n int, chat *wolkvox.Chat, mode Mode, now time.Time, began wolkvox.LocalTime) (Outcome, error) {
	m.rows++
	outcome, err := m.outcome(n, chat, mode, now, began)
	m.records[outcome]++
	if outcome == Counted && mode == Reconciling {
		m.late++
	}
	return outcome, err
}

func (m *model) outcome(n int, chat *wolkvox.Chat, mode Mode, now time.Time, began wolkvox.LocalTime) (Outcome, error) {
	endUnreadable := chat.Malformed.Has(wolkvox.EndDate)
	if chat.End == 0 && !endUnreadable {
		return Unfinished, nil
	}
	known := m.chats[n]
	first := !known.counted["interaction"]
	if first && !endUnreadable {
		if mode == Seeding && chat.End <= began {
			m.remember(n, chat, 0, everyPart...)
			return Seeded, nil
		}
		if mode != Starting && chat.End < m.floor {
			return Expired, nil
		}
		if known.forgotten() {
			return Counted, fmt.Errorf("chat %d is counted twice", n)
		}
	}
	var news []string
	for _, part := range partsStated(chat) {
		if !known.counted[part] {
			news = append(news, part)
		}
	}
	m.countErrors(news)
	seen, changed := news, known.hasChanged(chat)
	if changed {
		seen = slices.AppendSeq(slices.Clone(news), maps.Keys(known.counted))
	}
	if len(seen) > 0 || chat.End > known.until {
		m.remember(n, chat, clock(now), seen...)
	}
	if slices.ContainsFunc(news, isFigure) {
		m.count(chat, news, mode, now)
	}
	if !m.agents {
		news = slices.DeleteFunc(news, isOfAgent)
	} else if slices.ContainsFunc(news, isOfAgent) {
		m.countAgent(chat, news, mode, now)
	}
	switch {
	case endUnreadable:
		return Invalid, nil
	case first:
		return Counted, nil
	case changed:
		return Changed, nil
	case slices.ContainsFunc(news, isFigure) || slices.ContainsFunc(news, isOfAgent):
		return Completed, nil
	default:
		return Duplicate, nil
	}
}

func isFigure(part string) bool { return !strings.HasPrefix(part, "bad ") && !isOfAgent(part) }

// partsStated names what a row has to count.
func partsStated(chat *wolkvox.Chat) (parts []string) {
	for f := range wolkvox.Field(wolkvox.FieldCount) {
		if chat.Malformed.Has(f) {
			parts = append(parts, "bad "+f.String())
		}
	}
	if chat.End == 0 {
		return parts
	}
	parts = append(parts, "interaction")
	agent := chat.Present.Has(wolkvox.GoToAgent) && chat.HandedOff
	if agent {
		parts = append(parts, "handoff")
	}
	if chat.Present.Has(wolkvox.LastSenderField) {
		parts = append(parts, "sender")
	}
	for _, s := range specified {
		if chat.Present.Has(s.field) && (agent || !s.handedOff) {
			parts = append(parts, s.field.String())
		}
	}
	if agent && chat.Agent != "" {
		parts = append(parts, "agent")
		for _, f := range []wolkvox.Field{wolkvox.TimeWithAgent, wolkvox.ASA, wolkvox.AgentChars} {
			if chat.Present.Has(f) {
				parts = append(parts, "agent's "+f.String())
			}
		}
	}
	return parts
}

var everyPart = func() []string {
	parts := []string{"interaction", "handoff", "sender", "agent"}
	for f := range wolkvox.Field(wolkvox.FieldCount) {
		parts = append(parts, f.String(), "bad "+f.String(), "agent's "+f.String())
	}
	return parts
}()

func (m *model) remember(n int, chat *wolkvox.Chat, until wolkvox.LocalTime, seen ...string) {
	known := m.chats[n]
	if known.counted == nil {
		known.counted, known.rows = map[string]bool{}, map[string]wolkvox.Chat{}
		known.hasNoConnID = hasNoConnID(chat)
	}
	for _, part := range seen {
		known.counted[part], known.rows[part] = true, *chat
		known.settled = known.settled || part == "interaction"
	}
	known.until = max(known.until, chat.End, until)
	m.chats[n] = known
}

func (m *model) countErrors(news []string) {
	for f := range m.errors {
		if slices.Contains(news, "bad "+wolkvox.Field(f).String()) {
			m.errors[f]++
		}
	}
}

func (m *model) count(chat *wolkvox.Chat, news []string, mode Mode, now time.Time) {
	labels := Labels{chat.RoutingPoint, chat.Channel}
	if _, there := m.figures[labels]; !there && labels != Overflow && m.ownSets() >= m.limit {
		labels = Overflow
		m.overflowed++
	}
	figures, there := m.figures[labels]
	if !there {
		figures.born, figures.initial = now, mode == Starting
	}
	for _, part := range news {
		switch part {
		case "interaction":
			figures.interactions++
		case "handoff":
			figures.handoffs++
		case "sender":
			figures.senders[chat.LastSender]++
		}
		for measure, s := range specified {
			if s.field.String() == part {
				figures.values[measure] = append(slices.Clip(figures.values[measure]), chat.Numbers[s.field])
			}
		}
	}
	m.figures[labels] = figures
}

func (m *model) ownSets() (n int) {
	for labels := range m.figures {
		if labels != Overflow {
			n++
		}
	}
	return n
}

// commit forgets what ended before the floor.
func (m *model) commit() {
	for n, chat := range m.chats {
		if chat.until < m.floor {
			chat.counted, chat.rows, chat.until = nil, nil, 0
			m.chats[n] = chat
		}
	}
}

func (m *model) remembered() (n int) {
	for _, chat := range m.chats {
		if chat.counted != nil {
			n++
		}
	}
	return n
}

// String is what [printed] says of the view of a ledger that is as the model.
func (m *model) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "records %v errors %v late %d overflowed %d remembered %d\n", m.records, m.errors, m.late, m.overflowed, m.remembered())
	sets := slices.SortedFunc(maps.Keys(m.figures), func(a, b Labels) int {
		return cmp.Or(cmp.Compare(a.RoutingPoint, b.RoutingPoint), cmp.Compare(a.Channel, b.Channel))
	})
	for _, labels := range sets {
		f := m.figures[labels]
		fmt.Fprintf(&out, "%q born %s initial %t: %d, %d handed off, senders %d\n", labels, f.born.UTC(), f.initial, f.interactions, f.handoffs, f.senders)
		for measure, values := range f.values {
			out.WriteString(plainHistogram(values, specified[measure].bounds))
		}
	}
	return out.String() + m.agentsString()
}

// plainHistogram says what a histogram of values must be.
func plainHistogram(values, bounds []float64) string {
	sum, zeros, buckets, native := 0.0, 0, make([]int, len(bounds)+1), map[int]int{}
	for _, value := range values {
		sum += value
		at := 0
		for at < len(bounds) && value > bounds[at] {
			at++
		}
		buckets[at]++
		if value == 0 {
			zeros++
			continue
		}
		// The values of a history are powers of 2 or far from a bucket's bound.
		native[int(math.Ceil(math.Log2(value)*8-1e-9))]++
	}
	return fmt.Sprintf("  %d sum %v buckets %d zeros %d native %v\n", len(values), sum, buckets, zeros, native)
}

// printed is all that a view shows, in words that can be compared.
func printed(view *View) string {
	var out strings.Builder
	c := view.Counts
	fmt.Fprintf(&out, "records %v errors %v late %d overflowed %d remembered %d\n", c.Records, c.FieldErrors, c.Late, c.Overflowed, view.Remembered)
	for _, set := range view.LabelSets {
		fmt.Fprintf(&out, "%q born %s initial %t: %d, %d handed off, senders %d\n", set.Labels, set.Born.UTC(), set.Initial, set.Interactions, set.Handoffs, set.LastSender)
		for _, h := range set.Histograms {
			native := map[int]int{}
			for i, n := range h.Native {
				if n > 0 {
					native[h.NativeStart+i] = int(n)
				}
			}
			fmt.Fprintf(&out, "  %d sum %v buckets %d zeros %d native %v\n", h.Count, h.Sum, h.Buckets, h.Zeros, native)
		}
	}
	for _, set := range view.Agents {
		fmt.Fprintf(&out, "agent %q born %s initial %t: %d, %v, %v, %v\n", set.Agent, set.Born.UTC(), set.Initial,
			set.Chats, set.HandleTime, set.SpeedOfAnswer, set.Characters)
	}
	return out.String()
}
