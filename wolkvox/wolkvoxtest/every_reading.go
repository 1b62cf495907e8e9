package wolkvoxtest

import (
	"iter"
	"time"
)

// EveryReading yields the ordinary reading and then each alternative to it, one
// at a time, with a name for a subtest.
func EveryReading() iter.Seq2[string, Readings] {
	after := func(d time.Duration) func(Chat) time.Duration {
		return func(Chat) time.Duration { return d }
	}
	all := []struct {
		name string
		r    Readings
	}{
		{"ordinary", Readings{}},
		{"U1-selects-on-end", Readings{SelectOn: End}},
		{"U2-start-inclusive", Readings{Ends: StartInclusive}},
		{"U2-both-exclusive", Readings{Ends: BothExclusive}},
		{"U3-open-with-empty-end", Readings{ListOpen: EmptyEnd}},
		{"U3-open-with-dash-end", Readings{ListOpen: DashEnd}},
		{"U1-U3-selects-on-end-lists-open", Readings{SelectOn: End, ListOpen: EmptyEnd}},
		{"U4-filled-in-later", Readings{FillDelay: 7 * time.Minute}},
		{"U5-minutes-late", Readings{Lateness: after(12 * time.Minute)}},
		{"U5-hours-late", Readings{Lateness: after(3 * time.Hour)}},
		{"U6-null-data", Readings{Empty: NullData}},
		{"U6-status-404", Readings{Empty: Status404}},
		{"U6-status-204", Readings{Empty: Status204}},
		{"U6-code-404", Readings{Empty: Code404}},
		{"U8-seconds-string", Readings{Durations: SecondsString}},
		{"U8-seconds-number", Readings{Durations: SecondsNumber}},
		{"U8-json-numbers", Readings{Durations: SecondsNumber, NumbersAsJSON: true}},
		{"U9-YES", Readings{Yes: YesUpper}},
		{"U9-si", Readings{Yes: YesSi}},
		{"U9-sí", Readings{Yes: YesAccent}},
		{"U9-1", Readings{Yes: YesOne}},
		{"U9-true", Readings{Yes: YesTrue}},
		{"U9-bool", Readings{Yes: YesBool}},
		{"U10-bot-conn-id-dash", Readings{BotConnID: Dash}},
		{"U11-last-rows-survive", Readings{Cut: Last}},
		{"absent-empty", Readings{Absent: AbsentEmpty}},
		{"absent-null", Readings{Absent: AbsentNull}},
		{"code-as-string", Readings{CodeAsString: true}},
		{"date-with-T", Readings{DateStyle: DateT}},
		{"date-compact", Readings{DateStyle: DateCompact}},
	}
	return func(yield func(string, Readings) bool) {
		for _, e := range all {
			if !yield(e.name, e.r) {
				return
			}
		}
	}
}
