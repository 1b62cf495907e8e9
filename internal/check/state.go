package check

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// OfSavedState tries to load the state of an operation from a storage folder as serve
// would, and leaves it as it is.
func OfSavedState(dir, operation string) Finding {
	state, path, err := store.Peek(dir, operation)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{State, OK, fmt.Sprintf("%q is not there yet: this is a first start", path), ""}
	}
	if refused, ok := errors.AsType[*store.LoadError](err); ok {
		return Finding{State, Failed, fmt.Sprintf("%q cannot be loaded: %s", path, refused.Err), refused.Remedy}
	}
	if err == nil {
		_, err = ledger.Unmarshal(state, ledger.Options{}, time.Now())
	}
	if err != nil {
		do := fmt.Sprintf("run the version that wrote it, or start again by moving %q away (only chats from now on are counted)", path+"*")
		return Finding{State, Failed, fmt.Sprintf("%q cannot be loaded: %s", path, err), do}
	}
	return Finding{State, OK, fmt.Sprintf("%q can be loaded", path), ""}
}

// NoSavedState returns the line of an operation whose state was not loaded.
func NoSavedState(why string) Finding {
	return Finding{State, Skipped, "skipped: " + why, ""}
}
