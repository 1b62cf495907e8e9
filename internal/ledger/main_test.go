package ledger

import (
	"flag"
	"testing"
)

// TestMain sets how many histories a run tries: seconds of them.
// -rapid.checks=100000 tries many more.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "600", "rapid.shrinktime": "10s"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	m.Run()
}
