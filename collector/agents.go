package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// collectAgent collects every family of an agent, and the name if it is known.
func (options *Options) collectAgent(ch chan<- prometheus.Metric, o *operation, set ledger.AgentSet, now time.Time) {
	var (
		id     = label("agent_id", set.Agent)
		labels = []*dto.LabelPair{id, o.name}
		born   = timestamppb.New(set.Born)
		tally  = set.AgentTally
	)
	if name := set.Name(); name != "" {
		ch <- &gauge{descs[agentInfo], []*dto.LabelPair{id, label("agent_name", name), o.name}, 1}
	}
	if options.isHeld(set.Born, set.Initial, now) {
		tally = &ledger.AgentTally{}
	}
	ch <- &counter{descs[agentChats], labels, float64(tally.Chats), born}
	ch <- &summary{descs[agentHandleTime], labels, tally.HandleTime, born}
	ch <- &summary{descs[agentSpeedOfAnswer], labels, tally.SpeedOfAnswer, born}
	ch <- &counter{descs[agentCharacters], labels, tally.Characters.Sum, born}
}
