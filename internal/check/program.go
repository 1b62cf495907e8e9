package check

import (
	"fmt"
	"strings"
)

// ConfigurationFindings returns the findings of reading the configuration: a failure for
// each mistake in err, or the number of operations and how many of them are checked.
func ConfigurationFindings(source string, checked, operations int, err error) []Finding {
	if err != nil {
		var findings []Finding
		for _, mistake := range splitErrors(err) {
			findings = append(findings, Finding{Configuration, Failed, strings.ReplaceAll(mistake.Error(), "\n", "; "), ""})
		}
		findings[len(findings)-1].Advice = "fix this first: no operation was checked"
		return findings
	}
	text := plural(operations, "operation") + ", by " + source
	if checked < operations {
		text = fmt.Sprintf("%d of %s", checked, text)
	}
	return []Finding{{Configuration, OK, text, ""}}
}

// splitErrors returns the errors that are joined in err.
func splitErrors(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error }) // not errors.As: an error that wraps them has its own text
	if !ok {
		return []error{err}
	}
	for _, err := range joined.Unwrap() {
		all = append(all, splitErrors(err)...)
	}
	return all
}

// StorageFinding returns the finding of the storage folder. An empty path means that the
// state is kept in memory.
func StorageFinding(path string, exists, inUse bool, err error) Finding {
	switch {
	case path == "":
		return Finding{State, Warning, "in memory only: counters begin at 0 at every start", "set --storage.path to a permanent folder"}
	case inUse:
		return Finding{State, Warning, fmt.Sprintf("a running wolkvox_exporter uses the folder %q", path), "nothing, if it is yours; a second exporter needs its own --storage.path"}
	case err != nil:
		return Finding{State, Failed, err.Error(), "make the exporter's user the owner of --storage.path, and run the check as that user"}
	case !exists:
		return Finding{State, OK, fmt.Sprintf("the folder %q does not exist yet; the first start can create it", path), ""}
	default:
		return Finding{State, OK, fmt.Sprintf("the folder %q can be written to and is not in use", path), ""}
	}
}
