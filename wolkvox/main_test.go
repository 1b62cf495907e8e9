package wolkvox

import (
	"os"
	"testing"
	"time"
	_ "time/tzdata" // the machine may have no zones

	"go.uber.org/goleak"
)

// torture asks for the sizes that take their time.
var torture = os.Getenv("TORTURE") != ""

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// at reads a wall clock as the report writes it.
func at(t testing.TB, text string) LocalTime {
	t.Helper()
	l, ok := parseLocalTime([]byte(text))
	if !ok {
		t.Fatalf("%q is no date", text)
	}
	return l
}
