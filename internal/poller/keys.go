package poller

import (
	"fmt"
	"strings"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// missingAfter is how many cycles in a row must deliver rows that all lack a key before it
// counts as missing.
const missingAfter = 3

// necessaryKeys are those without which the same chat would be counted twice, or none.
// Once the report had them, nothing is counted without them.
var necessaryKeys = []wolkvox.Field{wolkvox.ConnIDField, wolkvox.SessionIDField, wolkvox.StartDate, wolkvox.EndDate}

// isReportKey reports whether the report's rows should have a key. The names of agents
// are personal data, so a report without them is a good one.
func isReportKey(key wolkvox.Field) bool { return key != wolkvox.AgentNameField }

// noteKeys compares the keys of a cycle's rows with the documented ones, and logs those
// that begin or cease to be missing.
func (p *Poller) noteKeys(stats *reader.Stats) {
	if stats.WholeRows == 0 {
		return
	}
	missing := map[wolkvox.Field]bool{}
	for _, key := range wolkvox.Keys() {
		if !isReportKey(key) {
			continue
		}
		before := p.keyMisses[key]
		if stats.Keys.Has(key) {
			p.keyMisses[key] = 0
		} else {
			p.keyMisses[key]++
		}
		missing[key] = p.keyMisses[key] >= missingAfter
		switch {
		case missing[key] && before < missingAfter:
			level.Error(p.logger).Log("msg", "the report has changed: its rows lack a documented key, and what is counted from it is missing", "field", key)
		case !missing[key] && before >= missingAfter:
			level.Info(p.logger).Log("msg", "the report's rows have the key again", "field", key)
		}
	}
	p.status.MissingKeys = missing
}

// checkKeys returns an error if the cycle's rows lack keys that are necessary and that the
// report had before.
func checkKeys(stats *reader.Stats, known wolkvox.Fields) error {
	var lacking []string
	for _, key := range necessaryKeys {
		if known.Has(key) && !stats.Keys.Has(key) {
			lacking = append(lacking, key.String())
		}
	}
	if stats.WholeRows == 0 || lacking == nil {
		return nil
	}
	return &wolkvox.Error{Result: wolkvox.Malformed, Err: fmt.Errorf("its rows have no %s any more, nothing is counted without", strings.Join(lacking, ", "))}
}
