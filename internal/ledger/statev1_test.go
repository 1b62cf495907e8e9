package ledger

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

var update = flag.Bool("update", false, "write the golden states that are missing")

// raw returns a value as it is in a state.
func raw(t testing.TB, value any) cbor.RawMessage {
	t.Helper()
	encoded, err := encoding.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

// laterState returns a state of version 1 that has names and a fact which only a later
// version of this program knows.
func laterState(t testing.TB) []byte {
	t.Helper()
	saved := changedState(t, func(s *stateV1) {
		s.Unknown = unknownKeys{"lease": raw(t, map[string]int{"term": 7}), "-": raw(t, map[string]int{"x": 1})}
		s.Progress.Unknown = unknownKeys{"archived": raw(t, 5)}
		s.Progress.Keys = append(s.Progress.Keys, "sentiment")
		s.Counters["records/merged"] = 11
		s.Counters["field_errors/sentiment"] = 12
		for i := range s.Sets {
			set := &s.Sets[i]
			set.Unknown = unknownKeys{"closed": raw(t, true)}
			put(&set.Counters, "last_sender/supervisor", 13)
			put(&set.Histograms, "queue_time", histogramV1{Count: 1, Sum: 2, Bounds: []float64{5}, Buckets: []uint64{1, 0}, Native: []uint64{1}, NativeStart: 8})
			put(&set.Totals, "hold_time", totalV1{2, 7.5})
		}
		s.Sets = append(s.Sets, setV1{Labels: map[string]string{"skill": "sales"}, Born: 14, Counters: map[string]uint64{"chats": 15}})
		slices.SortFunc(s.Sets, func(a, b setV1) int { return strings.Compare(a.key(), b.key()) })
	})
	// The last chat has the highest fact of each kind.
	lastFacts := saved[len(saved)-rowSize+8:]
	binary.LittleEndian.PutUint64(lastFacts, binary.LittleEndian.Uint64(lastFacts)|1<<31|1<<63)
	return saved
}

// An older program keeps what a later one adds, and goes on counting.
func TestUnmarshal_KeepsUnknownNames(t *testing.T) {
	saved := laterState(t)
	l, err := Unmarshal(saved, withAgents(2), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	if have := mustMarshal(t, l); !bytes.Equal(have, saved) {
		t.Fatalf("want the same bytes, have\n%q\nof\n%q", have, saved)
	}
	before := head(t, saved)
	transaction := l.Begin(clock(noon.Add(time.Hour)))
	transaction.Progress.Keys |= 1 << wolkvox.ChannelField
	transaction.Apply(ended(100, 0, under("9", "web"), handedOff, by("1201"), states(wolkvox.TotalTime, 8)), Polling)
	transaction.Stamp(noon)
	saved, err = transaction.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	after := head(t, saved)
	if !sameRaw(after.Unknown, before.Unknown) || !sameRaw(after.Progress.Unknown, before.Progress.Unknown) ||
		!slices.Contains(after.Progress.Keys, "sentiment") || after.Counters["records/merged"] != 11 || len(after.Sets) != len(before.Sets) {
		t.Errorf("want what was unknown, have %+v", after)
	}
	for i, set := range after.Sets {
		if set.Labels["skill"] == "" && (len(set.Unknown) != 1 || set.Counters["last_sender/supervisor"] != 13 || set.Histograms["queue_time"].Sum != 2 || set.Totals["hold_time"].Sum != 7.5) {
			t.Errorf("want what was unknown of %v, have %+v of %+v", set.Labels, set, before.Sets[i])
		}
	}
}

func sameRaw(a, b unknownKeys) bool {
	return maps.EqualFunc(a, b, func(a, b cbor.RawMessage) bool { return bytes.Equal(a, b) })
}

// A transaction must not change what is unknown before it is committed.
func TestTransaction_LeavesUnknownNamesAlone(t *testing.T) {
	l, err := Unmarshal(laterState(t), withAgents(2), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	want := mustMarshal(t, l)
	dropped := l.Begin(clock(noon))
	dropped.Apply(ended(100, 0, under("9", "web"), handedOff, lastWrote(wolkvox.Customer), by("1201"), states(wolkvox.CustomerChars, 8)), Polling)
	if _, err := dropped.Marshal(); err != nil {
		t.Fatal(err)
	}
	if have := mustMarshal(t, l); !bytes.Equal(have, want) {
		t.Errorf("want\n%q\nhave\n%q", want, have)
	}
}

// The program that wrote this state knew none of these.
func TestUnmarshal_ReadsStateOfBeforeNames(t *testing.T) {
	saved := changedState(t, func(s *stateV1) {
		delete(s.Counters, "records/counted")
		delete(s.Counters, "field_errors/times_chatted")
		s.Progress.Keys = nil
		for _, set := range s.Sets {
			delete(set.Histograms, "handle_time")
			delete(set.Totals, "handle_time")
			delete(set.Counters, "last_sender/agent")
		}
	})
	for row := range slices.Chunk(saved[len(saved)-3*rowSize:], rowSize) {
		without := binary.LittleEndian.Uint64(row[8:]) &^ uint64(handleTime|perAgentHandleTime|lastSender)
		binary.LittleEndian.PutUint64(row[8:], without)
	}
	l, err := Unmarshal(saved, withAgents(2), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	labels := Labels{"9", "web"}
	have := findTally(t, l, Overflow)
	if have.Interactions != 1 || have.Histograms[Duration].Count != 1 || have.Histograms[HandleTime].Count != 0 || have.LastSender[wolkvox.Agent] != 0 {
		t.Errorf("want all but what is new, have %+v", have)
	}
	// What is new is added to a remembered chat whose row comes again.
	again := ended(3, 0, handedOff, lastWrote(wolkvox.Agent), by("1203"), under(labels.RoutingPoint, labels.Channel), states(wolkvox.TimeWithAgent, 200))
	mustApply(t, l, again, Polling, Completed)
	have = findTally(t, l, Overflow)
	if have.Interactions != 1 || have.Histograms[HandleTime].Sum != 200 || have.LastSender[wolkvox.Agent] != 1 {
		t.Errorf("want what is new, have %+v", have)
	}
	if have := findAgent(l, OverflowAgent); have.Chats != 1 || have.HandleTime != (Total{1, 200}) {
		t.Errorf("want what is new, have %+v", have)
	}
}

// The figures of any history are in TestLedger_CountsAnyHistoryAsModel.
func TestUnmarshal_RestoresProgressAndIdentities(t *testing.T) {
	someMoment := rapid.Custom(func(t *rapid.T) time.Time {
		return toTime(rapid.OneOf(rapid.Just[int64](0), rapid.Int64()).Draw(t, "nanoseconds"))
	})
	someClock := rapid.Custom(func(t *rapid.T) wolkvox.LocalTime { return wolkvox.LocalTime(rapid.Int64().Draw(t, "seconds")) })
	someGap := rapid.Custom(func(t *rapid.T) Gap {
		return Gap{
			Window:  wolkvox.Window{From: someClock.Draw(t, "from"), To: someClock.Draw(t, "to")},
			Minimal: rapid.Bool().Draw(t, "minimal"),
			Seeding: rapid.Bool().Draw(t, "seeding"),
			Polls:   rapid.Int().Draw(t, "polls"),
			Skipped: rapid.Bool().Draw(t, "skipped"),
		}
	})
	someEntry := rapid.Custom(func(t *rapid.T) entry {
		return entry{facts(rapid.Uint64().Draw(t, "facts")), rapid.Uint32().Draw(t, "until"), rapid.Uint16().Draw(t, "digest")}
	})
	rapid.Check(t, func(t *rapid.T) {
		l := New(withAgents(2))
		l.progress = Progress{
			CompleteUntil: someMoment.Draw(t, "complete until"), Reconciled: someMoment.Draw(t, "reconciled"), Began: someClock.Draw(t, "began"),
			Seed: Span{someMoment.Draw(t, "seed from"), someMoment.Draw(t, "seed to")}, Zone: rapid.String().Draw(t, "zone"),
			Keys: wolkvox.Fields(rapid.Uint32Range(0, 1<<len(wolkvox.Keys())-1).Draw(t, "keys")),
			Gaps: rapid.SliceOfN(someGap, 0, 3).Draw(t, "gaps"),
		}
		l.seen = rapid.MapOf(rapid.Custom(func(t *rapid.T) wolkvox.ID { return wolkvox.ID(rapid.Uint64().Draw(t, "ID")) }), someEntry).Draw(t, "chats")
		mustSurvive(t, l)
	})
}

// Bits are saved: these never change, and none of them is used for another fact.
func TestFacts_AreThoseOfSavedStates(t *testing.T) {
	for fact, bit := range map[facts]int{
		interaction: 0, handoff: 1, lastSender: 2,
		measures[BotTime].fact: 3, measures[SpeedOfAnswer].fact: 4, measures[HandleTime].fact: 5, measures[Duration].fact: 6,
		measures[Messages].fact: 7, measures[CustomerCharacters].fact: 8, measures[AgentCharacters].fact: 9,
		perAgentChat: 10, perAgentHandleTime: 11, perAgentSpeedOfAnswer: 12, perAgentCharacters: 13,
		unreadable[wolkvox.TimeOnChatbot]: 32, unreadable[wolkvox.ASA]: 33, unreadable[wolkvox.TimeWithAgent]: 34,
		unreadable[wolkvox.TotalTime]: 35, unreadable[wolkvox.TimesChatted]: 36, unreadable[wolkvox.CustomerChars]: 37,
		unreadable[wolkvox.AgentChars]: 38, unreadable[wolkvox.GoToAgent]: 39, unreadable[wolkvox.LastSenderField]: 40,
		unreadable[wolkvox.StartDate]: 41, unreadable[wolkvox.EndDate]: 42, unreadable[wolkvox.RoutingPointField]: 43,
		unreadable[wolkvox.ChannelField]: 44, unreadable[wolkvox.AgentField]: 45, unreadable[wolkvox.AgentNameField]: 46,
	} {
		if have := bits.TrailingZeros64(uint64(fact)); bits.OnesCount64(uint64(fact)) != 1 || have != bit {
			t.Errorf("want bit %d, have %#x", bit, uint64(fact))
		}
	}
}

func TestFacts_AreEachCountedOnce(t *testing.T) {
	for _, kind := range []struct {
		name  string
		all   facts
		facts []facts
	}{
		{"label set", labelSetFacts, append(factsOfMeasures(), interaction, handoff, lastSender)},
		{"agent", agentFacts, append(factsOfAgents(), perAgentChat)},
	} {
		var sum facts
		for _, fact := range kind.facts {
			if sum&fact != 0 {
				t.Errorf("%s: have fact %#x twice", kind.name, uint64(fact))
			}
			sum |= fact
		}
		if sum != kind.all {
			t.Errorf("%s: have %#x, want %#x", kind.name, uint64(sum), uint64(kind.all))
		}
	}
	if labelSetFacts&agentFacts != 0 || (labelSetFacts|agentFacts)&unreadableFacts != 0 {
		t.Error("have a fact of two kinds")
	}
}

func factsOfMeasures() (all []facts) {
	for _, m := range measures {
		all = append(all, m.fact)
	}
	return all
}

func factsOfAgents() (all []facts) {
	for _, v := range agentValues {
		all = append(all, v.fact)
	}
	return all
}

// goldenStates are the ledgers of the states in testdata. They are written once: a state
// of a released version must be read forever, so -update only writes those that are missing.
func goldenStates(t *testing.T) map[string][]byte {
	t.Helper()
	options := Options{MaxLabelSets: 10}
	options.Bounds[SpeedOfAnswer] = []float64{7, 240}
	withoutAgents := New(options)
	transaction := withoutAgents.Begin(clock(noon))
	for id := range wolkvox.ID(40) {
		transaction.Apply(completeRow(under(fmt.Sprint(id%3), "web"), func(chat *wolkvox.Chat) {
			chat.ID = id * 0x9e3779b97f4a7c15
			chat.Numbers[wolkvox.TotalTime] = float64(id*id) / 3
		}), Starting)
	}
	transaction.Stamp(noon)
	transaction.Commit()
	return map[string][]byte{
		"state-v1":                mustMarshal(t, full(t)),
		"state-v1-empty":          mustMarshal(t, New(Options{MaxLabelSets: 10})),
		"state-v1-without-agents": mustMarshal(t, withoutAgents),
		"state-v1-unknown":        laterState(t),
	}
}

// Every state that a release has written is read forever.
func TestUnmarshal_ReadsGoldenStates(t *testing.T) {
	if *update {
		for name, state := range goldenStates(t) {
			writeMissing(t, filepath.Join("testdata", name+".state"), state)
		}
	}
	files, err := filepath.Glob("testdata/state-v*.state")
	if err != nil || len(files) < 4 {
		t.Fatalf("have %v, %v, want at least 4 states", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			state, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			l, err := Unmarshal(state, withAgents(2), afterwards)
			if err != nil {
				t.Fatal(err)
			}
			have, golden := described(l), strings.TrimSuffix(file, ".state")+".txt"
			if *update {
				writeMissing(t, golden, []byte(have))
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.ReplaceAll(string(want), "\r\n", "\n"); have != want {
				t.Errorf("want\n%s\nhave\n%s", want, have)
			}
		})
	}
}

func writeMissing(t *testing.T, file string, content []byte) {
	t.Helper()
	if _, err := os.Stat(file); err == nil {
		return
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// described returns all that a ledger holds, by name and without zeros, so that later
// names do not change it.
func described(l *Ledger) string {
	var out strings.Builder
	p := l.progress
	fmt.Fprintf(&out, "complete until %s, reconciled %s\nbegan %s in %q, seeding from %s to %s\nfloor %s\n",
		p.CompleteUntil.UTC(), p.Reconciled.UTC(), p.Began, p.Zone, p.Seed.From.UTC(), p.Seed.To.UTC(), l.floor)
	for _, key := range wolkvox.Keys() {
		if p.Keys.Has(key) {
			fmt.Fprintf(&out, "key %s\n", key)
		}
	}
	for _, gap := range p.Gaps {
		fmt.Fprintf(&out, "gap %s, minimal %t, seeding %t, polls %d, skipped %t\n", gap.Window, gap.Minimal, gap.Seeding, gap.Polls, gap.Skipped)
	}
	describeCounters(&out, l.counts.counters())
	for _, set := range l.View().LabelSets {
		fmt.Fprintf(&out, "%+v born %s, initial %t\n", set.Labels, set.Born.UTC(), set.Initial)
		describeCounters(&out, set.counters())
		for m, h := range set.Histograms {
			describeHistogram(&out, measures[m].name, &h)
		}
	}
	for _, agent := range slices.Sorted(maps.Keys(l.agents)) {
		tally := l.agents[agent]
		fmt.Fprintf(&out, "agent %s born %s, initial %t\n", agent, tally.Born.UTC(), tally.Initial)
		describeCounters(&out, tally.counters())
		for _, v := range agentValues {
			if total := v.total(tally); total.Count > 0 {
				fmt.Fprintf(&out, "  %s %d sum %v\n", v.name, total.Count, total.Sum)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.seen)) {
		e := l.seen[id]
		fmt.Fprintf(&out, "chat %016x facts %016x until %s digest %04x\n", uint64(id), uint64(e.facts), wolkvox.LocalTime(e.until), e.digest)
	}
	return out.String()
}

func describeHistogram(out *strings.Builder, name string, h *Histogram) {
	if h.Count == 0 {
		return
	}
	fmt.Fprintf(out, "  %s %d sum %v, buckets", name, h.Count, h.Sum)
	for i, bound := range append(slices.Clone(h.Bounds), math.Inf(1)) {
		if h.Buckets[i] > 0 {
			fmt.Fprintf(out, " %v:%d", bound, h.Buckets[i])
		}
	}
	fmt.Fprintf(out, ", zeros %d, native", h.Zeros)
	for i, n := range h.Native {
		if n > 0 {
			fmt.Fprintf(out, " %d:%d", h.NativeStart+i, n)
		}
	}
	out.WriteString("\n")
}

func describeCounters(out *strings.Builder, counters map[string]*uint64) {
	for _, name := range slices.Sorted(maps.Keys(counters)) {
		if n := *counters[name]; n > 0 {
			fmt.Fprintf(out, "  %s %d\n", name, n)
		}
	}
}
