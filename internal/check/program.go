package check

import (
	"fmt"
	"strings"
)

// OfConfiguration returns what reading the configuration found: a finding for each
// mistake. looked is how many of its operations are looked at.
func OfConfiguration(from string, looked, operations int, err error) []Finding {
	if err != nil {
		var findings []Finding
		for _, mistake := range mistakes(err) {
			findings = append(findings, Finding{Configuration, Failed, strings.ReplaceAll(mistake.Error(), "\n", "; "), ""})
		}
		findings[len(findings)-1].Do = "fix this first: no operation was checked"
		return findings
	}
	text := count(operations, "operation") + ", by " + from
	if looked < operations {
		text = fmt.Sprintf("%d of %s", looked, text)
	}
	return []Finding{{Configuration, OK, text, ""}}
}

// mistakes returns the errors that were joined to err.
func mistakes(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error }) // not errors.As: an error around them has a text of its own
	if !ok {
		return []error{err}
	}
	for _, err := range joined.Unwrap() {
		all = append(all, mistakes(err)...)
	}
	return all
}

// OfState says how a look at the storage folder went. A path that is empty stands
// for memory.
func OfState(path string, made, inUse bool, err error) Finding {
	switch {
	case path == "":
		return Finding{State, Look, "in memory only: counters begin at 0 at every start", "set --storage.path to a permanent folder"}
	case inUse:
		return Finding{State, Look, fmt.Sprintf("a running wolkvox_exporter uses the folder %q", path), "nothing, if it is yours; a second exporter needs its own --storage.path"}
	case err != nil:
		return Finding{State, Failed, err.Error(), "make the exporter's user the owner of --storage.path, and run the check as that user"}
	case !made:
		return Finding{State, OK, fmt.Sprintf("the folder %q is not there yet; the first start can make it", path), ""}
	default:
		return Finding{State, OK, fmt.Sprintf("the folder %q can be written to and is not in use", path), ""}
	}
}
