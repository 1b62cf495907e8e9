package ledger

import (
	"flag"
	"testing"
)

// TestMain makes the default of a history's checks one that takes seconds.
// -rapid.checks=100000 looks much further.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "600", "rapid.shrinktime": "10s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}
