package check

import (
	"fmt"
	"strings"
	"time"

	"github.com/wolkvox-exporter/wolkvox_exporter/wolkvox"
)

// All time zones are between these offsets from UTC, nearly all of them at a multiple of
// offsetStep.
const (
	minOffset  = -12 * time.Hour
	maxOffset  = 14 * time.Hour
	offsetStep = 30 * time.Minute
)

// commonZones holds time zones of wolkvox customers, those with the most customers first.
var commonZones = []string{
	"America/Bogota", "America/Mexico_City", "America/Lima", "America/Guayaquil", "America/Santiago", "America/Argentina/Buenos_Aires",
	"America/Panama", "America/Costa_Rica", "America/Guatemala", "America/Santo_Domingo", "America/Caracas", "America/La_Paz",
	"America/Asuncion", "America/Montevideo", "America/Sao_Paulo", "America/New_York", "America/Chicago", "America/Los_Angeles", "Europe/Madrid",
}

// zoneFinding compares the newest end of a chat with the clock of the zone. The end must
// not be later than latestAnywhere.
func zoneFinding(zone *time.Location, now time.Time, newest wolkvox.LocalTime) Finding {
	const advice = "set time_zone (--wolkvox.timezone) to the operation's zone"
	local := now.In(zone)
	clock := fmt.Sprintf("the clock of %s (%s)", zone, formatOffset(local))
	lead := time.Duration(newest-wolkvox.ToLatestLocalTime(local)) * time.Second
	age := time.Duration(wolkvox.ToLocalTime(local)-newest) * time.Second
	switch {
	case newest == 0:
		return Finding{TimeZone, Skipped, fmt.Sprintf("skipped: the last day has no chat to compare with the clock of %s", zone), "check again when the operation has chats"}
	case lead > skewWarning:
		return Finding{TimeZone, Failed, fmt.Sprintf("the newest chat ended %s ahead of %s", formatDuration(lead), clock), advice + ": " + suggestZone(now, newest)}
	case age < recentWindow:
		return Finding{TimeZone, OK, fmt.Sprintf("the newest chat ended %s ago by %s", formatDuration(max(0, age)), clock), ""}
	default:
		return Finding{
			TimeZone, Warning, fmt.Sprintf("the newest chat ended %s ago by %s", formatDuration(age), clock),
			"nothing, if no chat has ended since; otherwise " + advice + ": " + suggestZone(now, newest),
		}
	}
}

// latestAnywhere returns the latest local time of all time zones.
func latestAnywhere(now time.Time) wolkvox.LocalTime {
	return wolkvox.ToLocalTime(now.UTC().Add(maxOffset + skewWarning))
}

// suggestZone describes the time zone whose clock showed newest most recently.
func suggestZone(now time.Time, newest wolkvox.LocalTime) string {
	east := time.Duration(newest-wolkvox.ToLocalTime(now.UTC()))*time.Second - skewWarning
	rounded := east.Truncate(offsetStep)
	if rounded < east {
		rounded += offsetStep
	}
	rounded = min(max(rounded, minOffset), maxOffset)
	fits := formatOffset(now.In(time.FixedZone("", int(rounded/time.Second))))
	if names := zonesAtOffset(now, rounded); len(names) > 0 {
		return fmt.Sprintf("%s fits, such as %s", fits, strings.Join(names, " or "))
	}
	return fits + " fits"
}

// zonesAtOffset returns a few zones that have the offset from UTC now.
func zonesAtOffset(now time.Time, utcOffset time.Duration) (names []string) {
	const limit = 3
	for _, name := range commonZones {
		zone, err := time.LoadLocation(name)
		if err != nil {
			continue // The time zone database is older than this zone.
		}
		if _, seconds := now.In(zone).Zone(); time.Duration(seconds)*time.Second == utcOffset && len(names) < limit {
			names = append(names, name)
		}
	}
	return names
}

func formatOffset(t time.Time) string { return "UTC" + t.Format("-07:00") }

// formatDuration returns a duration in seconds or minutes, without zeros at the end.
func formatDuration(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Second).String()
	}
	text := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if hours, ok := strings.CutSuffix(text, "h0m"); ok {
		return hours + "h"
	}
	return text
}
