package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// collectAgent shows every family of an agent, and the name if it is known.
func (options *Options) collectAgent(ch chan<- prometheus.Metric, o *operation, set ledger.AgentSet, now time.Time) {
	var (
		id     = label("agent_id", set.Agent)
		labels = []*dto.LabelPair{id, o.name}
		born   = timestamppb.New(set.Born)
		shown  = set.AgentTally
	)
	if name := set.Name(); name != "" {
		ch <- &gauge{descs[agentInfo], []*dto.LabelPair{id, label("agent_name", name), o.name}, 1}
	}
	if options.isHeld(set.Born, set.Initial, now) {
		shown = &ledger.AgentTally{}
	}
	ch <- &counter{descs[agentChats], labels, float64(shown.Chats), born}
	ch <- &summary{descs[agentHandleTime], labels, shown.HandleTime, born}
	ch <- &summary{descs[agentSpeedOfAnswer], labels, shown.SpeedOfAnswer, born}
	ch <- &counter{descs[agentCharacters], labels, shown.Characters.Sum, born}
}
