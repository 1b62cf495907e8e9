package cli

import (
	"testing"
	"time"
)

// The time of an operation's clock is read in its zone, what that shows twice as
// the later of the two.
func TestParseTime_UsesOperationsZone(t *testing.T) {
	t.Parallel()
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2025-10-26T02:30:00+02:00": "2025-10-26T00:30:00Z",
		"2025-10-26 02:30:00":       "2025-10-26T01:30:00Z",
		"2025-10-26 03:30":          "2025-10-26T02:30:00Z",
		"2025-10-26":                "2025-10-25T22:00:00Z",
	} {
		have, err := parseTime("--from", text, madrid)
		if err != nil || have.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: have %s (error %v), want %s", text, have.UTC(), err, want)
		}
	}
}
