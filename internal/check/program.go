package check

import (
	"fmt"
	"strings"
)

// OfConfiguration says how reading the configuration went.
func OfConfiguration(from string, operations int, err error) Finding {
	if err != nil {
		// An error of a file has a line for each thing that is wrong.
		return Finding{Configuration, Failed, strings.ReplaceAll(err.Error(), "\n", "; "), "mend this first: no operation was looked at"}
	}
	return Finding{Configuration, OK, count(operations, "operation") + ", by " + from, ""}
}

// OfState says how a look at the storage folder went. A path that is empty stands
// for memory.
func OfState(path string, made, inUse bool, err error) Finding {
	switch {
	case path == "":
		return Finding{State, Look, "in memory only: every start begins the counters anew", "give --storage.path a folder that stays"}
	case inUse:
		return Finding{State, Look, fmt.Sprintf("a running wolkvox_exporter has the folder %q", path), "nothing, if it is the one that you run; a second one needs a --storage.path of its own"}
	case err != nil:
		return Finding{State, Failed, err.Error(), "let the user that runs the exporter own --storage.path, and check as that user"}
	case !made:
		return Finding{State, OK, fmt.Sprintf("the folder %q is not there yet; the first start can make it", path), ""}
	default:
		return Finding{State, OK, fmt.Sprintf("the folder %q can be written to and is not in use", path), ""}
	}
}
