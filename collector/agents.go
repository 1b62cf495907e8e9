package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// collectAgent collects every family of an agent, and the name if it is known.
func (options *Options) collectAgent(ch chan<- prometheus.Metric, operation string, set ledger.AgentSet, now time.Time) {
	if name := set.Name(); name != "" {
		ch <- newGauge(agentInfo, 1, operation, set.Agent, name)
	}
	tally := set.AgentTally
	if options.isHeld(&set.Origin, now) {
		tally = &ledger.AgentTally{}
	}
	ch <- newCounter(agentChats, float64(tally.Chats), set.Born, operation, set.Agent)
	ch <- newSummary(agentHandleTime, tally.HandleTime, set.Born, operation, set.Agent)
	ch <- newSummary(agentSpeedOfAnswer, tally.SpeedOfAnswer, set.Born, operation, set.Agent)
	ch <- newCounter(agentCharacters, tally.Characters.Sum, set.Born, operation, set.Agent)
}
