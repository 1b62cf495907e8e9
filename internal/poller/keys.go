package poller

import (
	"fmt"
	"strings"

	"github.com/go-kit/log/level"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/reader"
	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// missingAfter is the number of cycles in a row without a key in any row after which the key
// is missing.
const missingAfter = 3

// necessaryKeys are the keys without which a chat would be counted twice or not at all. Once
// the report has had them, no row is counted without them.
var necessaryKeys = []wolkvox.Field{wolkvox.ConnIDField, wolkvox.SessionIDField, wolkvox.StartDate, wolkvox.EndDate}

// isReportKey reports whether the report's rows should have a key. The names of agents are
// personal data, so a report may omit them.
func isReportKey(key wolkvox.Field) bool { return key != wolkvox.AgentNameField }

// trackKeys compares the keys of a cycle's rows with the documented ones. It logs when a key
// becomes missing and when it is there again.
func (p *Poller) trackKeys(stats *reader.Stats) {
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
			level.Error(p.logger).Log("msg", "the report has changed: its rows lack a documented key, so the counts from it are incomplete", "field", key)
		case !missing[key] && before >= missingAfter:
			level.Info(p.logger).Log("msg", "the report's rows have the key again", "field", key)
		}
	}
	p.status.MissingKeys = missing
}

// checkKeys returns an error if the cycle's rows lack necessary keys that the report had
// before.
func checkKeys(stats *reader.Stats, known wolkvox.Fields) error {
	var missing []string
	for _, key := range necessaryKeys {
		if known.Has(key) && !stats.Keys.Has(key) {
			missing = append(missing, key.String())
		}
	}
	if stats.WholeRows == 0 || missing == nil {
		return nil
	}
	return &wolkvox.Error{Result: wolkvox.Malformed, Err: fmt.Errorf("its rows no longer have %s: nothing is counted without", strings.Join(missing, ", "))}
}
