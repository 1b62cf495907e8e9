package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// The clocks of the world are between these offsets, nearly all of them at whole
// or half hours.
const (
	westmost = -12 * time.Hour
	eastmost = 14 * time.Hour
	step     = 30 * time.Minute
)

// common are time zones where wolkvox has customers, those with the most first.
var common = []string{
	"America/Bogota", "America/Mexico_City", "America/Lima", "America/Guayaquil", "America/Santiago", "America/Argentina/Buenos_Aires",
	"America/Panama", "America/Costa_Rica", "America/Guatemala", "America/Santo_Domingo", "America/Caracas", "America/La_Paz",
	"America/Asuncion", "America/Montevideo", "America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/Madrid",
}

// judgeZone compares the newest end of a chat with the clock of the zone. It must
// not be beyond what any clock shows; see latestAnywhere.
func judgeZone(zone *time.Location, now time.Time, newest wolkvox.LocalTime) Finding {
	const advice = "set time_zone (--wolkvox.timezone) to the operation's zone"
	local := now.In(zone)
	clock := fmt.Sprintf("the clock of %s (%s)", zone, offset(local))
	lead := time.Duration(newest-wolkvox.ToLatestLocalTime(local)) * time.Second
	age := time.Duration(wolkvox.ToLocalTime(local)-newest) * time.Second
	switch {
	case newest == 0:
		return Finding{TimeZone, Skipped, fmt.Sprintf("skipped: the last day has no chat to compare with the clock of %s", zone), "check again when the operation has chats"}
	case lead > odd:
		return Finding{TimeZone, Failed, fmt.Sprintf("the newest chat ended %s ahead of %s", span(lead), clock), advice + ": " + fitting(now, newest)}
	case age < recently:
		return Finding{TimeZone, OK, fmt.Sprintf("the newest chat ended %s ago by %s", span(max(0, age)), clock), ""}
	default:
		return Finding{
			TimeZone, Look, fmt.Sprintf("the newest chat ended %s ago by %s", span(age), clock),
			"nothing, if no chat has ended since; otherwise " + advice + ": " + fitting(now, newest),
		}
	}
}

// latestAnywhere is the latest time that a clock of the world shows.
func latestAnywhere(now time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(now.UTC().Add(eastmost + odd))
}

// fitting names the zone of the clock that had newest last.
func fitting(now time.Time, newest wolkvox.LocalTime) string {
	east := time.Duration(newest-wolkvox.ToLocalTime(now.UTC()))*time.Second - odd
	rounded := east.Truncate(step)
	if rounded < east {
		rounded += step
	}
	rounded = min(max(rounded, westmost), eastmost)
	fits := offset(now.In(time.FixedZone("", int(rounded/time.Second))))
	if names := zonesAt(now, rounded); len(names) > 0 {
		return fmt.Sprintf("%s fits, such as %s", fits, strings.Join(names, " or "))
	}
	return fits + " fits"
}

// zonesAt are a few zones whose clocks are that far east of UTC now.
func zonesAt(now time.Time, east time.Duration) (names []string) {
	const enough = 3
	for _, name := range common {
		zone, err := time.LoadLocation(name)
		if err != nil {
			continue // An old time zone database.
		}
		if _, seconds := now.In(zone).Zone(); time.Duration(seconds)*time.Second == east && len(names) < enough {
			names = append(names, name)
		}
	}
	return names
}

func offset(t time.Time) string { return "UTC" + t.Format("-07:00") }

// span is a duration for a person.
func span(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	text := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if hours, whole := strings.CutSuffix(text, "h0m"); whole {
		return hours + "h"
	}
	return text
}
