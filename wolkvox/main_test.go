package wolkvox

import (
	"os"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones

	"go.uber.org/goleak"
)

// runLong selects the sizes that take long.
var runLong = os.Getenv("TORTURE") != ""

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func loadZone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// parseTime parses a local time in the report's notation.
func parseTime(t testing.TB, text string) LocalTime {
	t.Helper()
	l, ok := parseLocalTime([]byte(text))
	if !ok {
		t.Fatalf("%q is no date", text)
	}
	return l
}
