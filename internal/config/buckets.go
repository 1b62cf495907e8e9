package config

import (
	"fmt"
	"math"
	"slices"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
)

// maxBuckets limits the number of time series: each bucket is one for each routing point
// and channel.
const maxBuckets = 50

// serviceLevels are bounds that the speed of answer always has: the recording rules, their
// alerts and the dashboards need the share answered within 20, 30 and 60 seconds.
var serviceLevels = []float64{20, 30, 60}

// Buckets are the upper bounds of the classic buckets of each histogram,
// without +Inf; nil for the built-in ones.
type Buckets struct {
	BotTime       []float64 `yaml:"bot_time_seconds"`
	SpeedOfAnswer []float64 `yaml:"speed_of_answer_seconds"`
	HandleTime    []float64 `yaml:"handle_time_seconds"`
	Duration      []float64 `yaml:"duration_seconds"`
	Messages      []float64 `yaml:"messages"`
	Characters    []float64 `yaml:"characters"`
}

// byKey returns the bounds of each histogram, by their keys.
func (b *Buckets) byKey() map[string]*[]float64 {
	return map[string]*[]float64{
		"bot_time_seconds":        &b.BotTime,
		"speed_of_answer_seconds": &b.SpeedOfAnswer,
		"handle_time_seconds":     &b.HandleTime,
		"duration_seconds":        &b.Duration,
		"messages":                &b.Messages,
		"characters":              &b.Characters,
	}
}

// applyDefaults sets the bounds that b omits.
func (b *Buckets) applyDefaults(defaults *Buckets) {
	defaultBounds := defaults.byKey()
	for key, bounds := range b.byKey() {
		if *bounds == nil {
			*bounds = *defaultBounds[key]
		}
	}
}

// missingServiceLevels returns the service levels that are not bounds of the speed of
// answer. The built-in bounds have all.
func (b *Buckets) missingServiceLevels() []float64 {
	if b.SpeedOfAnswer == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(serviceLevels), func(level float64) bool { return slices.Contains(b.SpeedOfAnswer, level) })
}

// addServiceLevels adds the missing service levels to configured bounds.
func (b *Buckets) addServiceLevels() {
	if b.SpeedOfAnswer != nil {
		b.SpeedOfAnswer = slices.Compact(slices.Sorted(slices.Values(slices.Concat(b.SpeedOfAnswer, serviceLevels))))
	}
}

func (b *Buckets) check() (problems []problem) {
	for key, bounds := range b.byKey() {
		if *bounds != nil && (len(*bounds) == 0 || len(*bounds) > maxBuckets) {
			problems = append(problems, problem{key, "", fmt.Sprintf("%d bounds: must have 1 to %d", len(*bounds), maxBuckets)})
		}
		previous := 0.0
		for i, bound := range *bounds {
			if !(bound > previous) || math.IsInf(bound, 1) {
				problems = append(problems, problem{fmt.Sprintf("%s[%d]", key, i), fmt.Sprint(bound), "must be a positive, finite number greater than the one before (+Inf is added)"})
				break
			}
			previous = bound
		}
	}
	return problems
}

// Bounds returns the bounds of each measure; nil means the built-in ones.
func (b *Buckets) Bounds() [ledger.Measures][]float64 {
	return [ledger.Measures][]float64{
		ledger.BotTime:            b.BotTime,
		ledger.SpeedOfAnswer:      b.SpeedOfAnswer,
		ledger.HandleTime:         b.HandleTime,
		ledger.Duration:           b.Duration,
		ledger.Messages:           b.Messages,
		ledger.CustomerCharacters: b.Characters,
		ledger.AgentCharacters:    b.Characters,
	}
}
