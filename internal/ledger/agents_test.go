package ledger

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

func by(agent string) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) { chat.Agent = agent }
}

func called(name string) func(*wolkvox.Chat) {
	return func(chat *wolkvox.Chat) { chat.AgentName = name }
}

// findAgent returns what was counted of an agent, or nil.
func findAgent(l *Ledger, agent string) *AgentTally {
	for _, set := range l.View().Agents {
		if set.Agent == agent {
			return set.AgentTally
		}
	}
	return nil
}

func withAgents(limit int) Options { return Options{MaxLabelSets: limit, Agents: true} }

func TestTransaction_CountsUnderAgent(t *testing.T) {
	l := New(withAgents(10))
	mustApply(t, l, ended(1, 0, handedOff, by("1201"), states(wolkvox.TimeWithAgent, 340), states(wolkvox.ASA, 22), states(wolkvox.AgentChars, 250)), Polling, Counted)
	mustApply(t, l, ended(2, 0, handedOff, by("1201"), states(wolkvox.TimeWithAgent, 60)), Polling, Counted)
	mustApply(t, l, ended(3, 0, keptByBot, by("1201"), states(wolkvox.TimeWithAgent, 9)), Polling, Counted)
	want := AgentTally{Chats: 2, HandleTime: Total{2, 400}, SpeedOfAnswer: Total{1, 22}, Characters: Total{1, 250}}
	if have := findAgent(l, "1201"); have == nil || *have != want {
		t.Errorf("want %+v, have %+v", want, have)
	}
}

// The report may name an agent, and what the agent did, minutes after the end.
func TestTransaction_CountsAgentThatComesLater(t *testing.T) {
	l := New(withAgents(10))
	mustApply(t, l, ended(1, 0), Polling, Counted)
	mustApply(t, l, ended(1, 0, handedOff, states(wolkvox.ASA, 22)), Polling, Completed)
	mustApply(t, l, ended(1, 0, handedOff, states(wolkvox.ASA, 22), by("1201")), Polling, Completed)
	mustApply(t, l, ended(1, 0, handedOff, states(wolkvox.ASA, 22), by("1201")), Polling, Duplicate)
	mustApply(t, l, ended(1, 0, handedOff, states(wolkvox.ASA, 22), by("1202")), Polling, Changed)
	if have := findAgent(l, "1201"); have == nil || have.Chats != 1 || have.SpeedOfAnswer != (Total{1, 22}) {
		t.Errorf("have %+v, want one chat", have)
	}
	if have := findAgent(l, "1202"); have != nil {
		t.Errorf("have %+v under another agent, want none", have)
	}
}

func TestTransaction_CountsNoAgentOfChatCountedWithout(t *testing.T) {
	l := New(Options{MaxLabelSets: 10})
	chat := ended(1, 0, handedOff, by("1201"))
	mustApply(t, l, ended(1, 0, handedOff), Polling, Counted)
	mustApply(t, l, chat, Polling, Duplicate)
	if have := l.View().Agents; have != nil {
		t.Errorf("have %v, want none", have)
	}
	l, err := Unmarshal(mustMarshal(t, l), withAgents(10), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, l, chat, Reconciling, Duplicate)
	mustApply(t, l, ended(2, 0, handedOff, by("1201")), Polling, Counted)
	if have := findAgent(l, "1201"); have == nil || have.Chats != 1 {
		t.Errorf("have %+v, want the new chat", have)
	}
}

func TestTransaction_CountsAgentsBeyondLimitUnderOther(t *testing.T) {
	l := New(withAgents(2))
	for n := range 4 {
		mustApply(t, l, ended(wolkvox.ID(n+1), 0, handedOff, by(fmt.Sprint(1201+n)), called("Canary Agent")), Polling, Counted)
	}
	if have := findAgent(l, OverflowAgent); have == nil || have.Chats != 2 || have.Name() != "" {
		t.Errorf("have %+v, want two chats and no name", have)
	}
	if have := l.View(); len(have.Agents) != 3 || have.Counts.Overflowed != 2 {
		t.Errorf("have %d agents and %d overflowed, want 3 and 2", len(have.Agents), have.Counts.Overflowed)
	}
}

func TestAgentTally_HasNewestNameUnsaved(t *testing.T) {
	l := New(withAgents(10))
	mustApply(t, l, ended(1, 0, handedOff, by("1201"), called("Canary One")), Polling, Counted)
	before := findAgent(l, "1201")
	mustApply(t, l, ended(1, 0, handedOff, by("1201"), called("Canary Two")), Polling, Duplicate)
	mustApply(t, l, ended(2, 0, handedOff, by("1201")), Polling, Counted)
	if have := findAgent(l, "1201").Name(); have != "Canary Two" {
		t.Errorf("have %q, want the newest name", have)
	}
	if before.Name() != "Canary One" || before.Chats != 1 {
		t.Errorf("a view has changed: have %+v", before)
	}
	saved := mustMarshal(t, l)
	if bytes.Contains(saved, []byte("Canary")) {
		t.Error("have a name in the state")
	}
	l, err := Unmarshal(saved, withAgents(10), afterwards)
	if err != nil {
		t.Fatal(err)
	}
	if have := findAgent(l, "1201"); have == nil || have.Name() != "" || have.Chats != 2 {
		t.Errorf("have %+v, want two chats and no name", have)
	}
	// The overlap brings known chats again.
	mustApply(t, l, ended(2, 0, handedOff, by("1201"), called("Canary Two")), Polling, Duplicate)
	if have := findAgent(l, "1201").Name(); have != "Canary Two" {
		t.Errorf("have %q, want the name of a known chat's row", have)
	}
}

func TestTransaction_StampsNewAgent(t *testing.T) {
	l := New(withAgents(10))
	transaction := l.Begin(clock(noon))
	transaction.Apply(ended(1, 0, handedOff, by("1201")), Starting)
	transaction.Stamp(noon.Add(time.Minute))
	transaction.Commit()
	if have := findAgent(l, "1201"); !have.Born.Equal(noon.Add(time.Minute)) || !have.Initial {
		t.Errorf("have born %s, initial %t, want a minute after noon and true", have.Born, have.Initial)
	}
}
