package poller

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// missingAfter is how many runs in a row must bring rows that all lack a key before it
// counts as missing.
const missingAfter = 3

// necessaryKeys are those without which the same chat would be counted twice, or none.
// Once the report had them, nothing is counted without them.
var necessaryKeys = []wolkvox.Field{wolkvox.ConnIDField, wolkvox.SessionIDField, wolkvox.StartDate, wolkvox.EndDate}

// isWhole reports whether a row has so many of the documented keys that those it lacks
// say something about the report.
func isWhole(keys wolkvox.Fields) bool { return bits.OnesCount32(uint32(keys)) >= 8 }

// isReportKey reports whether the report's rows should have a key. The names of agents
// are personal data, so a report without them is a good one.
func isReportKey(key wolkvox.Field) bool { return key != wolkvox.AgentNameField }

// noteKeys compares the keys of a run's rows with the documented ones, and logs those
// that begin or cease to be missing.
func (r *run) noteKeys() {
	if r.whole == 0 {
		return
	}
	missing := map[wolkvox.Field]bool{}
	for _, key := range wolkvox.Keys() {
		if !isReportKey(key) {
			continue
		}
		before := r.lacking[key]
		if r.keys.Has(key) {
			r.lacking[key] = 0
		} else {
			r.lacking[key]++
		}
		missing[key] = r.lacking[key] >= missingAfter
		switch {
		case missing[key] && before < missingAfter:
			level.Error(r.logger).Log("msg", "the report has changed: its rows lack a documented key, and what is counted from it is missing", "field", key)
		case !missing[key] && before >= missingAfter:
			level.Info(r.logger).Log("msg", "the report's rows have the key again", "field", key)
		}
	}
	r.status.MissingKeys = missing
}

// checkKeys returns an error if the run's rows lack keys that are necessary and that the
// report had before.
func (r *run) checkKeys(known wolkvox.Fields) error {
	var lacking []string
	for _, key := range necessaryKeys {
		if known.Has(key) && !r.keys.Has(key) {
			lacking = append(lacking, key.String())
		}
	}
	if r.whole == 0 || lacking == nil {
		return nil
	}
	return &wolkvox.Error{Result: wolkvox.Malformed, Err: fmt.Errorf("its rows have no %s any more, nothing is counted without", strings.Join(lacking, ", "))}
}
