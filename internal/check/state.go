package check

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/internal/ledger"
	"github.com/wolkvox-exporter/wolkvox_exporter/internal/store"
)

// SavedStateFinding loads the state of an operation from a storage folder, as serve would,
// without changing it.
func SavedStateFinding(dir, operation string) Finding {
	state, path, err := store.Peek(dir, operation)
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{State, OK, fmt.Sprintf("%q does not exist yet: this is a first start", path), ""}
	}
	if refused, ok := errors.AsType[*store.LoadError](err); ok {
		return Finding{State, Failed, fmt.Sprintf("%q cannot be loaded: %s", path, refused.Err), refused.Remedy}
	}
	if err == nil {
		_, err = ledger.Unmarshal(state, ledger.Options{}, time.Now())
	}
	if err != nil {
		advice := fmt.Sprintf("run the version that wrote it, or start again by moving %q away (only chats from now on are counted)", path+"*")
		return Finding{State, Failed, fmt.Sprintf("%q cannot be loaded: %s", path, err), advice}
	}
	return Finding{State, OK, fmt.Sprintf("%q can be loaded", path), ""}
}

// DatabaseStateFinding loads the state of an operation from a database, as serve would.
func DatabaseStateFinding(saved interface{ Load() ([]byte, error) }) Finding {
	state, err := saved.Load()
	if errors.Is(err, fs.ErrNotExist) {
		return Finding{State, OK, "the database has no state of it yet: this is a first start", ""}
	}
	if err == nil {
		_, err = ledger.Unmarshal(state, ledger.Options{}, time.Now())
	}
	if err != nil {
		return Finding{State, Failed, err.Error(), ""}
	}
	return Finding{State, OK, "it can be loaded from the database", ""}
}

// SkippedState returns the finding of an operation whose state was not loaded.
func SkippedState(reason string) Finding {
	return Finding{State, Skipped, "skipped: " + reason, ""}
}
