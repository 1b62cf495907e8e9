package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// collectAgent collects every family of an agent with the figures of a tally, and the name if it
// is known.
func collectAgent(ch chan<- prometheus.Metric, operation string, set ledger.AgentSet, tally *ledger.AgentTally) {
	if name := set.Name(); name != "" {
		ch <- newGauge(agentInfo, 1, operation, set.Agent, name)
	}
	ch <- newCounter(agentChats, float64(tally.Chats), set.Born, operation, set.Agent)
	ch <- newSummary(agentHandleTime, tally.HandleTime, set.Born, operation, set.Agent)
	ch <- newSummary(agentSpeedOfAnswer, tally.SpeedOfAnswer, set.Born, operation, set.Agent)
	ch <- newCounter(agentCharacters, tally.Characters.Sum, set.Born, operation, set.Agent)
}
